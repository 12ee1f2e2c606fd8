"""JSON files that a command is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from consentry.errors import InputRejected


def read_json_object(
    file: Path, option: str = "", parse_float: Callable[[str], Any] = float
) -> dict[str, Any]:
    """Return the JSON object in a file.

    Args:
        file: where it is.
        option: the option that named the file, for the message; empty for an argument.
        parse_float: makes a number with a fraction or exponent from its text.

    Raises:
        InputRejected: FILE_UNREADABLE, the file is not there, no UTF-8, no JSON or no object.
    """
    place = f"{option}: got {file}" if option else f"got {file}"
    try:
        found = json.loads(file.read_text(encoding="utf-8"), parse_float=parse_float)
    except (OSError, ValueError, RecursionError) as error:
        raise InputRejected(
            "FILE_UNREADABLE", f"{place}, expected a readable file with a JSON object"
        ) from error
    if not isinstance(found, dict):
        raise InputRejected("FILE_UNREADABLE", f"{place}, which holds JSON, expected a JSON object")
    return found
