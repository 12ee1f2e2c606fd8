"""Closed epochs on a story's chain, as a custodian's service and the contract would make them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine
from support.story import NORTHGATE, Story, instant

from consentry.epoch_closing import EpochCloser
from consentry.index import IndexFollower
from consentry.verification import memory_source
from consentry_records import ClosedEpoch, NewClosedEpoch, keys


class Ledgered:
    """`Transactions` that commit closed epochs to a story's chain, as the contract would."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.submitted: list[NewClosedEpoch] = []
        self.refusals: list[Exception] = []

    def submit(self, function: str, epoch: NewClosedEpoch) -> None:
        assert function == "epochs:close"
        self.submitted.append(epoch)
        if self.refusals:
            raise self.refusals.pop(0)
        commit(self.story, epoch)


def commit(story: Story, epoch: NewClosedEpoch, custodian: str = NORTHGATE, **changed: Any) -> int:
    fields = {name: getattr(epoch, name) for name in NewClosedEpoch.__slots__} | changed
    made = ClosedEpoch(**fields, custodian=custodian, closed_at=instant(20))
    return story.put({keys.closed_epoch(custodian, made.number): made}, by=story.service)


def index(story: Story, engine: Engine) -> None:
    follower = IndexFollower(engine, "consentry", story.chain.anchor)
    follower.follow(memory_source("peer", story.chain.blocks))


def closer(story: Story, engine: Engine, ledger: Any = None) -> EpochCloser:
    return EpochCloser(
        ledger or Ledgered(story),
        NORTHGATE,
        engine,
        lambda: index(story, engine),
        lambda: datetime(2026, 2, 1, tzinfo=UTC),
    )
