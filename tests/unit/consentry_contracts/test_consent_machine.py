"""Any sequence of imports, changes, opt-outs, requests and time, on the ledger in memory."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule
from support.consent_machine import ConsentMachine
from support.consortium import Consortium


class InMemory(ConsentMachine):
    """The machine with a new ledger for each run, on which days go by."""

    consortium: Consortium

    async def open_ledger(self) -> Consortium:
        return await Consortium.initialized()

    @rule(days=st.sampled_from([1, 10, 30]))
    def wait(self, days: int) -> None:
        self.consortium.ledger.advance(timedelta(days=days))


InMemory.TestCase.settings = settings(
    max_examples=6, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestConsents = InMemory.TestCase
