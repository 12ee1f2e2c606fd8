"""Files of a function's call: its parameters, and the outputs that it gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from consentry.errors import InputRejected


def read_parameters(path: Path | None) -> dict[str, Any]:
    """Return the JSON object in a file; none without one.

    Raises:
        InputRejected: PARAMETERS_INVALID.
    """
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputRejected("PARAMETERS_INVALID", f"{path} cannot be read as JSON") from error
    if not isinstance(found, dict):
        raise InputRejected("PARAMETERS_INVALID", f"{path}: expected a JSON object")
    return found


def write_outputs(outputs: Mapping[str, Any], directory: Path) -> list[Path]:
    """Write arrays as NAME.npz and metrics as NAME.json; return the files, sorted."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, value in sorted(outputs.items()):
        if any(isinstance(item, np.ndarray) for item in value.values()):
            path = directory / f"{name}.npz"
            with path.open("wb") as file:
                np.savez(file, allow_pickle=False, **value)
        else:
            path = directory / f"{name}.json"
            path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        written.append(path)
    return written
