"""The sequences of the state machines that run on the ledger in memory, on the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from support.access_machine import AccessMachine
from support.consent_machine import ConsentMachine
from support.ledger_machine import LedgerMachine
from support.live_consortium import LiveConsortium
from support.running_consortium import running_consortium

_SETTINGS = settings(
    max_examples=5,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A run on a real ledger is not worth minutes of shrinking; the machine in memory finds the short form.
    phases=(Phase.explicit, Phase.generate),
)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveConsortium]:
    with running_consortium(tmp_path_factory.mktemp("machine") / "network") as running:
        consortium = LiveConsortium(running)
        yield consortium
        consortium.close()


@pytest.mark.parametrize("machine", [AccessMachine, ConsentMachine])
def test_the_engine_answers_as_the_model_does(live: LiveConsortium, machine: type[LedgerMachine]) -> None:
    numbers = count(1)

    async def open_ledger(self: LedgerMachine) -> LiveConsortium:
        self.number = next(numbers)
        return live

    # All its runs are on one ledger, each with records and people of its own.
    on_engine = type("OnEngine", (machine,), {"open_ledger": open_ledger})
    run_state_machine_as_test(on_engine, settings=_SETTINGS)
