"""No clock, randomness, environment, float or hash order reaches a contract (DESIGN.md §5)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import consentry_contracts
import consentry_records
from fabric_shim.determinism import check_paths

SOURCES = [Path(str(package.__file__)).parent for package in (consentry_contracts, consentry_records)]


def test_sources_use_nothing_that_differs_between_peers() -> None:
    files, findings = check_paths(SOURCES)
    assert files > len(SOURCES)
    assert [str(finding) for finding in findings] == []


def test_two_processes_that_differ_in_everything_write_the_same_state() -> None:
    tests = Path(__file__).parents[2]
    outputs = []
    for seed, zone, locale in (("1", "UTC", "C"), ("4711", "Asia/Kathmandu", "tr_TR.UTF-8")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale}
        told = subprocess.run(
            [sys.executable, "-m", "support.contract_story"],
            cwd=tests, env=environment, capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        outputs.append(told.stdout)
    assert outputs[0] == outputs[1]
    assert len(outputs[0].strip()) == 64
