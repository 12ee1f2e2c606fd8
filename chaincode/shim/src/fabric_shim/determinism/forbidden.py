"""Modules, functions and methods that bring in what differs from peer to peer."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fabric_shim.determinism.findings import Found, found
from fabric_shim.determinism.names import bound_names, qualified, qualified_imports, type_checking_nodes


def _by_name(table: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({name: code for code, names in table.items() for name in names.split()})


_MODULES: Final = _by_name(
    {
        "CLOCK": "time timeit sched arrow pendulum freezegun",
        "RANDOMNESS": "random secrets numpy.random faker",
        "ENVIRONMENT": "os sys platform getpass site sysconfig pwd grp gc resource psutil ctypes traceback "
        "inspect unicodedata importlib.metadata weakref tracemalloc signal dotenv",
        "NETWORK": "socket ssl http urllib.request urllib3 requests httpx aiohttp grpc smtplib ftplib "
        "imaplib poplib socketserver xmlrpc websockets select selectors",
        "FILES": "pathlib shutil tempfile glob fileinput sqlite3 dbm shelve mmap importlib.resources pkgutil "
        "configparser",
        "SUBPROCESS": "subprocess multiprocessing pty",
        "THREADS": "threading _thread concurrent queue anyio trio",
        "LOCALE": "locale gettext zoneinfo dateutil.tz pytz calendar",
        "FLOAT": "cmath statistics numpy pandas",
        "DYNAMIC_CODE": "importlib runpy code codeop pickle marshal builtins",
    }
)
_FUNCTIONS: Final = _by_name(
    {
        "CLOCK": "datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today "
        "uuid.uuid1 uuid.uuid6 uuid.uuid7 asyncio.sleep asyncio.timeout asyncio.timeout_at asyncio.wait_for",
        "RANDOMNESS": "uuid.uuid4 uuid.uuid8 uuid.SafeUUID",
        "ENVIRONMENT": "uuid.getnode",
        "FILES": "io.open io.FileIO io.open_code codecs.open gzip.open bz2.open lzma.open zipfile.ZipFile",
        "LOCALE": "datetime.datetime.fromtimestamp datetime.date.fromtimestamp email.utils.localtime",
    }
)
# Whatever they are called on: a value's type is seldom known here.
_METHODS: Final = _by_name(
    {
        "CLOCK": "utcnow today",
        "RANDOMNESS": "urandom generate_private_key generate_key",
        "FILES": "read_text read_bytes write_text write_bytes",
        "THREADS": "run_in_executor create_task",
    }
)
_BUILT_INS: Final = _by_name(
    {
        "FILES": "open",
        "ENVIRONMENT": "input breakpoint __file__",
        "IDENTITY": "hash id",
        "DYNAMIC_CODE": "eval exec compile __import__ globals __builtins__",
    }
)
_SAFE_ASYNCIO: Final = frozenset({"asyncio", "asyncio.gather", "asyncio.CancelledError"})
_LOCALIZED: Final = frozenset("%" + letter for letter in "aAbBcxXpZh")


def forbidden_names(tree: ast.AST) -> Found:
    """Imports and uses of what the tables above name."""
    imports, bound, never_run = qualified_imports(tree), bound_names(tree), type_checking_nodes(tree)
    for node in ast.walk(tree):
        if node in never_run:
            continue
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    yield from _module(node, alias.name)
            case ast.ImportFrom(module=str(module), level=0, names=aliases):
                for alias in aliases:
                    yield from _module(node, module, f"{module}.{alias.name}")
                    yield from _function(node, f"{module}.{alias.name}")
            case ast.Name(id=name, ctx=ast.Load()) if name in _BUILT_INS and name not in bound:
                yield found(node, _BUILT_INS[name], f"use of {name}")
            case ast.Attribute():
                yield from _attribute(node, imports)
            case ast.Call():
                yield from _call(node)
            case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=str(spec))])):
                if spec.endswith("n"):
                    yield found(node, "LOCALE", "format 'n'")


def _module(node: ast.AST, *names: str) -> Found:
    for name in names:
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            if code := _MODULES.get(".".join(parts[:length])):
                yield found(node, code, f"import of {'.'.join(parts[:length])}")
                return


def _function(node: ast.AST, name: str) -> Found:
    if code := _FUNCTIONS.get(name):
        yield found(node, code, f"use of {name}")
    elif name.startswith("asyncio.") and name not in _SAFE_ASYNCIO:
        yield found(node, "THREADS", f"use of {name}")


def _attribute(node: ast.Attribute, imports: dict[str, str]) -> Found:
    name = qualified(node, imports)
    if name is not None and (name in _FUNCTIONS or name.startswith("asyncio.")):
        yield from _function(node, name)
    elif name is not None and name in _MODULES:
        # `import urllib` and then `urllib.request`: the package alone is harmless.
        yield found(node, _MODULES[name], f"use of {name}")
    elif node.attr in _METHODS:
        yield found(node, _METHODS[node.attr], f"use of .{node.attr}")
    elif node.attr == "__hash__":
        yield found(node, "IDENTITY", "use of .__hash__")


def _call(node: ast.Call) -> Found:
    match node:
        case ast.Call(func=ast.Attribute(attr="now")):
            yield found(node, "CLOCK", "call of .now")
        case ast.Call(func=ast.Attribute(attr="astimezone"), args=[], keywords=[]):
            yield found(node, "LOCALE", "call of .astimezone without a time zone")
        case ast.Call(func=ast.Attribute(attr="strftime"), args=[*_, ast.Constant(value=str(text))]):
            if any(directive in text for directive in _LOCALIZED):
                yield found(node, "LOCALE", f"strftime with {text!r}")
