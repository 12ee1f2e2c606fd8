"""What leaves: rows of subjects who consent now, proved, under a permit that holds, on record in the end."""

import json
import time
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest
from support.consent_frames import CARE, RESEARCH
from support.gate_bench import COUNT, PEOPLE, RIVERSIDE, all_bytes

from consentry.errors import ConfigurationError, ConsentryError, InputRejected, LedgerUnreachable
from consentry.gate import row_blocks
from consentry.gate.aggregates import Grouping
from consentry.gate.arrival import DataAltered
from consentry.gate.freezing import freeze_aggregates
from consentry.gate.permits import DeniedOnLedger
from consentry.gate.stopping import Stopped
from consentry.models import Models
from consentry_records.conditions import Conditions
from consentry_records.delivery import Delivery
from consentry_records.digest import hmac_digest, sha256_digest
from consentry_records.training import NewTrainingSession
from fabric_gateway.failures import StatusFailure

UNREACHABLE = StatusFailure("UNAVAILABLE", "no connection")


def records(bench, attempt_id):
    found = bench.researcher.transactions.evaluate("deliveries:of_attempt", attempt_id)
    return [Delivery.from_dict(one) for one in found]


def finished(bench, delivery, end="completed"):
    record, on_ledger = bench.gate.finish(delivery, end)
    assert on_ledger
    return record


def refusal(call) -> str:
    with pytest.raises(ConsentryError) as caught:
        call()
    return caught.value.code


def test_all_rows_arrive_and_what_was_given_out_is_on_record(bench, frame):
    attempt = bench.attempt()
    delivery = bench.deliver(attempt)
    data = all_bytes(delivery)
    record = finished(bench, delivery)
    came, arrival, end = bench.receive(data + delivery.last_bytes(record, True))
    pd.testing.assert_frame_equal(came, frame.drop(columns=["pseudonym"]), check_dtype=False)
    arrival.check_end(record)
    assert arrival.is_whole
    assert end["recorded"]
    (kept,) = records(bench, attempt)
    assert (kept.row_count, kept.end, kept.delivered_root) == (COUNT, "completed", bench.version.merkle_root)
    assert kept.content_digest == bench.version.content_digest


def test_rows_without_consent_now_are_left_out_with_the_reason(bench, frame):
    bench.steward.consents.withdraw(pseudonym=PEOPLE[3])
    bench.steward.consents.withdraw(pseudonym=PEOPLE[36])
    delivery = bench.deliver(bench.attempt())
    data = all_bytes(delivery)
    record = finished(bench, delivery)
    came, arrival, _ = bench.receive(data)
    expected = frame.drop(index=[3, 36]).drop(columns=["pseudonym"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(came, expected, check_dtype=False)
    assert dict(record.left_out) == {"ended": 2}
    arrival.check_end(record)


def test_a_consent_withdrawn_between_two_batches_counts_for_the_next(bench):
    delivery = bench.deliver(bench.attempt())
    delivery.begin()
    first = delivery.next()
    assert first.reasons == "-" * 8
    bench.steward.consents.withdraw(pseudonym=PEOPLE[9])
    assert delivery.next().reasons == "-n------"


def test_a_denial_is_committed_and_nothing_is_served(bench):
    attempt = bench.attempt(purpose=CARE)
    with pytest.raises(DeniedOnLedger) as caught:
        bench.deliver(attempt)
    assert caught.value.decision == bench.researcher.access.get(attempt).decision
    assert records(bench, attempt) == []


@pytest.mark.parametrize("change", ["revoke", "suspend"])
def test_a_grant_that_is_taken_back_stops_the_delivery(bench, ledger_of, change):
    delivery = bench.deliver(bench.attempt())
    delivery.begin()
    delivery.note(delivery.next())
    if change == "revoke":
        bench.steward.grants.revoke(bench.grant.grant_id)
    else:
        ledger_of("RegulatorMSP", "regulator").grants.suspend(bench.grant.grant_id)
    with pytest.raises(Stopped) as caught:
        delivery.next()
    assert caught.value.end == bench.gate.over(delivery) == "permit-overtaken"
    record = finished(bench, delivery, caught.value.end)
    assert (record.row_count, record.next_row) == (8, 8)


def test_the_permit_ends_by_the_gates_clock(bench):
    delivery = bench.deliver(bench.attempt())
    delivery.begin()
    bench.gateway.memory.advance(timedelta(days=31))
    with pytest.raises(Stopped) as caught:
        delivery.next()
    assert caught.value.end == "permit-ended"


@pytest.mark.parametrize(("hours", "code"), [(-1, "GATE_CLOCK_WRONG"), (24 * 40, "PERMIT_ENDED")])
def test_a_gate_whose_clock_is_wrong_serves_nothing(bench, hours, code):
    attempt = bench.attempt()
    bench.service.transactions.submit("access:decide", attempt)
    true = bench.gate._parts.permits._clock
    bench.gate._parts.permits._clock = lambda: true() + timedelta(hours=hours)
    assert refusal(lambda: bench.deliver(attempt)) == code


def test_without_the_ledger_nothing_is_served_and_the_record_follows(bench):
    attempt = bench.attempt()
    bench.gateway.failures["evaluate"] = [UNREACHABLE]
    assert refusal(lambda: bench.deliver(attempt)) == "LEDGER_UNREACHABLE"
    delivery = bench.deliver(attempt)
    delivery.begin()
    delivery.note(delivery.next())
    bench.gateway.failures["evaluate"] = [UNREACHABLE]
    with pytest.raises(LedgerUnreachable):
        delivery.next()
    bench.gateway.failures["endorse"] = [UNREACHABLE]
    _, on_ledger = bench.gate.finish(delivery, "ledger-unreachable")
    assert not on_ledger
    assert records(bench, attempt) == []
    bench.gate._recorder.record_noted(bench.gate._parts.journal.deliveries()[0])
    (record,) = records(bench, attempt)
    assert (record.end, record.row_count) == ("ledger-unreachable", 8)
    assert bench.gate._parts.journal.deliveries() == []


def test_a_gate_that_was_killed_records_what_had_left(bench):
    bench.steward.consents.withdraw(pseudonym=PEOPLE[1])
    attempt = bench.attempt()
    delivery = bench.deliver(attempt)
    all_bytes(delivery, blocks=3)
    expected = delivery.tally.content()
    with pytest.raises(ConfigurationError) as running:
        bench.open_gate()
    assert running.value.code == "GATE_RUNNING"
    bench.gate.close()
    bench.open_gate().start()
    end = time.monotonic() + 30
    while not records(bench, attempt):
        assert time.monotonic() < end
        time.sleep(0.02)
    (record,) = records(bench, attempt)
    assert (record.end, record.next_row, dict(record.left_out)) == ("gate-restarted", 24, {"ended": 1})
    assert (record.row_count, record.delivered_root, record.content_digest) == expected


def test_an_attempt_is_one_use_and_goes_on_with_its_token_alone(bench, frame):
    attempt = bench.attempt()
    first = bench.deliver(attempt)
    data = all_bytes(first, blocks=2)
    assert bench.receive(data)[2] is None
    token = bench.gate._parts.tokens.make(attempt, bench.gate.caller(bench.request(attempt)).key, 16)
    assert refusal(lambda: bench.deliver(attempt)) == "DELIVERY_BEGUN"
    second = bench.deliver(attempt, token=token)
    assert bench.gate.over(first) == "resumed"
    rest = all_bytes(second)
    finished(bench, first, "resumed")
    record = finished(bench, second)
    came, _, _ = bench.receive(rest, first_row=16)
    assert came["radius"].tolist() == frame["radius"].tolist()[16:]
    assert (record.number, record.first_row, record.row_count) == (2, 16, COUNT - 16)
    assert [one.end for one in records(bench, attempt)] == ["resumed", "completed"]
    uses = [call for call in bench.gateway.calls if call == ("endorse", "access:decide")]
    assert len(uses) == 1


def test_a_delivery_that_ends_while_the_next_begins_keeps_its_number(bench, monkeypatch):
    attempt = bench.attempt()
    first = bench.deliver(attempt)
    all_bytes(first, blocks=2)
    token = bench.gate._parts.tokens.make(attempt, bench.gate.caller(bench.request(attempt)).key, 16)
    transactions = bench.gate._ledger.transactions
    evaluate = transactions.evaluate

    def overtaken(function, *arguments):
        answer = evaluate(function, *arguments)
        if function == "deliveries:outlook":
            monkeypatch.setattr(transactions, "evaluate", evaluate)
            assert bench.gate._recorder.record(first.end("recipient-gone"))
        return answer

    monkeypatch.setattr(transactions, "evaluate", overtaken)
    second = bench.deliver(attempt, token=token)
    all_bytes(second)
    finished(bench, second)
    assert [(one.number, one.end) for one in records(bench, attempt)] == [
        (1, "recipient-gone"),
        (2, "completed"),
    ]


@pytest.mark.parametrize("token", ["", "AAAA", "é", "x" * 200])
def test_other_tokens_are_refused(bench, token):
    attempt = bench.attempt()
    assert refusal(lambda: bench.deliver(attempt, token=token)) == "TOKEN_INVALID"


def test_a_token_is_bound_to_attempt_and_caller(bench):
    attempt, other = bench.attempt(), bench.attempt()
    caller = bench.gate.caller(bench.request(attempt)).key
    tokens = bench.gate._parts.tokens
    assert refusal(lambda: bench.deliver(other, token=tokens.make(attempt, caller, 8))) == "TOKEN_INVALID"
    assert refusal(lambda: bench.deliver(attempt, token=tokens.make(attempt, "x", 8))) == "TOKEN_INVALID"


def test_no_use_is_put_down_to_anothers_session(bench, ledger_of):
    other = ledger_of(RIVERSIDE, "researcher")
    permit, session_id, digest = bench.attempt(other), "session-" + "1" * 32, sha256_digest(b"")
    bench.service.transactions.submit("access:decide", permit)
    session = NewTrainingSession(
        session_id=session_id,
        model_id=Models(other.transactions).ensure("theirs"),
        purpose=RESEARCH,
        commercial=False,
        attempts=(permit,),
        code_digest=digest,
        environment_digest=digest,
        hyperparameters_digest=digest,
    )
    other.transactions.submit("training:start", session)
    attempt = bench.attempt(session_id=session_id)
    assert refusal(lambda: bench.deliver(attempt)) == "SESSION_OF_ANOTHER"
    assert bench.researcher.access.get(attempt).decision is None
    not_started = bench.attempt(session_id="session-" + "0" * 32)
    assert all_bytes(bench.deliver(not_started))


def test_nothing_is_decided_for_others_or_for_what_is_not_there(bench, ledger_of):
    attempt = bench.attempt(ledger_of(RIVERSIDE, "researcher"))
    assert refusal(lambda: bench.deliver(attempt)) == "ATTEMPT_OF_ANOTHER"
    aggregate = bench.attempt(output="aggregate")
    assert refusal(lambda: bench.deliver(aggregate)) == "OUTPUT_DIFFERS"
    own = bench.attempt()
    bench.places.store().erase(bench.version.version_id)
    with pytest.raises(InputRejected) as caught:
        bench.deliver(own)
    assert caught.value.code == "VERSION_NOT_HELD"
    assert [bench.researcher.access.get(one).decision for one in (attempt, aggregate, own)] == [None] * 3


def test_an_altered_row_is_named_and_nothing_after_it_is_used(bench, monkeypatch):
    true = bench.gate._store.open(bench.version.version_id).block

    def altered(stored, number):
        batch = true(number)
        if number == 2:
            values = batch.column("radius").to_pylist()
            values[5] += 1e-12
            batch = batch.set_column(0, "radius", row_blocks.pa.array(values))
        return batch

    monkeypatch.setattr("consentry.gate.store.StoredVersion.block", altered)
    data = all_bytes(bench.deliver(bench.attempt()))
    with pytest.raises(DataAltered) as caught:
        bench.receive(data)
    assert (caught.value.code, caught.value.fields["row"]) == ("DATA_ALTERED", 21)


def test_rows_of_another_place_are_found_by_their_piece(bench, monkeypatch):
    true = bench.gate._store.open(bench.version.version_id).block
    monkeypatch.setattr("consentry.gate.store.StoredVersion.block", lambda _stored, number: true(number ^ 1))
    data = all_bytes(bench.deliver(bench.attempt()), blocks=1)
    with pytest.raises(DataAltered) as caught:
        bench.receive(data)
    assert caught.value.fields["first_row"] == 0


def test_no_pseudonym_key_or_row_is_logged(bench, caplog, frame):
    caplog.set_level("DEBUG")

    delivery = bench.deliver(bench.attempt())
    all_bytes(delivery)
    finished(bench, delivery)
    refusal(lambda: bench.deliver(bench.attempt(purpose=CARE)))
    secret = bench.steward.datasets.secret("cells").secret.hex()
    for text in (*PEOPLE, secret, str(frame["radius"][4]), RESEARCH):
        assert text not in caplog.text


GROUPING = Grouping(
    by=("grade",), values=("radius",), minimum=5, purpose=RESEARCH, commercial=False, recipients=(RIVERSIDE,)
)


def freeze(bench, grouping=GROUPING):
    store = bench.places.store()
    clock = lambda: bench.gateway.memory.time  # noqa: E731
    return freeze_aggregates(bench.steward, store, bench.version.version_id, grouping, clock)


def aggregates(bench, attempt):
    return bench.gate.aggregates(attempt, bench.gate.caller(bench.request(attempt)))


def test_aggregates_are_one_frozen_result_whatever_happens_afterwards(bench, frame):
    bench.steward.consents.withdraw(pseudonym=PEOPLE[0])
    result = freeze(bench)
    low = next(group for group in result["groups"] if group["key"] == ["low"])
    assert low["rows"] == (frame["grade"] == "low").sum() - 1
    assert result["suppressed_groups"] == 1  # the one patient of grade "high"
    first = aggregates(bench, attempt := bench.attempt(output="aggregate"))
    bench.steward.consents.withdraw(pseudonym=PEOPLE[2])
    assert aggregates(bench, bench.attempt(output="aggregate")) == first == json.loads(json.dumps(result))
    assert refusal(lambda: freeze(bench)) == "AGGREGATES_FROZEN"
    (record,) = records(bench, attempt)
    assert (record.end, record.row_count) == ("completed", 0)
    assert record.byte_count == len(json.dumps(first))


def test_aggregates_are_for_their_use_and_recipients_alone(bench):
    attempt = bench.attempt(output="aggregate")
    assert refusal(lambda: aggregates(bench, attempt)) == "AGGREGATES_MISSING"
    freeze(bench, replace(GROUPING, recipients=("LakesideMSP",)))
    assert refusal(lambda: aggregates(bench, attempt)) == "AGGREGATES_FOR_OTHERS"
    assert refusal(lambda: aggregates(bench, bench.attempt())) == "OUTPUT_DIFFERS"
    assert bench.researcher.access.get(attempt).decision is None


def test_aggregates_of_columns_beyond_the_attempts_are_not_given(bench):
    freeze(bench)
    attempt = bench.attempt(output="aggregate", columns=["grade"])
    assert refusal(lambda: aggregates(bench, attempt)) == "AGGREGATES_OF_OTHER_COLUMNS"
    assert bench.researcher.access.get(attempt).decision is None
    assert aggregates(bench, bench.attempt(output="aggregate", columns=["radius", "grade"]))["groups"]


def test_a_grant_for_aggregates_only_lets_no_row_out(bench):
    bench.steward.grants.revoke(bench.grant.grant_id)
    request = bench.researcher.grants.request(
        [bench.version.version_id], purposes=[RESEARCH], duration=timedelta(days=1)
    )
    bench.steward.grants.grant(
        request.request_id,
        versions=[bench.version.version_id],
        purposes=[RESEARCH],
        duration=timedelta(days=1),
        conditions=Conditions(aggregate_output_only=True),
    )
    bench.gateway.memory.advance(timedelta(seconds=5))
    with pytest.raises(DeniedOnLedger) as caught:
        bench.deliver(bench.attempt())
    assert "OUTPUT_NOT_AGGREGATE" in [reason.code for reason in caught.value.decision.reasons]
    freeze(bench)
    assert aggregates(bench, bench.attempt(output="aggregate"))["groups"]


def test_what_cannot_be_recorded_is_not_given_out(bench):
    freeze(bench)
    attempt = bench.attempt(output="aggregate")
    bench.service.transactions.submit("access:decide", attempt)
    bench.gateway.failures["endorse"] = [UNREACHABLE]
    assert refusal(lambda: aggregates(bench, attempt)) == "NOT_RECORDED"


def test_aggregates_whose_recording_was_lost_from_sight_are_recorded_the_same(bench):
    freeze(bench)
    attempt = bench.attempt(output="aggregate")
    bench.service.transactions.submit("access:decide", attempt)
    bench.gateway.failures["endorse"] = [UNREACHABLE]
    assert refusal(lambda: aggregates(bench, attempt)) == "NOT_RECORDED"
    bench.gate._recorder.record_noted(bench.gate._parts.journal.deliveries()[0])
    (record,) = records(bench, attempt)
    secret = bench.steward.datasets.secret("cells").secret
    assert record.content_digest == hmac_digest(
        secret, json.dumps(bench.places.store().frozen(bench.version.version_id)).encode()
    )
    assert record.byte_count > 0
