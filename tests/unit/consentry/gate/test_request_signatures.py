"""Who asks: known, not revoked, and this request alone, once, now, at this gate."""

from dataclasses import replace

import pytest
from support.ledger_examples import identifier

from consentry.request_signatures import RequestRefused, SignedRequest, signed_headers

ATTEMPT = identifier("attempt", 1)


def refusal(bench, request) -> str:
    with pytest.raises(RequestRefused) as caught:
        bench.gate.caller(request)
    assert caught.value.status == 401
    return caught.value.code


def test_the_caller_is_who_signed(bench):
    caller = bench.gate.caller(bench.request(ATTEMPT))
    assert (caller.msp_id, caller.common_name) == ("RiversideMSP", bench.researcher.identity.enrolment_id)


def test_a_request_counts_once(bench):
    request = bench.request(ATTEMPT)
    bench.gate.caller(request)
    assert refusal(bench, request) == "REQUEST_REPLAYED"


def test_a_restarted_gate_takes_nothing_from_before_its_start(bench):
    request = bench.request(ATTEMPT, seconds=-2)
    assert refusal(bench, request) == "REQUEST_REPLAYED"


@pytest.mark.parametrize("seconds", [-3600, -31, 31, 3600])
def test_another_time_is_refused(bench, seconds):
    assert refusal(bench, bench.request(ATTEMPT, seconds=seconds)) == "REQUEST_TIME_REFUSED"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"body": b'{"token": "other"}'}, "REQUEST_ALTERED"),
        ({"path": f"/v1/attempts/{identifier('attempt', 2)}/rows"}, "SIGNATURE_INVALID"),
        ({"method": "GET"}, "SIGNATURE_INVALID"),
        ({"headers": {}}, "SIGNATURE_MISSING"),
    ],
)
def test_an_altered_request_is_refused(bench, changes, code):
    assert refusal(bench, bench.request(ATTEMPT, **changes)) == code


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("signature", "gate=:AAAA:", "SIGNATURE_INVALID"),
        ("signature", "gate=:not base64:", "SIGNATURE_INVALID"),
        ("signature-input", "gate=()", "SIGNATURE_INVALID"),
        ("consentry-identity", ":AAAA:", "CALLER_UNKNOWN"),
        ("content-digest", "sha-256=:AAAA:", "REQUEST_ALTERED"),
        ("consentry-identity", "x" * 20_000, "SIGNATURE_MISSING"),
    ],
)
def test_altered_headers_are_refused(bench, header, value, code):
    request = bench.request(ATTEMPT)
    assert refusal(bench, replace(request, headers={**request.headers, header: value})) == code


def test_anothers_certificate_over_ones_own_signature_is_refused(bench):
    request, other = bench.request(ATTEMPT), bench.request(ATTEMPT, bench.steward)
    headers = {**request.headers, "consentry-identity": other.headers["consentry-identity"]}
    assert refusal(bench, replace(request, headers=headers)) == "SIGNATURE_INVALID"


def test_a_request_for_another_gate_is_refused(bench):
    path, created = f"/v1/attempts/{ATTEMPT}/rows", int(bench.gateway.memory.time.timestamp())
    headers = signed_headers(bench.researcher.identity, "LakesideMSP", "POST", path, b"{}", created)
    assert refusal(bench, SignedRequest("POST", path, headers, b"{}")) == "SIGNATURE_INVALID"
