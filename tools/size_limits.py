"""Refuse functions over 60 lines (docstring not counted) and files over 400 lines.

Usage: python tools/size_limits.py DIRECTORY...
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FUNCTION_LINES = 60
FILE_LINES = 400
FOREIGN = "node_modules"


def function_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def violations(path: Path) -> Iterator[str]:
    """Every limit that one file breaks."""
    source = path.read_text(encoding="utf-8")
    lines = source.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines, the limit is {FILE_LINES}; split it by concept"
    for node in ast.walk(ast.parse(source, filename=str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = function_length(node)
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines, the limit is {FUNCTION_LINES}"


def main(directories: list[str]) -> int:
    found_files = (path for directory in directories for path in Path(directory).rglob("*.py"))
    files = sorted(path for path in found_files if FOREIGN not in path.parts)
    if not files:
        print(f"no Python file below {directories}; name the source directories", file=sys.stderr)
        return 2
    found = [message for path in files for message in violations(path)]
    print("\n".join(found) if found else f"size limits: {len(files)} files within {FILE_LINES} lines")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
