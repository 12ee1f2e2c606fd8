"""A package's public names with their signatures, as text that is committed: a change of it is a decision.

Write it anew: ``PYTHONPATH=tests .venv/bin/python -m support.public_api fabric_gateway``.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

_PLACE = Path(__file__).parents[1] / "fixtures" / "public-api"


def described(module: ModuleType) -> str:
    """The names of `__all__`, sorted, each with what can be called or read of it."""
    lines = [line for name in sorted(module.__all__) for line in _lines(name, getattr(module, name))]
    return "\n".join(lines) + "\n"


def committed(name: str) -> str:
    """The description as it was decided."""
    return (_PLACE / f"{name}.txt").read_text(encoding="utf-8")


def _lines(name: str, value: object) -> Iterator[str]:
    if not inspect.isclass(value):
        signature = _signature(value) if inspect.isfunction(value) else ""
        yield f"{name}{signature}"
        return
    bases = [base.__name__ for base in value.__bases__ if base is not object]
    yield f"class {name}({', '.join(bases)})" if bases else f"class {name}"
    if dataclasses.is_dataclass(value):
        yield from (f"    {field.name}: {field.type}" for field in dataclasses.fields(value))
    for member in sorted(vars(value)):
        found = vars(value)[member]
        function = found.__func__ if isinstance(found, classmethod | staticmethod) else found
        if isinstance(found, property) and not member.startswith("_"):
            yield f"    {member}"
        elif inspect.isfunction(function) and (not member.startswith("_") or member == "__init__"):
            # Of classes that only this package makes, how is its own affair.
            parameters = set(inspect.signature(function).parameters)
            own_affair = dataclasses.is_dataclass(value) or {"connection", "open_stream"} & parameters
            if not (member == "__init__" and own_affair):
                yield f"    {member}{_signature(function)}"


def _signature(function: FunctionType) -> str:
    text = str(inspect.signature(function)).replace("'", "")
    return re.sub(r"<function (\w+) at 0x[0-9a-f]+>", r"\1", text)


if __name__ == "__main__":
    for package in sys.argv[1:]:
        text = described(importlib.import_module(package))
        (_PLACE / f"{package}.txt").write_text(text, encoding="utf-8")
