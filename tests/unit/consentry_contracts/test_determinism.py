"""No clock, randomness, environment, float or hash order reaches a contract (DESIGN.md §5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.contract_story import tell
from support.other_pythons import environments

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


@pytest.mark.optional_tool("other-pythons")
async def test_other_versions_of_python_send_the_same_bytes() -> None:
    with recording() as recorder:
        await tell()
    interpreters = environments()
    report = replay(recorder, interpreters=interpreters)
    assert report.interpreters == tuple(interpreters)
    assert report.transactions > 30
