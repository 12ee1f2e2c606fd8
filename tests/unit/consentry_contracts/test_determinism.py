"""No clock, randomness, environment, float or hash order reaches a contract (DESIGN.md §5)."""

from __future__ import annotations

from pathlib import Path

from support.contract_story import tell

import consentry_contracts
import consentry_records
from fabric_shim.determinism import check_paths
from fabric_testing import recording, replay

SOURCES = [Path(str(package.__file__)).parent for package in (consentry_contracts, consentry_records)]


def test_sources_use_nothing_that_differs_between_peers() -> None:
    files, findings = check_paths(SOURCES)
    assert files > len(SOURCES)
    assert [str(finding) for finding in findings] == []


async def test_a_second_process_that_differs_in_everything_sends_the_same_bytes() -> None:
    with recording() as recorder:
        await tell()
    report = replay(recorder)
    assert report.skipped == {}
    assert report.messages > report.transactions > 30
