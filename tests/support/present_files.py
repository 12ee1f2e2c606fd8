"""Files of programs that run meanwhile: some go, or come under another name, while one looks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

_Seen = TypeVar("_Seen")


def files_below(directory: Path) -> Iterator[Path]:
    """The files in a directory and in those below it; no links."""
    for place, _, names in os.walk(directory):
        for path in (Path(place) / name for name in names):
            if path.is_file() and not path.is_symlink():
                yield path


def each(directory: Path, look: Callable[[Path], _Seen]) -> dict[Path, _Seen]:
    """What a look at each file below a directory finds; those that are gone by then are left out."""
    found: dict[Path, _Seen] = {}
    for path in files_below(directory):
        with suppress(FileNotFoundError):
            found[path] = look(path)
    return found
