"""Signing apart from the server: each file is what it says, and only what was signed goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from fabric_protos.gateway import gateway_pb2
from support.ledger_examples import identifier
from support.signing_bench import Shared, SigningBench, call, raising, revocation

from consentry.identity import WalletIdentity
from consentry.web.signing import files
from consentry.web.signing.files import SigningFile, signed_proposal, signed_transaction
from consentry.web.signing.pending import COMMITTED, Outcome, Pending


def first_file(bench: SigningBench, pending: Pending) -> SigningFile:
    action = bench.desk.fetch(pending)
    return read(SigningFile("action", {"action": action.to_bytes(), "step": pending.step}))


def read(file: SigningFile) -> SigningFile:
    """A file as it comes over on a stick."""
    again = SigningFile.from_text(file.to_text())
    assert again == file
    return again


def endorsed(bench: SigningBench, pending: Pending, officer: WalletIdentity) -> SigningFile:
    """The second file: the first one signed, sent in, endorsed."""
    action, wanted = first_file(bench, pending).call()
    signed = read(signed_proposal(action, wanted, officer, lambda: bench.gateway.memory.time))
    answer = bench.relay.relay(pending, "endorse", files.endorse_request(signed, "consentry"))
    return read(files.transaction_file(action, pending.step, signed, answer))


def test_two_files_there_and_back_are_a_commit(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    second = endorsed(bench, pending, officer)
    _, wanted = second.call()
    signed = read(signed_transaction(second, wanted, officer, lambda: bench.gateway.memory.time))
    request = files.submit_request(signed, "consentry")
    bench.relay.relay(pending, "submit", request)
    with raising("ACTION_UNDER_WAY"):
        bench.relay.relay(pending, "submit", request)
    bench.relay.note(pending, Outcome(pending.submitted, 9, "VALID"))
    assert pending.state == COMMITTED
    assert shared.steward.grants.get(shared.grant_id).state == "revoked"


def test_a_transaction_of_another_proposal_is_not_signed(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    second = endorsed(bench, pending, officer)
    _, wanted = second.call()
    other = endorsed(bench, bench.offer(officer, revocation(shared), form="other"), officer)
    swapped = SigningFile("transaction", {**second.fields, "prepared": other.fields["prepared"]})
    clock = lambda: bench.gateway.memory.time  # noqa: E731
    with raising("ACTION_DIFFERS"):
        signed_transaction(swapped, wanted, officer, clock)
    with raising("ACTION_DIFFERS"):
        signed_transaction(second, call("grants:revoke", identifier("grant", 7)), officer, clock)
    with raising("ACTION_DIFFERS"):
        signed_transaction(second, wanted, bench.gateway.identity("NorthgateMSP", "steward"), clock)


def test_an_altered_endorsement_is_not_signed(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    second = endorsed(bench, bench.offer(officer, revocation(shared)), officer)
    _, wanted = second.call()
    prepared = gateway_pb2.PreparedTransaction.FromString(second.fields["prepared"])
    for payload in (
        prepared.envelope.payload.replace(b"revoked", b"granted"),
        prepared.envelope.payload[:-1] + b"x",
        b"",
    ):
        prepared.envelope.payload = payload
        altered = {**second.fields, "prepared": prepared.SerializeToString()}
        with raising("ACTION_DIFFERS"):
            signed_transaction(
                SigningFile("transaction", altered), wanted, officer, lambda: bench.gateway.memory.time
            )


def test_a_proposal_of_anything_else_is_not_passed_on(bench: SigningBench, shared: Shared) -> None:
    officer = shared.steward.identity
    pending = bench.offer(officer, revocation(shared))
    action, _ = first_file(bench, pending).call()
    other = call("grants:revoke", identifier("grant", 7))
    signed = signed_proposal(action, other, officer, lambda: bench.gateway.memory.time)
    with raising("ACTION_DIFFERS"):
        bench.relay.relay(pending, "endorse", files.endorse_request(signed, "consentry"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"consentry-web-sign": "action"}',
        '{"consentry-web-sign": "other", "prepared": ""}',
        '{"consentry-web-sign": "signed-transaction", "prepared": "!"}',
        '{"consentry-web-sign": "signed-transaction", "prepared": "", "more": ""}',
        '{"consentry-web-sign": "action", "action": "", "step": "0"}',
        '{"consentry-web-sign": ["action"], "action": "", "step": 0}',
        "[" * 9000,
        "x" * (files.MAXIMUM_TEXT + 1),
    ],
)
def test_text_that_is_no_file_is_refused(text: str) -> None:
    with raising("FILE_INVALID" if "!" not in text else "MESSAGE_INVALID"):
        SigningFile.from_text(text)


def test_a_file_names_a_call_that_there_is(bench: SigningBench, shared: Shared) -> None:
    file = first_file(bench, bench.offer(shared.steward.identity, revocation(shared)))
    for step in (-1, 1, 2**70):
        with raising("FILE_INVALID"):
            replace(file, fields={**file.fields, "step": step}).call()
    document: dict[str, Any] = json.loads(file.to_text())
    with raising("FILE_INVALID"):
        SigningFile.from_text(json.dumps({**document, "step": True})).call()
    with raising("FILE_INVALID"):
        SigningFile("signed-transaction", {"prepared": b""}).call()


def test_messages_that_are_none_are_refused() -> None:
    with raising("FILE_INVALID"):
        files.endorse_request(SigningFile("signed-proposal", {"proposed": b"\xff", "binding": b""}), "c")
    with raising("FILE_INVALID"):
        files.submit_request(SigningFile("signed-transaction", {"prepared": b"\xff"}), "c")
