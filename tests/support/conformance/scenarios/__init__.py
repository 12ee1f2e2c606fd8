"""The one list of scenarios. Each is a function that plays on a bench; its name is the scenario's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from support.conformance.bench import Bench
from support.conformance.scenarios import (
    authority_requests,
    calls,
    channel,
    config_updates,
    discovering,
    gateway_requests,
    lifecycle,
    operating,
    orders,
    people,
    private,
    proposals,
    refusals,
    seeking,
    state,
    system_arguments,
)

Scenario = Callable[[Bench], None]

SCENARIOS: Mapping[str, Scenario] = {
    scenario.__name__: scenario
    for module in (
        state,
        private,
        calls,
        channel,
        refusals,
        people,
        lifecycle,
        seeking,
        proposals,
        gateway_requests,
        system_arguments,
        discovering,
        operating,
        authority_requests,
        config_updates,
        orders,
    )
    for scenario in module.SCENARIOS
}
