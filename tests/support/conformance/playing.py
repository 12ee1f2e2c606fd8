"""Play scenarios on an engine."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from typing import Any

from support.conformance.bench import open_bench
from support.conformance.engines import RunningEngine
from support.conformance.scenarios import SCENARIOS


def play(
    engine: RunningEngine,
    names: Iterable[str] = SCENARIOS,
    before: Callable[[str], None] = lambda _name: None,
) -> dict[str, dict[str, Any]]:
    """What an engine answered, by scenario and label; a scenario that broke has `broken` among its labels.

    Parameters:
        engine: which is up.
        names: of scenarios.
        before: called with a scenario's name before it is played.
    """
    bench = open_bench(engine)
    answers: dict[str, dict[str, Any]] = {}
    try:
        for name in names:
            before(name)
            bench.begin()
            try:
                SCENARIOS[name](bench)
            except Exception:
                bench.observe("broken", traceback.format_exc().splitlines()[-1])
                raise
            finally:
                answers[name] = bench.observed
    finally:
        bench.close()
    return answers
