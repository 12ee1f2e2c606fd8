"""All checks over a file, or over all files of some directories."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from fabric_shim.determinism.exemptions import apply_exemptions
from fabric_shim.determinism.findings import Finding
from fabric_shim.determinism.floats import floats
from fabric_shim.determinism.forbidden import forbidden_names
from fabric_shim.determinism.global_state import global_state
from fabric_shim.determinism.own_writes import own_writes
from fabric_shim.determinism.sets import set_orders

_CHECKS = (forbidden_names, floats, set_orders, global_state, own_writes)


def check_source(source: str, path: str = "<source>") -> list[Finding]:
    """Findings in one file's text, by line.

    Args:
        source: Python source.
        path: how findings name the file.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        return [Finding(path, line, "SYNTAX", "got text that is not Python")]
    raw = {Finding(path, *entry) for check in _CHECKS for entry in check(tree)}
    return sorted(apply_exemptions(raw, source, path))


def check_paths(paths: Iterable[Path]) -> tuple[int, list[Finding]]:
    """Check files and, in directories, every ``*.py`` below.

    Returns:
        The number of files, and the findings.

    Raises:
        OSError: a path cannot be read.
    """
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    findings = []
    for file in files:
        try:
            source = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            findings.append(Finding(str(file), 1, "SYNTAX", "got bytes that are not UTF-8"))
        else:
            findings.extend(check_source(source, str(file)))
    return len(files), findings


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(path.rglob("*.py"))
    else:
        yield path
