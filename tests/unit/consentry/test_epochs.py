"""Closed epochs: the service commits what the blocks give, once; every member finds what they do not give."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from support.epochs import Ledgered, closer, commit, index
from support.ledger_gateway import LedgerGateway
from support.story import LAKESIDE, NORTHGATE, RIVERSIDE, SUBJECT, Story, consent, identifier, instant, tell

from consentry.errors import LedgerRefused
from consentry.index import IndexFault, Trail, open_database
from consentry.index.epochs import bucket_heads, closed_epochs, followed, stored_roots
from consentry.index.schema import chain_entries, changes, records
from consentry_records import ClosedEpoch, NewClosedEpoch, keys
from consentry_records.chains import HeadProof, bucket_of
from fabric_gateway.failures import StatusFailure


@pytest.fixture
def story() -> Story:
    return tell()


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = open_database("sqlite://")
    yield made
    made.dispose()


def test_the_service_closes_what_was_written_once_and_every_member_finds_it_right(
    story: Story, engine: Engine
) -> None:
    service = closer(story, engine)
    first = service.close()
    assert first is not None
    assert (first.number, first.first_block, first.last_block) == (1, 0, len(story.chain.blocks) - 2)
    assert service.close() is None
    story.put({keys.consent(identifier("consent", 9)): consent(9)})
    second = service.close()
    assert second is not None
    assert (second.number, second.first_block) == (2, first.last_block + 1)
    assert second.root != first.root
    assert (service.close(), Trail(engine).findings()) == (None, [])
    other = open_database("sqlite://")
    index(story, other)
    with other.connect() as connection:
        assert followed(connection, NORTHGATE).last_block == second.last_block
        assert [row.body["number"] for row in closed_epochs(connection, NORTHGATE)] == [1, 2]
    other.dispose()


def test_a_chain_is_proved_under_the_last_root(story: Story, engine: Engine) -> None:
    service = closer(story, engine)
    epoch = service.close()
    assert epoch is not None
    index(story, engine)
    root = bytes.fromhex(epoch.root.removeprefix("sha256:"))
    with engine.connect() as connection:
        roots = stored_roots(connection, NORTHGATE)
        names = set(connection.scalars(chain_entries.select().with_only_columns(chain_entries.c.chain)))
        assert names == {f"subject/{SUBJECT}", f"dataset/{identifier('dataset', 1)}"} | {
            name for name in names if name.startswith("subject/")
        }
        assert len(names) == epoch.chain_count
        for name in names:
            heads = bucket_heads(connection, NORTHGATE, bucket_of(name))
            proof = HeadProof.of(name, heads, roots)
            assert proof.holds(name, heads[name], root)
            assert not proof.holds(name, bytes(32), root)
            assert not proof.holds(name, heads[name], bytes(32))
            assert not proof.holds("subject/other", heads[name], root)


def test_after_a_kill_between_submit_and_answer_it_goes_on(story: Story, engine: Engine) -> None:
    ledger = Ledgered(story)
    service = closer(story, engine, ledger)
    assert service.close() is not None
    again = open_database("sqlite://")
    assert closer(story, again, ledger).close() is None
    again.dispose()
    assert len(ledger.submitted) == 1


def test_a_faster_run_is_no_failure_and_any_other_refusal_is(story: Story, engine: Engine) -> None:
    ledger = Ledgered(story)
    ledger.refusals = [LedgerRefused("EPOCH_CLOSED", "closed"), LedgerRefused("ROLE_REQUIRED", "no")]
    service = closer(story, engine, ledger)
    assert service.close() is None
    with pytest.raises(LedgerRefused, match="ROLE_REQUIRED"):
        service.close()


def test_young_writes_wait(story: Story, engine: Engine) -> None:
    assert closer(story, engine).close(timedelta(days=3650)) is None
    assert closer(story, engine).close(timedelta(hours=1)) is not None


def test_it_serves_until_it_is_stopped(story: Story, engine: Engine) -> None:
    ledger, stop = Ledgered(story), threading.Event()
    ledger.refusals = [LedgerRefused("INTERNAL_ERROR", "again")]

    def submit(function: str, epoch: NewClosedEpoch) -> None:
        stopping = len(ledger.submitted) == 1
        Ledgered.submit(ledger, function, epoch)
        if stopping:
            stop.set()

    ledger.submit = submit  # type: ignore[method-assign]
    closer(story, engine, ledger).run(stop, timedelta(milliseconds=1))
    assert [epoch.number for epoch in ledger.submitted] == [1, 1]


WRONG: list[dict[str, Any]] = [
    {"root": "sha256:" + "0" * 64},
    {"chain_count": 1},
    {"header_hash": "0" * 64},
    {"first_block": 1},
    {"number": 2},
    {"last_block": 10_000},
]


@pytest.mark.parametrize("changed", WRONG, ids=lambda changed: next(iter(changed)))
def test_a_wrong_epoch_is_found_by_every_member_and_nothing_rests_on_it(
    story: Story, engine: Engine, changed: dict[str, Any]
) -> None:
    ledger = Ledgered(story)
    ledger.submit = lambda _function, epoch: commit(story, epoch, **changed)  # type: ignore[method-assign,assignment]
    closer(story, engine, ledger).close()
    index(story, engine)
    (finding,) = Trail(engine).findings()
    assert finding.code == "EPOCH_WRONG"
    with engine.connect() as connection:
        assert followed(connection, NORTHGATE).number == 0
    with pytest.raises(IndexFault, match="EPOCH_WRONG"):
        closer(story, engine).close()


def test_an_epoch_that_leaves_a_write_out_is_found(story: Story, engine: Engine) -> None:
    closed = closer(story, engine)
    index(story, engine)
    with engine.begin() as connection:
        gone = connection.execute(chain_entries.select().limit(1)).one()
        connection.execute(chain_entries.delete().where(chain_entries.c.record_id == gone.record_id))
    assert closed.close() is not None
    honest = open_database("sqlite://")
    index(story, honest)
    assert [finding.code for finding in Trail(honest).findings()] == ["EPOCH_WRONG"]
    honest.dispose()


def test_an_epoch_that_its_custodian_did_not_sign_counts_for_nothing(story: Story, engine: Engine) -> None:
    index(story, engine)
    forged = ClosedEpoch(
        number=1,
        first_block=0,
        last_block=1,
        header_hash="0" * 64,
        chain_count=0,
        root="sha256:" + "0" * 64,
        custodian=LAKESIDE,
        closed_at=instant(20),
    )
    story.put({keys.closed_epoch(LAKESIDE, 1): forged}, endorsers=(NORTHGATE, RIVERSIDE, "RegulatorMSP"))
    index(story, engine)
    assert [finding.code for finding in Trail(engine).findings()] == ["FORGED"]
    with engine.connect() as connection:
        assert closed_epochs(connection, LAKESIDE) == []


def test_every_value_ever_written_is_kept_with_its_write(story: Story, engine: Engine) -> None:
    index(story, engine)
    with engine.connect() as connection:
        written = connection.execute(changes.select().where(changes.c.kind == "consent")).all()
        standing = {row.record_id: row for row in connection.execute(records.select())}
    for row in written:
        last = standing[row.record_id]
        is_standing = (last.block, last.position) == (row.block, row.position)
        assert (row.value is None) == is_standing
    assert any(row.value is not None and b'"given"' in row.value for row in written)


def test_the_contract_and_the_service_agree(gateway: LedgerGateway, ledger_of: Any) -> None:
    service = ledger_of(NORTHGATE, "service")
    epoch = NewClosedEpoch(
        number=1, first_block=0, last_block=3, header_hash="0" * 64, chain_count=0, root="sha256:" + "0" * 64
    )
    gateway.failures["submit"] = [StatusFailure("DEADLINE_EXCEEDED", "slow")]
    service.transactions.submit("epochs:close", epoch)
    assert service.transactions.evaluate("epochs:get", NORTHGATE, "1")["root"] == epoch.root
    with pytest.raises(LedgerRefused, match="EPOCH_CLOSED"):
        service.transactions.submit("epochs:close", epoch)
