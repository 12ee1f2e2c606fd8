"""No clock, randomness, environment, float or hash order reaches a contract (DESIGN.md §5)."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import consentry_contracts
import consentry_records

FORBIDDEN_MODULES = {
    "asyncio", "ctypes", "getpass", "glob", "http", "importlib", "locale", "multiprocessing", "os", "pathlib",
    "pickle", "platform", "random", "secrets", "socket", "subprocess", "sys", "tempfile", "threading", "time",
    "urllib", "uuid", "zoneinfo",
}  # fmt: skip
FORBIDDEN_NAMES = {
    "hash",
    "id",
    "float",
    "open",
    "input",
    "eval",
    "exec",
    "globals",
    "vars",
    "print",
    "frozenset",
}
FORBIDDEN_ATTRIBUTES = {"now", "utcnow", "today", "fromtimestamp", "urandom", "popitem"}
SOURCES = sorted(
    path
    for package in (consentry_contracts, consentry_records)
    for path in Path(str(package.__file__)).parent.glob("*.py")
)


def makes_a_set(node: ast.expr) -> bool:
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "set"
    return called or isinstance(node, ast.Set | ast.SetComp)


def findings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (f"import {n.name}" for n in names if n.name.split(".")[0] in FORBIDDEN_MODULES)
            case ast.ImportFrom(module=str(module), level=0) if module.split(".")[0] in FORBIDDEN_MODULES:
                yield f"import {module}"
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_NAMES:
                yield f"call of {name}"
            case ast.Attribute(attr=name) if name in FORBIDDEN_ATTRIBUTES:
                yield f"use of .{name}"
            case ast.Constant(value=float()):
                yield "a float"
            case ast.BinOp(op=ast.Div()):
                yield "a division"
            case ast.For(iter=iterated) | ast.comprehension(iter=iterated) if makes_a_set(iterated):
                yield "iteration over a set"
            case ast.Global():
                yield "a global variable"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_sources_use_nothing_that_differs_between_peers(path: Path) -> None:
    assert list(findings(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from time import monotonic",
        "from datetime import datetime\ndatetime.now()",
        "x = 0.5",
        "x = 1 / 2",
        "for x in {1, 2}: pass",
        "[x for x in set('ab')]",
        "hash('a')",
    ],
)
def test_the_check_finds_what_it_looks_for(source: str) -> None:
    assert list(findings(ast.parse(source)))


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
