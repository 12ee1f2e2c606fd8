"""systemd itself reads the units of a bundle, whatever characters are in them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.optional_tools import find_optional_tool
from support.units import unit_faults

from fabric_native.bundle_units import systemd_unit, unit_name

pytestmark = pytest.mark.optional_tool("systemd-analyze")
TEXTS = (
    "plain",
    "with spaces",
    "50% of $HOME ${HOME}",
    "\"quoted\" and 'more'",
    "back\\slash",
    "a;b # c",
    "%n",
)


@pytest.mark.parametrize("text", TEXTS)
def test_systemd_takes_a_unit_as_it_is(tmp_path: Path, text: str) -> None:
    program = str(shutil.which("true"))
    path = tmp_path / unit_name("peer-alpha")
    path.write_text(systemd_unit("peer-alpha", tmp_path, [program, text], {"PLACE": text}))
    assert unit_faults(find_optional_tool("systemd-analyze"), [path]) == ""


def test_systemd_would_say_so(tmp_path: Path) -> None:
    path = tmp_path / unit_name("peer-alpha")
    path.write_text(
        systemd_unit("peer-alpha", tmp_path, ["/no/such/program"], {}).replace("[Service]", "[Sevice]")
    )
    assert unit_faults(find_optional_tool("systemd-analyze"), [path]) != ""
