"""How far a stream was processed, kept so that the next run goes on after it."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from fabric_gateway.errors import StreamError

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stream goes on: the first block that is not wholly processed, and what of it is.

    `transaction_id` is the last transaction of that block that was processed; empty if none was.
    """

    block_number: int
    transaction_id: str = ""


class Checkpointer(Protocol):
    """Keeps a position. Whoever writes rows of a database keeps it there, in the same transaction."""

    @property
    def position(self) -> Position | None:
        """Where to go on; None where nothing was processed yet."""

    def save(self, position: Position) -> None:
        """Keep a position: everything before it is processed."""


class InMemoryCheckpointer:
    """A checkpointer for one run."""

    def __init__(self, position: Position | None = None) -> None:
        self._position = position

    @property
    def position(self) -> Position | None:
        """Where to go on."""
        return self._position

    def save(self, position: Position) -> None:
        """Keep a position."""
        self._position = position


class FileCheckpointer:
    """A checkpointer in a file, written whole or not at all and synced before `save` returns."""

    def __init__(self, path: Path) -> None:
        """Read the file; one that is missing is made by the first `save`.

        Raises:
            StreamError: CHECKPOINT_INVALID, it is no checkpoint.
        """
        self._path = path
        self._position = _read(path) if path.exists() else None

    @property
    def position(self) -> Position | None:
        """Where to go on."""
        return self._position

    def save(self, position: Position) -> None:
        """Keep a position."""
        document = {"version": _VERSION, **asdict(position)}
        descriptor, temporary = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._position = position


def _read(path: Path) -> Position:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version, number, transaction_id = (
            document[name] for name in ("version", "block_number", "transaction_id")
        )
        if version != _VERSION or type(number) is not int or number < 0 or type(transaction_id) is not str:
            raise ValueError("other values")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StreamError(
            f"{path} is no checkpoint ({type(error).__name__}); remove it to start anew",
            code="CHECKPOINT_INVALID",
        ) from error
    return Position(number, transaction_id)
