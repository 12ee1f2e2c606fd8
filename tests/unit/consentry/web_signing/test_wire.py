"""A signer's requests: signed, for this service, once; and whatever has another form."""

from __future__ import annotations

import json

import pytest
from support.gate_bench import NORTHGATE
from support.signing_bench import (
    Shared,
    SigningBench,
    raising,
    revocation,
)

from consentry.identity import WalletIdentity
from consentry.request_signatures import GATE, WEB_SIGN, RequestRefused, signed_headers
from consentry.web.actions import ActionRefused
from consentry.web.signing import wire
from fabric_gateway.failures import StatusFailure


def request_headers(
    officer: WalletIdentity, path: str, body: bytes, created: int, tag: str
) -> dict[str, str]:
    return signed_headers(officer, NORTHGATE, "POST", path, body, created, tag=tag)


def test_a_request_is_taken_once_and_for_this_service(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    body, created = json.dumps({"code": pending.code}).encode(), int(bench.now())
    headers = request_headers(officer, "/sign/action", body, created, WEB_SIGN)
    assert bench.post("action", body, headers).status_code == 200
    assert bench.post("action", body, headers).json()["code"] == "REQUEST_REPLAYED"
    other = request_headers(officer, "/sign/action", body, created, GATE)
    assert bench.post("action", body, other).json()["code"] == "SIGNATURE_INVALID"
    assert bench.post("action", body, {}).json()["code"] == "SIGNATURE_MISSING"
    elsewhere = request_headers(officer, "/sign/decline", body, created, WEB_SIGN)
    assert bench.post("action", body, elsewhere).json()["code"] == "SIGNATURE_INVALID"
    late = request_headers(officer, "/sign/action", body, created - 60, WEB_SIGN)
    assert bench.post("action", body, late).json()["code"] in ("REQUEST_TIME_REFUSED", "REQUEST_REPLAYED")


def test_a_request_that_is_altered_on_its_way_is_refused(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    bench.alter = lambda path, body: body + b" "
    with raising("REQUEST_ALTERED"):
        bench.sign(officer, pending.code)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"code": 1}', b'{"code": "A", "more": 1}', b"[" * 5000, b"\xff"]
)
def test_bodies_of_another_form_are_refused(bench: SigningBench, shared: Shared, body: bytes) -> None:
    headers = request_headers(shared.steward.identity, "/sign/action", body, int(bench.now()), WEB_SIGN)
    answer = bench.post("action", body, headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "MESSAGE_INVALID")


def test_a_failure_s_words_cross_the_wire(bench: SigningBench) -> None:
    failure = StatusFailure("ABORTED", "no", not_sent=True)
    read = wire.failure_of(wire.failure_document(failure))
    assert (read.code, read.message, read.details, read.not_sent) == ("ABORTED", "no", (), True)
    for broken in (None, {}, {"code": "A", "message": "b", "details": [1], "not_sent": False}):
        with pytest.raises(ActionRefused):
            wire.failure_of(broken)
    assert RequestRefused(401, "A", "b").status == 401
