"""The one table of tools that tests use where they find them.

A test that needs one asks for the fixture `optional_tool` and names the tool. `make test` ends with a line
for each tool: run, or not run and why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fabric_native import BinariesNotFoundError, find_binaries


@dataclass(frozen=True)
class OptionalTool:
    """One tool: how it is found and what its tests show."""

    name: str
    shows: str
    find: Callable[[], str]
    """Where it is; raises LookupError with the reason when it is not there."""


def _fabric_binaries() -> str:
    try:
        return str(find_binaries().peer.path)
    except BinariesNotFoundError as error:
        raise LookupError(str(error)) from error


OPTIONAL_TOOLS = (
    OptionalTool("fabric-binaries", "fabric_native finds the official peer and orderer", _fabric_binaries),
)
