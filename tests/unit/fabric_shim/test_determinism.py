"""Every rule of the determinism lint on code that breaks it and on code that comes close."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_shim.determinism import RULES, check_source
from fabric_shim.determinism.__main__ import main

BAD = {
    "CLOCK": [
        "import time",
        "from time import monotonic",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime as moment\nf = moment.utcnow",
        "from datetime import date\ndate.today()",
        "import uuid\nuuid.uuid1()",
        "def f(clock): return clock.now()",
        "import asyncio\nasync def f(): await asyncio.sleep(1)",
    ],
    "RANDOMNESS": [
        "import random",
        "from secrets import token_hex",
        "import uuid\nuuid.uuid4()",
        "from uuid import uuid4",
        "def f(ec): return ec.generate_private_key()",
    ],
    "ENVIRONMENT": [
        "import os",
        "import os.path",
        "from os import environ",
        "import sys",
        "import platform",
        "input()",
        "x = __file__",
        "import uuid\nuuid.getnode()",
    ],
    "NETWORK": [
        "import socket",
        "import http.client",
        "import urllib.request",
        "import requests",
        "import grpc",
    ],
    "FILES": [
        "open('x')",
        "f = open",
        "from pathlib import Path",
        "import sqlite3",
        "import io\nio.open('x')",
    ],
    "SUBPROCESS": ["import subprocess", "from multiprocessing import Pool"],
    "THREADS": [
        "import threading",
        "import concurrent.futures",
        "import asyncio\nasync def f(x): asyncio.create_task(x)",
        "import asyncio\nasync def f(x): await asyncio.wait(x)",
        "from asyncio import TaskGroup",
    ],
    "LOCALE": [
        "import locale",
        "import zoneinfo",
        "def f(t): return t.strftime('%A')",
        "def f(t): return t.astimezone()",
        "def f(n): return f'{n:n}'",
        "from datetime import datetime\ndatetime.fromtimestamp(0)",
    ],
    "FLOAT": [
        "x = 0.5",
        "x = 1 / 2",
        "x = 3\nx /= 2",
        "float('1')",
        "class R:\n    x: float",
        "class R:\n    x: list[float | None]",
        "def f(x: float): ...",
        "import math\nmath.sqrt(2)",
        "from math import log",
        "import numpy",
        "def f(d): return d.total_seconds()",
    ],
    "SET_ORDER": [
        "for x in {1, 2}: ...",
        "for x in set('ab'): ...",
        "[x for x in frozenset('ab')]",
        "s = {1, 2}\nlist(s)",
        "s = {1, 2}\nt = s | {3}\nu = t\nfor x in u: ...",
        "def f(s: set[str]): return ','.join(s)",
        "def f(s: frozenset[str] | None): return [*s]",
        "from typing import Final\nS: Final[frozenset[str]] = frozenset()\ndef f(): return tuple(S)",
        "class R:\n    s: frozenset[str]\n    def f(self): return list(self.s)",
        "def f(a, b): return [x for x in a.keys() & b]",
        "def f(s: set[str]): return s.pop()",
        "def f(s: set[str]): a, b = s",
        "def f(s: set[str]): return f'{s}'",
        "def f(s: set[str]): return sorted(s, key=len)",
        "def f(s: set[str]): return {x: 1 for x in s}",
        "def f(s: set[str]): return next(iter(s))",
        "def f(s: set[str]):\n    def g(): yield from s\n    return g()",
        "async def f(s: set[str], stub):\n    async def g():\n        for x in s: await stub.put(x)",
    ],
    "GLOBAL_STATE": [
        "n = 0\ndef f():\n    global n\n    n += 1",
        "seen = []\ndef f(x): seen.append(x)",
        "seen: dict[str, str] = {}\ndef f(x): seen[x] = x",
        "from collections import defaultdict\nseen = defaultdict(list)\ndef f(x): del seen[x]",
        "from itertools import count\nids = count()\ndef f(): return next(ids)",
        "def f(x=[]): return x",
        "def f(*, x={}): return x",
        "import settings\ndef f(): settings.limit = 3",
        "class C:\n    n = 0\n    def f(self): C.n = 1",
        "class C:\n    seen = []\n    def f(self, x): self.seen.append(x)",
        "class Notes(Contract):\n    async def write(self, ctx): self.last = ctx.caller",
        "class Notes(Base):\n    @transaction\n    async def write(self, ctx): self.known[ctx] = 1",
        "class Notes(Contract):\n    async def write(self, ctx): self.known.add(ctx)",
    ],
    "IDENTITY": ["hash('a')", "id(3)", "sorted([], key=hash)", "def f(x): return x.__hash__()"],
    "DYNAMIC_CODE": [
        "eval('1')",
        "exec('1')",
        "import importlib",
        "__import__('os')",
        "import pickle",
        "import builtins\nbuiltins.open('x')",
        "__builtins__['open']('x')",
    ],
    "OWN_WRITE": [
        "async def f(s, k):\n    await s.put_state(k, b'1')\n    return await s.get_state(k)",
        "async def f(s):\n    await s.delete_state('a')\n    return await s.get_states(['b', 'a'])",
        "async def f(s):\n    await s.put_private('c', 'k', b'1')\n    return await s.get_private('c', 'k')",
        "async def f(s, k):\n    await s.put_states({'a': b'1', k: b'2'})\n    return await s.get_state(k)",
        "async def f(s, k):\n    await s.put_privates('c', {k: b'2'})\n    await s.get_private('c', k)",
        "async def f(s, k):\n    await s.put_state(key=k, value=b'1')\n    return await s.get_state(key=k)",
        "async def f(s, k):\n    if k:\n        await s.put_state(k, b'1')\n    await s.get_state(k)",
        "async def f(s, k):\n    while k:\n        n = await s.get_state(k)\n        await s.put_state(k, n)",
        "async def f(s, k):\n    try:\n        await s.put_state(k, b'')\n"
        "    except E:\n        await s.get_state(k)",
        "async def f(s, k):\n    match k:\n        case 1:\n            await s.put_state(k, b'1')\n"
        "    async with s:\n        await s.get_state(k)",
    ],
    "EXEMPTION_INVALID": [
        "import time  # deterministic:",
        "import time  # deterministic",
        "x = 1  # deterministic: nothing to exempt here",
    ],
    "SYNTAX": ["def", "x = '\\ud800'\0"],
}
GOOD = [
    "from datetime import datetime, timedelta\nx = datetime(2026, 1, 1) + timedelta(hours=1)",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import os",
    "import uuid\nuuid.UUID('0' * 32)\nuuid.uuid5(uuid.NAMESPACE_DNS, 'x')",
    "import urllib.parse\nurllib.parse.quote('x')",
    "import asyncio\nasync def f(a, b): return await asyncio.gather(a, b)",
    "def f(t): return t.strftime('%Y-%m-%d'), t.astimezone(UTC)",
    "import math\nmath.isqrt(9)\nx = 7 // 2",
    "def f(x):\n    match x:\n        case float(): return isinstance(x, float)",
    "s = {2, 1}\nfor x in sorted(s): ...\n3 in s\nlen(s)\nmax(s)\nany(x > 1 for x in s)\n{x for x in s}",
    "s = {2, 1}\nsorted(list(s))\nsorted(x for x in s if x)",
    "s = {1}\ndef f(s: list[int]): return list(s)",
    "TABLE = {'a': 1}\ndef f(x):\n    table = dict(TABLE)\n    table[x] = 2\n    return table",
    "seen = []\ndef f(seen): seen.append(1)",
    "def f():\n    seen = []\n    def g(): seen.append(1)\n    g()",
    "class Notes(Contract):\n    def __init__(self): self.limit = 3",
    "class Draft:\n    def f(self): self.x = 1",
    "def f(id, hash): return id, hash",
    "async def f(s, k):\n    v = await s.get_state(k)\n    await s.put_state(k, v)",
    "async def f(s, k):\n    if k:\n        await s.delete_state(k)\n    else:\n        await s.get_state(k)",
    "async def f(s, k):\n    if k:\n        await s.delete_state(k)\n        return\n"
    "    await s.get_state(k)",
    "async def f(s, ks):\n    for k in ks:\n        await s.get_state(k)\n        await s.put_state(k, b'1')",
    "async def f(s, k):\n    await s.put_state(k, b'1')\n    k = k + 'x'\n    await s.get_state(k)",
    "async def f(s, k):\n    await s.put_private('a', k, b'1')\n    await s.get_private('b', k)",
    "async def f(s, k):\n    await s.put_state(k, b'1')\n    async def g(): await s.get_state(k)",
    "import time  # deterministic: measures, and writes nothing",
    "# deterministic: a reason that\n# takes two lines\nimport time",
    "x = '# deterministic: text is no comment'",
]


def codes(source: str) -> set[str]:
    return {finding.code for finding in check_source(source)}


@pytest.mark.parametrize(("code", "source"), [(code, source) for code in BAD for source in BAD[code]])
def test_what_differs_between_peers_is_found(code: str, source: str) -> None:
    assert code in codes(source)


@pytest.mark.parametrize("source", GOOD)
def test_what_is_the_same_everywhere_is_not_reported(source: str) -> None:
    assert check_source(source) == []


def test_every_rule_has_samples() -> None:
    assert set(BAD) == set(RULES)


def test_a_finding_names_the_line_and_what_to_do() -> None:
    (finding,) = check_source("x = 1\nimport time", "contract.py")
    assert str(finding) == "contract.py:2: CLOCK: import of time; " + RULES["CLOCK"]


def test_an_exemption_without_a_reason_exempts_nothing() -> None:
    assert codes("import time  # deterministic:") == {"CLOCK", "EXEMPTION_INVALID"}


def test_the_command_checks_files_and_directories(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "below" / "bad.py"
    bad.parent.mkdir()
    good.write_text("x = 1\n")
    bad.write_text("import os\n")

    assert main([str(good)]) == 0
    assert capsys.readouterr().out == "determinism: 1 files, nothing found\n"
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"{bad}:1: ENVIRONMENT: import of os; {RULES['ENVIRONMENT']}\n"


def test_the_command_refuses_paths_without_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert main([str(tmp_path / "absent.py")]) == 2
    assert "no Python file below" in (told := capsys.readouterr().err)
    assert "absent.py: No such file" in told


def test_bytes_that_are_not_utf8_are_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "latin.py").write_bytes(b"x = '\xe9'\n")
    assert main([str(tmp_path)]) == 1
    assert "SYNTAX: got bytes that are not UTF-8" in capsys.readouterr().out
