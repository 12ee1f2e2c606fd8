"""What tools/disease_hierarchy.py takes of a release, and what it refuses."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = Path(__file__).parents[3] / "tools" / "disease_hierarchy.py"
    spec = importlib.util.spec_from_file_location("disease_hierarchy_tool", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def entry(*direct: str, deprecated: bool = False, **farther: int) -> dict[str, Any]:
    ancestors = {f"MONDO:{other}": 1 for other in direct}
    ancestors |= {f"MONDO:{other[1:]}": far for other, far in farther.items()}
    return {"deprecated": deprecated, "ancestors": ancestors}


def test_direct_superclasses_are_kept_in_order_and_obsolete_diseases_left_out(tool: ModuleType) -> None:
    release = {
        "MONDO:0000020": entry("0000010", "0000003", _0000001=2),
        "MONDO:0000010": entry("0000001"),
        "MONDO:0000003": entry("0000001"),
        "MONDO:0000002": entry(deprecated=True),
        "MONDO:0000001": entry(),
    }
    assert list(tool.direct_superclasses(release).items()) == [(1, []), (3, [1]), (10, [1]), (20, [3, 10])]


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ({"MONDO:0000002": entry("0000001")}, "missing or obsolete"),
        ({"MONDO:0000002": entry("0000001"), "MONDO:0000001": entry(deprecated=True)}, "missing or obsolete"),
        ({"MONDO:0000002": entry("0000001"), "MONDO:0000001": entry("0000002")}, "of each other"),
        ({"MONDO:0000001": entry("0000001")}, "of each other"),
        ({"MONDO:1": entry()}, "got 'MONDO:1'"),
        ({"DOID:0000001": entry()}, "got 'DOID:0000001'"),
    ],
)
def test_what_is_no_hierarchy_is_refused(tool: ModuleType, release: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tool.direct_superclasses(release)


def test_without_a_release_it_says_how_it_is_used(
    tool: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main([]) == 2
    assert "uv run tools/disease_hierarchy.py 2026-05-05" in capsys.readouterr().err
