"""Files of the outputs that a function gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


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
