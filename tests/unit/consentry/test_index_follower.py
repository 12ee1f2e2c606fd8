"""The follower: verified first, then written whole or not at all; nothing twice, nothing forged honoured."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from support.chain_members import REGULATOR
from support.chains import Chain
from support.story import (
    DIGEST,
    LAKESIDE,
    NORTHGATE,
    RIVERSIDE,
    Story,
    attempt,
    consent,
    denial,
    grant,
    identifier,
    instant,
    permit,
    tell,
    version,
)

from consentry.index import (
    BlockRefused,
    IndexFault,
    IndexFollower,
    IndexProgress,
    Trail,
    TransactionFilter,
    open_database,
)
from consentry.index.lag import Lag
from consentry.index.schema import metadata
from consentry.index.store import BlockWriter
from consentry.verification import VerificationError, memory_source
from consentry_records import keys
from consentry_records.dataset import Retirement
from consentry_records.reasons import Reason
from fabric_protocol.blocks import set_flags

STORY = tell()
OTHERS = (LAKESIDE, REGULATOR, RIVERSIDE)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    yield opened
    opened.dispose()


def follow(engine: Engine, chain: Chain, anchor: str | None = None) -> IndexProgress:
    return IndexFollower(engine, "consentry", anchor).follow(memory_source("peer", chain.blocks))


def contents(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def test_the_story_is_indexed_with_nothing_to_object_to(engine: Engine) -> None:
    done = follow(engine, STORY.chain, STORY.chain.anchor)
    assert (done.next_block, done.transactions) == (len(STORY.chain.blocks), len(STORY.chain.blocks))
    trail = Trail(engine)
    status = trail.status()
    assert (status.channel, status.last_block, status.anchored) == ("consentry", done.next_block - 1, True)
    assert status.genesis_hash == STORY.chain.anchor
    assert status.codes == {"VALID": done.transactions}
    assert trail.findings() == []


def test_the_index_file_is_its_owners_only(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'new.sqlite'}")
    follow(opened, STORY.chain)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("new.sqlite*")} == {0o600}
    opened.dispose()


def test_followed_in_any_steps_the_contents_are_the_same(engine: Engine) -> None:
    follow(engine, STORY.chain)
    expected = contents(engine)
    for size in (1, 3, 5):
        other = open_database("sqlite://")
        for height in range(1, len(STORY.chain.blocks) + 1, size):
            IndexFollower(other, "consentry").follow(
                memory_source("peer", STORY.chain.blocks[:height]), blocks_a_transaction=size
            )
        IndexFollower(other, "consentry").follow(memory_source("peer", STORY.chain.blocks))
        assert contents(other) == expected
        other.dispose()


def test_an_index_that_is_up_to_date_stays_as_it_is(engine: Engine) -> None:
    follow(engine, STORY.chain)
    before = contents(engine)
    assert follow(engine, STORY.chain) == IndexProgress(len(STORY.chain.blocks), 0)
    assert contents(engine) == before


@pytest.mark.parametrize("writes", range(0, len(STORY.chain.blocks), 3))
def test_broken_off_at_any_block_nothing_is_lost_or_doubled(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    original, left = BlockWriter.write, [writes]

    def break_off(self: BlockWriter, *arguments: Any) -> None:
        original(self, *arguments)
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    source = memory_source("peer", STORY.chain.blocks)
    with monkeypatch.context() as patch:
        patch.setattr(BlockWriter, "write", break_off)
        with pytest.raises(KeyboardInterrupt):
            IndexFollower(engine, "consentry").follow(source, blocks_a_transaction=2)
    assert IndexFollower(engine, "consentry").next_block == writes // 2 * 2
    follow(engine, STORY.chain)
    whole = open_database("sqlite://")
    follow(whole, STORY.chain)
    assert contents(engine) == contents(whole)
    whole.dispose()


def test_a_block_that_does_not_hold_is_not_indexed_and_those_before_it_are(engine: Engine) -> None:
    blocks = list(STORY.chain.blocks)
    broken = bytearray(blocks[5])
    broken[len(broken) // 2] ^= 1
    blocks[5] = bytes(broken)
    with pytest.raises(BlockRefused) as caught:
        IndexFollower(engine, "consentry").follow(memory_source("peer", blocks))
    assert caught.value.difference.block == 5
    assert str(caught.value) == (
        "BLOCK_REFUSED: peer: Block 5: the stored transactions are not those of its header (data hash). "
        "The index stays before block 5."
    )
    assert Trail(engine).status().last_block == 4
    assert follow(engine, STORY.chain).next_block == len(STORY.chain.blocks)


def test_an_anchor_given_later_is_compared_with_what_is_indexed(engine: Engine) -> None:
    chain = Chain()
    follow(engine, chain)
    assert not Trail(engine).status().anchored
    chain.write({"x": b"1"})
    with pytest.raises(VerificationError, match="ANCHOR_MISMATCH"):
        follow(engine, chain, STORY.chain.anchor)
    follow(engine, chain, chain.anchor)
    assert Trail(engine).status().anchored


def test_another_channel_is_refused_at_its_first_block(engine: Engine) -> None:
    with pytest.raises(BlockRefused) as caught:
        follow(engine, Chain(), STORY.chain.anchor)
    assert caught.value.difference.kind == "ANCHOR"
    with pytest.raises(IndexFault, match="INDEX_EMPTY"):
        Trail(engine).status()


def test_invalid_transactions_are_part_of_the_trail(engine: Engine) -> None:
    story = Story()
    weak = story.envelope(
        {keys.consent(identifier("consent", 1)): consent(1).to_bytes()}, endorsers=(NORTHGATE,)
    )
    story.chain.commit([weak, b"\x0a\x01x\x12\x01y"])
    follow(engine, story.chain)
    trail = Trail(engine)
    found = trail.transactions(TransactionFilter(invalid_only=True)).items
    assert [(row.position, row.code_name, row.creator) for row in found] == [
        (0, "ENDORSEMENT_POLICY_FAILURE", "steward-1"),
        (1, "BAD_PAYLOAD", ""),
    ]
    assert trail.record("consent", identifier("consent", 1)) is None


def test_a_record_without_its_custodians_endorsement_is_forged_and_not_honoured(engine: Engine) -> None:
    story = Story()
    forger = story.chain.organizations[LAKESIDE].user("forger", "steward")
    story.put({keys.grant(identifier("grant", 7)): grant(7)}, by=forger, endorsers=OTHERS)
    follow(engine, story.chain)
    trail = Trail(engine)
    row = trail.record("grant", identifier("grant", 7))
    assert row is not None
    assert not row.honoured
    (finding,) = trail.findings()
    assert (finding.code, finding.block) == ("FORGED", 2)
    assert finding.sentence == (
        f"The grant {identifier('grant', 7)} was written without the endorsement of NorthgateMSP: forged."
    )


def test_a_forged_change_leaves_the_record_as_its_custodian_made_it(engine: Engine) -> None:
    story = Story()
    key = keys.consent(identifier("consent", 1))
    story.put({key: consent(1, state="withdrawn", withdrawn_at=instant(3))})
    story.put({key: consent(1)}, endorsers=OTHERS)
    # A forger who names itself as custodian is no more the custodian than before.
    story.put({key: consent(1, custodian=LAKESIDE)}, endorsers=OTHERS)
    follow(engine, story.chain)
    trail = Trail(engine)
    row = trail.record("consent", identifier("consent", 1))
    assert row is not None
    assert (row.state, row.owner, row.honoured) == ("withdrawn", NORTHGATE, True)
    assert [finding.code for finding in trail.findings()] == ["FORGED", "FORGED"]
    assert [change.honoured for change in trail.history("consent", row.record_id)] == [True, False, False]


def test_the_custodian_takes_a_forged_record_over_by_writing_it(engine: Engine) -> None:
    story = Story()
    key = keys.consent(identifier("consent", 1))
    story.put({key: consent(1)}, endorsers=OTHERS)
    story.put({key: consent(1, state="withdrawn", withdrawn_at=instant(3))})
    follow(engine, story.chain)
    row = Trail(engine).record("consent", identifier("consent", 1))
    assert row is not None
    assert (row.state, row.honoured) == ("withdrawn", True)


def test_a_named_endorser_whose_signature_does_not_hold_proves_nothing(engine: Engine) -> None:
    from fabric_protos.common import common_pb2
    from fabric_protos.peer import transaction_pb2

    story = Story()
    key = keys.consent(identifier("consent", 1))
    data = story.envelope({key: consent(1).to_bytes()}, endorsers=(*OTHERS, NORTHGATE))
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(data).payload)
    transaction = transaction_pb2.Transaction.FromString(payload.data)
    action = transaction_pb2.ChaincodeActionPayload.FromString(transaction.actions[0].payload)
    endorsements = action.action.endorsements
    endorsements[3].signature = endorsements[0].signature
    transaction.actions[0].payload = action.SerializeToString()
    payload.data = transaction.SerializeToString()
    content = payload.SerializeToString()
    signed = common_pb2.Envelope(payload=content, signature=story.steward.sign(content))
    story.chain.commit([signed.SerializeToString()])
    follow(engine, story.chain)
    trail = Trail(engine)
    assert trail.status().codes == {"VALID": 3}
    assert trail.transactions().items[-1].endorsers == "LakesideMSP,NorthgateMSP,RegulatorMSP,RiversideMSP"
    assert [finding.code for finding in trail.findings()] == ["FORGED"]


def test_a_decision_is_what_it_first_was(engine: Engine) -> None:
    story = Story()
    no_role = Reason(code="ROLE_MISSING", parameters={"role": "researcher"})
    story.put({keys.attempt(identifier("attempt", 1)): attempt(1)}, by=story.researcher)
    story.put({keys.decision(identifier("attempt", 1)): denial(1, no_role)}, by=story.service)
    story.put({keys.decision(identifier("attempt", 1)): permit(1)}, by=story.service)
    follow(engine, story.chain)
    trail = Trail(engine)
    (access,) = trail.accesses().items
    assert access.outcome == "deny"
    assert [finding.code for finding in trail.findings()] == ["REWRITTEN"]


def test_an_attempt_and_a_version_are_what_they_first_were(engine: Engine) -> None:
    story = Story()
    other = attempt(1, requester="somebody-else")
    for made in (attempt(1), other):
        story.put({keys.attempt(made.attempt_id): made}, by=story.researcher)
    for data in (version(1), version(1, row_count=3)):
        story.put({keys.version(data.version_id): data})
    follow(engine, story.chain)
    trail = Trail(engine)
    assert [access.requester for access in trail.accesses().items] == ["researcher-1"]
    kept = trail.record("version", identifier("version", 1))
    assert kept is not None
    assert (kept.body["row_count"], kept.honoured) == (2, True)
    assert [finding.code for finding in trail.findings()] == ["REWRITTEN", "REWRITTEN"]


def test_a_decision_by_somebody_else_leaves_the_attempt_open(engine: Engine) -> None:
    story = Story()
    story.put({keys.attempt(identifier("attempt", 1)): attempt(1)}, by=story.researcher)
    theirs = permit(1, custodian=LAKESIDE)
    story.put({keys.decision(identifier("attempt", 1)): theirs}, endorsers=OTHERS)
    follow(engine, story.chain)
    (access,) = Trail(engine).accesses().items
    assert (access.outcome, access.decided_at, access.decision_block) == ("open", "", None)


@pytest.mark.parametrize("value", [b"not json", b"[]", b"{}", consent(2).to_bytes(), b"\xff\xfe"])
def test_what_is_no_record_of_its_key_is_reported(engine: Engine, value: bytes) -> None:
    story = Story()
    story.chain.commit([story.envelope({keys.consent(identifier("consent", 1)): value})])
    follow(engine, story.chain)
    codes = {finding.code for finding in Trail(engine).findings()}
    assert "UNREADABLE" in codes


def test_a_deleted_record_stays_in_the_trail_as_deleted(engine: Engine) -> None:
    story = Story()
    key = keys.consent(identifier("consent", 1))
    story.put({key: consent(1)})
    story.chain.commit([story.envelope({key: b""})])
    follow(engine, story.chain)
    trail = Trail(engine)
    row = trail.record("consent", identifier("consent", 1))
    assert row is not None
    assert (row.state, row.body) == ("deleted", {})
    assert [change.state for change in trail.history("consent", row.record_id)] == ["given", "deleted"]


def test_keys_that_are_no_records_are_left_alone(engine: Engine) -> None:
    story = Story()
    story.chain.write({"epoch/NorthgateMSP": b"tx", "batch/x": b"{}", "other": DIGEST.encode()})
    follow(engine, story.chain)
    assert Trail(engine).findings() == []


def test_copies_of_other_organizations_have_to_say_the_same(engine: Engine) -> None:
    blocks = STORY.chain.blocks
    others = [memory_source("Riverside", blocks), memory_source("Lakeside", [*blocks])]
    done = IndexFollower(engine, "consentry").follow(memory_source("Northgate", blocks), others=others)
    assert done.next_block == len(blocks)


def _with_flags_of_its_own(number: int) -> list[bytes]:
    block = STORY.chain.block(number)
    set_flags(block, bytes([11]))
    blocks = list(STORY.chain.blocks)
    blocks[number] = block.SerializeToString(deterministic=True)
    return blocks


@pytest.mark.parametrize(
    ("lying", "kind", "block"),
    [
        (_with_flags_of_its_own(4), "FLAGS", 4),
        (STORY.chain.blocks[:6], "ENDS_EARLY", 6),
        ([*STORY.chain.blocks[:3], *STORY.chain.blocks[4:]], "BLOCK_NUMBER", 3),
        (Chain().blocks, "FORK", 0),
    ],
)
def test_a_copy_that_says_something_else_is_named(
    engine: Engine, lying: list[bytes], kind: str, block: int
) -> None:
    source = memory_source("Northgate", STORY.chain.blocks)
    with pytest.raises(BlockRefused) as caught:
        IndexFollower(engine, "consentry").follow(source, others=[memory_source("Riverside", lying)])
    difference = caught.value.difference
    assert (difference.source, difference.kind, difference.block) == ("Riverside", kind, block)
    assert IndexFollower(engine, "consentry").next_block == block


def test_a_version_is_retired_and_otherwise_stays(engine: Engine) -> None:
    story = Story()
    key = keys.version(identifier("version", 1))
    retirement = Retirement(reason="withdrawals", retired_at=instant(9), retired_by="steward-1")
    story.put({key: version(1)})
    story.put({key: version(1, state="retired", retirement=retirement)})
    follow(engine, story.chain)
    trail = Trail(engine)
    kept = trail.record("version", identifier("version", 1))
    assert kept is not None
    assert (kept.state, kept.honoured) == ("retired", True)
    assert trail.findings() == []


def test_the_lag_is_told_without_asking_the_peer_for_every_block() -> None:
    now, newest, asked = [0.0], [10], []

    def ask() -> int:
        asked.append(now[0])
        return newest[0]

    lag = Lag(ask, lambda: now[0])
    assert [lag.behind(block) for block in (2, 3, 4)] == [8, 7, 6]
    assert asked == [0.0]
    newest[0], now[0] = 20, 1.5
    assert lag.sentence(5) == "block 5, 15 behind"
    assert lag.sentence(20) == "block 20, up to date"
    newest[0] = 19
    # Another node of the organization may be behind the one that was asked before.
    assert lag.behind(21) == 0
    assert asked == [0.0, 1.5, 1.5, 1.5]
