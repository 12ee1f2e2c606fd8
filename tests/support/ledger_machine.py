"""A state machine of hypothesis whose rules await a ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine


class LedgerMachine(RuleBasedStateMachine):
    """Runs on a ledger that `open_ledger` gives it; begin with `open`.

    `number` tells the records of one run from those of others on the same ledger.
    """

    number = 1

    async def open_ledger(self) -> Any:
        """The ledger to run on."""
        raise NotImplementedError

    def open(self) -> Any:
        """The ledger, in an event loop that ends with the run."""
        self.runner = asyncio.Runner()
        return self.run(self.open_ledger())

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.close()

    def run(self, call: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await call

        return self.runner.run(awaited())
