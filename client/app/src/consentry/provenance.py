"""Digests that say what made a model: code, environment, parameters; and metrics as decimal text."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation, localcontext
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from consentry.errors import InputRejected
from consentry_records import canonical
from consentry_records.digest import sha256_digest
from consentry_records.errors import LedgerError

_DECIMALS = 15
Metric = float | int | str | Decimal


def code_digest(path: Path | None = None) -> str:
    """Return `sha256:<hex>` of a program's file, or of the running program's.

    A program that is no file (a notebook, an interactive session) has to be named.

    Raises:
        InputRejected: CODE_UNREADABLE.
    """
    if path is None:
        running = getattr(sys.modules.get("__main__"), "__file__", None)
        if running is None:
            raise InputRejected("CODE_UNREADABLE", "the running program is no file; name one with code=…")
        path = Path(running)
    try:
        return sha256_digest(path.read_bytes())
    except OSError as error:
        raise InputRejected("CODE_UNREADABLE", f"{path} cannot be read: {error.strerror or error}") from error


@cache
def environment_digest() -> str:
    """Return `sha256:<hex>` of the Python version and every installed distribution's name and version.

    Nothing of the machine or its user is among them.
    """
    installed = {
        str(distribution.metadata["Name"]).lower(): distribution.version
        for distribution in importlib.metadata.distributions()
        if distribution.metadata["Name"]
    }
    return sha256_digest(canonical.encode({"python": platform.python_version(), "installed": installed}))


def description_digest(description: Mapping[str, Any]) -> str:
    """Return `sha256:<hex>` of parameters or an architecture, as canonical JSON with floats as text (`repr`).

    Raises:
        InputRejected: VALUE_NOT_ENCODABLE, values other than text, numbers, truth values, None, lists,
            mappings.
    """
    try:
        return sha256_digest(canonical.encode(_without_floats(description)))
    except LedgerError as error:
        raise InputRejected(error.code, error.message, error.fields) from error


def metric_texts(metrics: Mapping[str, Metric]) -> dict[str, str]:
    """Return metrics as decimal text, rounded to 15 places: the ledger has no floats.

    Raises:
        InputRejected: METRIC_INVALID, a value that is no finite number.
    """
    return {name: _decimal(name, value) for name, value in metrics.items()}


def _decimal(name: str, value: Metric) -> str:
    try:
        number = Decimal(str(value.item() if isinstance(value, np.generic) else value))
    except InvalidOperation as error:
        raise InputRejected("METRIC_INVALID", f"metric {name}: expected a number") from error
    if not number.is_finite() or isinstance(value, bool) or abs(number) >= Decimal(10) ** _DECIMALS:
        raise InputRejected("METRIC_INVALID", f"metric {name}: expected a finite number below 10^15")
    # The context's 28 digits do not hold 15 before and 15 behind the point.
    with localcontext(prec=2 * _DECIMALS + 1):
        text = format(round(number, _DECIMALS), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _without_floats(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {key: _without_floats(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_floats(item) for item in value]
    return value
