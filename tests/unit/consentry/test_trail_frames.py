"""Answers of the trail as pandas frames."""

from collections.abc import Iterator

import pandas as pd
import pytest
from support.story import RESEARCH, identifier, instant, tell

from consentry.errors import InputRejected
from consentry.index import AccessFilter, IndexFollower, Trail, TransactionFilter, open_database
from consentry.verification import memory_source


@pytest.fixture(scope="module")
def trail() -> Iterator[Trail]:
    engine = open_database("sqlite://")
    IndexFollower(engine, "consentry").follow(memory_source("peer", tell().chain.blocks))
    yield Trail(engine)
    engine.dispose()


def test_accesses_are_a_frame(trail: Trail) -> None:
    frame = trail.to_frame(AccessFilter(purpose=RESEARCH))
    assert list(frame["outcome"]) == ["permit", "deny", "open"]
    assert frame["decided_at"][0] == pd.Timestamp(instant(5, 1))
    assert frame["decided_at"].isna().tolist() == [False, False, True]
    assert frame["reasons"].tolist() == [[], ["ROLE_MISSING"], []]
    assert frame["decision_block"].isna().tolist() == [False, False, True]
    assert str(frame["attempted_at"].dtype).endswith("UTC]")


def test_transactions_are_a_frame_whole(trail: Trail) -> None:
    frame = trail.to_frame(TransactionFilter())
    assert frame["block"].tolist() == list(range(len(frame)))
    assert frame["endorsers"].map(type).eq(list).all()


def test_records_of_a_kind_are_a_frame_with_their_fields_and_place(trail: Trail) -> None:
    frame = trail.to_frame("grant")
    row = frame.iloc[0]
    assert (row["grant_id"], row["purposes"], row["honoured"]) == (identifier("grant", 1), [RESEARCH], True)
    assert row["not_after"] == pd.Timestamp(instant(14))
    assert list(frame.columns).count("block") == 1


@pytest.mark.parametrize("wanted", [AccessFilter(dataset="other"), TransactionFilter(creator="x"), "breach"])
def test_a_frame_of_nothing_has_its_columns(
    trail: Trail, wanted: AccessFilter | TransactionFilter | str
) -> None:
    frame = trail.to_frame(wanted)
    assert frame.empty
    assert len(frame.columns) > 5


def test_an_unknown_kind_is_refused(trail: Trail) -> None:
    with pytest.raises(InputRejected, match=r"KIND_UNKNOWN: .*consent"):
        trail.to_frame("patient")
