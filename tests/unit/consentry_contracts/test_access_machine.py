"""Requests, reviews, grants, attempts and decisions in any order, on the ledger in memory."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from support.access_machine import AccessMachine
from support.consortium import Consortium


class InMemory(AccessMachine):
    """The machine with a new ledger for each run."""

    async def open_ledger(self) -> Consortium:
        return await Consortium.initialized()


InMemory.TestCase.settings = settings(
    max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAccessMachine = InMemory.TestCase
