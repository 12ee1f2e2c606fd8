"""Which worker runs which tests: those that share a network stay together, long ones begin first."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

_DEMO = tuple(f"tests/end_to_end/test_{name}" for name in ("demo", "readme", "web"))
ORDER = ("end_to_end", "conformance", "integration", "interop", "unit")
"""Directories of tests, those that take longest first."""


class ByNetwork(LoadFileScheduling):
    """Tests of one file share a network, and those of the files that look at a demo share that demo.

    Files begin in the order of collection, long ones first, so that no worker has minutes left when the
    others are done. xdist's own order, by how many tests a file has, keeps the long ones for the end: they
    have few.
    """

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "a demo" if file.startswith(_DEMO) else file
