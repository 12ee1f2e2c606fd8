"""The one list of scenarios. Each is a function that plays on a bench; its name is the scenario's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from support.conformance.bench import Bench
from support.conformance.scenarios import calls, channel, lifecycle, people, private, refusals, state

Scenario = Callable[[Bench], None]

SCENARIOS: Mapping[str, Scenario] = {
    scenario.__name__: scenario
    for module in (state, private, calls, channel, refusals, people, lifecycle)
    for scenario in module.SCENARIOS
}
