"""The engines on which a suite runs: both where Fabric's binaries are found, or the one that is asked for.

`make test ENGINE=fabric` and `make test ENGINE=embedded` ask for one.
"""

from __future__ import annotations

import os

import pytest

VARIABLE = "CONSENTRY_ENGINE"
_ALL = {
    "embedded": pytest.param("embedded"),
    "fabric": pytest.param(
        "fabric", marks=[pytest.mark.optional_tool("fabric-binaries"), pytest.mark.timeout(600)]
    ),
}


def engine_parameters() -> list[object]:
    """What to parametrize a session's network with."""
    wanted = os.environ.get(VARIABLE)
    if wanted and wanted not in _ALL:
        raise pytest.UsageError(f"{VARIABLE}={wanted}: there are {', '.join(_ALL)}")
    return [_ALL[wanted]] if wanted else list(_ALL.values())
