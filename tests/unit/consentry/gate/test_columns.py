"""Only the columns of the attempt leave, only those of the grant can be had, and what came is on record."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from support.consent_frames import RESEARCH
from support.gate_bench import COUNT, PEOPLE, GateBench, all_bytes
from support.ledger_examples import identifier

from consentry.errors import ConsentryError, InputRejected
from consentry.gate import row_blocks
from consentry.gate.arrival import DataAltered
from consentry.gate.journal import Journal, NotedDelivery, NotedPiece
from consentry.gate.permits import DeniedOnLedger
from consentry.gate.projection import chosen_columns, value_key
from consentry.request_signatures import RequestRefused
from consentry_records.conditions import Conditions
from consentry_records.delivery import Delivery

SCHEMA = [["radius", "number"], ["grade", "text"], ["größe", "number"]]


def records(bench: GateBench, attempt_id: str) -> list[Delivery]:
    found = bench.researcher.transactions.evaluate("deliveries:of_attempt", attempt_id)
    return [Delivery.from_dict(one) for one in found]


def bounded(bench: GateBench, **conditions: object) -> None:
    """Put a grant with these conditions in place of the one for everything."""
    bench.steward.grants.revoke(bench.grant.grant_id)
    terms = {"purposes": [RESEARCH], "duration": timedelta(days=1)}
    request = bench.researcher.grants.request([bench.version.version_id], **terms)
    bench.steward.grants.grant(
        request.request_id,
        versions=[bench.version.version_id],
        conditions=Conditions(**conditions),
        **terms,
    )
    bench.gateway.memory.advance(timedelta(seconds=5))


def test_the_attempts_columns_leave_alone_and_are_proved(bench: GateBench, frame: pd.DataFrame) -> None:
    bench.steward.consents.withdraw(pseudonym=PEOPLE[3])
    attempt = bench.attempt(columns=["grade"])
    delivery = bench.deliver(attempt)
    data = all_bytes(delivery)
    record, _ = bench.gate.finish(delivery, "completed")
    came, arrival, _ = bench.receive(data, columns=["grade"])
    expected = frame.drop(index=3)[["grade"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(came, expected, check_dtype=False)
    arrival.check_end(record)
    assert arrival.is_whole
    assert dict(record.left_out) == {"ended": 1}
    assert record.delivered_root == records(bench, attempt)[0].delivered_root


def test_the_datasets_secret_does_not_leave_with_a_part_of_the_columns(bench: GateBench) -> None:
    attempt = bench.attempt(columns=["grade"])
    data = all_bytes(bench.deliver(attempt))
    _, arrival, _ = bench.receive(data, columns=["grade"])
    secret = bench.steward.datasets.secret("cells").secret
    assert secret.hex().encode() not in data
    assert secret not in data
    assert arrival.head.key == value_key(secret, attempt) != value_key(secret, bench.attempt())
    other = all_bytes(bench.deliver(bench.attempt(columns=["grade", "radius"])))
    assert secret.hex().encode() in other, "all columns leave: rows are proved by the registered digests"


@pytest.mark.parametrize("column", ["pseudonym", "../radius", "Radius"])
def test_a_column_that_the_version_lacks_takes_no_use(bench: GateBench, column: str) -> None:
    attempt = bench.attempt(columns=["radius", column])
    with pytest.raises(RequestRefused) as caught:
        bench.deliver(attempt)
    assert caught.value.code == "COLUMN_UNKNOWN"
    assert bench.researcher.access.get(attempt).decision is None


@pytest.mark.parametrize("column", ["consentry.leaf", "a\nb", "", "x" * 129])
def test_hostile_names_reach_no_ledger(bench: GateBench, column: str) -> None:
    with pytest.raises(InputRejected) as caught:
        bench.attempt(columns=[column])
    assert caught.value.code == "FIELD_INVALID"


def test_a_grant_for_some_columns_gives_these_alone(bench: GateBench) -> None:
    bounded(bench, columns=("grade",), data_categories=("imaging",))
    for columns, code in (((), "COLUMNS_NOT_NAMED"), (("grade", "radius"), "COLUMN_NOT_COVERED")):
        with pytest.raises(DeniedOnLedger) as caught:
            bench.deliver(bench.attempt(columns=columns))
        assert code in [reason.code for reason in caught.value.decision.reasons]
    came, _, _ = bench.receive(all_bytes(bench.deliver(bench.attempt(columns=["grade"]))), columns=["grade"])
    assert list(came.columns) == ["grade"]


def test_a_grant_for_other_categories_gives_nothing(bench: GateBench) -> None:
    bounded(bench, data_categories=("genomics",))
    with pytest.raises(DeniedOnLedger) as caught:
        bench.deliver(bench.attempt())
    assert "CATEGORY_NOT_COVERED" in [reason.code for reason in caught.value.decision.reasons]


def test_a_value_that_was_altered_on_the_way_is_found_at_the_end(bench: GateBench) -> None:
    delivery = bench.deliver(bench.attempt(columns=["grade"]))
    data = all_bytes(delivery)
    record, _ = bench.gate.finish(delivery, "completed")
    _, arrival, _ = bench.receive(data.replace(b"low", b"hig", 1), columns=["grade"])
    with pytest.raises(DataAltered) as caught:
        arrival.check_end(record)
    assert caught.value.code == "DELIVERY_DIFFERS"


@pytest.mark.parametrize("columns", [(), ("radius",), ("grade", "other")])
def test_other_columns_than_asked_for_are_not_used(bench: GateBench, columns: tuple[str, ...]) -> None:
    data = all_bytes(bench.deliver(bench.attempt(columns=["grade"])))
    with pytest.raises(DataAltered):
        bench.receive(data, columns=columns)


def test_a_whole_stream_that_lacks_a_column_is_not_used(bench: GateBench, monkeypatch) -> None:
    monkeypatch.setattr("consentry.gate.service.chosen_columns", lambda _schema, _attempted: ["grade"])
    data = all_bytes(bench.deliver(bench.attempt()))
    with pytest.raises(DataAltered):
        bench.receive(data)


def test_a_killed_gate_records_the_values_that_had_left(bench: GateBench) -> None:
    attempt = bench.attempt(columns=["radius"])
    delivery = bench.deliver(attempt)
    all_bytes(delivery, blocks=3)
    bench.gate.close()
    again = bench.open_gate()
    (noted,) = again._parts.journal.deliveries()
    assert noted.is_part
    again._recorder.record_noted(replace(noted, end="gate-restarted"))
    (record,) = records(bench, attempt)
    assert (record.row_count, record.delivered_root, record.content_digest) == delivery.tally.content()


def test_an_auditor_who_has_the_rows_can_hold_the_custodian_to_the_values(
    bench: GateBench, frame: pd.DataFrame
) -> None:
    attempt = bench.attempt(columns=["grade"])
    delivery = bench.deliver(attempt)
    all_bytes(delivery)
    record, _ = bench.gate.finish(delivery, "completed")
    key = value_key(bench.steward.datasets.secret("cells").secret, attempt)
    batch = row_blocks.pa.RecordBatch.from_pandas(frame[["grade"]], preserve_index=False)
    digests = row_blocks.row_digests(key, batch, [["grade", "text"]])
    expected = type(delivery.tally)(key)
    expected.add(b"".join(digests), [b""] * COUNT, "-" * COUNT, 0)
    assert record.content_digest == expected.content()[2]


def test_columns_keep_the_schemas_order() -> None:
    assert chosen_columns(SCHEMA, ["größe", "radius"]) == ["radius", "größe"]
    assert chosen_columns(SCHEMA, []) == ["radius", "grade", "größe"]
    with pytest.raises(ConsentryError):
        chosen_columns(SCHEMA, ["gro\u0308ße"])


FIRST_FORM = (
    "CREATE TABLE deliveries (attempt_id TEXT NOT NULL, number INTEGER NOT NULL, version_id TEXT NOT NULL, "
    "first_block INTEGER NOT NULL, first_row INTEGER NOT NULL, started_at TEXT NOT NULL, end TEXT, "
    "ended_at TEXT, PRIMARY KEY (attempt_id, number))",
    "CREATE TABLE blocks (attempt_id TEXT NOT NULL, number INTEGER NOT NULL, block INTEGER NOT NULL, "
    "reasons TEXT NOT NULL, bytes INTEGER NOT NULL, at TEXT NOT NULL, "
    "PRIMARY KEY (attempt_id, number, block))",
)


def test_what_waits_in_a_journal_of_the_first_form_is_carried_on(tmp_path: Path) -> None:
    attempt, version, at = identifier("attempt"), identifier("version"), "2026-01-01T00:00:00.000Z"
    path = tmp_path / "custody" / "journal.sqlite"
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    with sqlite3.connect(path) as file:
        for statement in FIRST_FORM:
            file.execute(statement)
        file.execute("INSERT INTO deliveries VALUES (?, 1, ?, 2, 16, ?, NULL, NULL)", (attempt, version, at))
        file.execute("INSERT INTO blocks VALUES (?, 1, 2, '-n', 10, ?)", (attempt, at))
    file.close()
    for _ in range(2):
        journal = Journal(path)
        assert journal.deliveries() == [NotedDelivery(attempt, 1, version, 16, at, None, None)]
        assert journal.pieces(attempt, 1) == [NotedPiece(2, "-n", 10, at)]
        journal.close()
    journal = Journal(path)
    noted = NotedDelivery(attempt, 2, version, 18, at, None, None, is_part=True)
    journal.begin(noted)
    journal.note(attempt, 2, NotedPiece(18, "--", 10, at, b"a" * 64))
    assert journal.deliveries(attempt)[1] == noted
    assert journal.pieces(attempt, 2)[0].values == b"a" * 64
    journal.close()
