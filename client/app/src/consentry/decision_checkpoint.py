"""Where a decision service is: the block it follows from, and the attempts that it still owes a decision."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from pathlib import Path

from consentry.documents import Document, read_json_object
from consentry.private_files import make_private_directory, write_private

_CODE = "CHECKPOINT_INVALID"
_VERSION = 1


class DecisionCheckpoint:
    """A file that is replaced as a whole with every change; usable by two threads.

    An attempt is noted as open before the position moves past it, and removed only once its decision is
    committed: a kill at any instant leaves it open, and the ledger refuses a second decision.
    """

    def __init__(self, path: Path, channel: str) -> None:
        """Read the file, or begin at block 0 where there is none.

        Raises:
            ConfigurationError: CHECKPOINT_INVALID, malformed or of another channel.
        """
        self._path = path
        self._channel = channel
        self._lock = threading.Lock()
        self._block = 0
        self._seen: set[str] = set()
        self._open: dict[str, None] = {}
        make_private_directory(path.parent)
        if path.exists():
            self._load(read_json_object(path, _CODE))

    @property
    def block(self) -> int:
        """The block to follow from; attempts in it may have been seen before."""
        with self._lock:
            return self._block

    def open_attempts(self) -> tuple[str, ...]:
        """Return the attempts without a decision, oldest first."""
        with self._lock:
            return tuple(self._open)

    def note(self, block: int, attempt_id: str) -> bool:
        """Note an attempt seen in a block; returns whether it is new."""
        with self._lock:
            if block < self._block or (block == self._block and attempt_id in self._seen):
                return False
            if block > self._block:
                self._block, self._seen = block, set()
            self._seen.add(attempt_id)
            self._open[attempt_id] = None
            self._save()
            return True

    def settle(self, attempt_id: str) -> None:
        """Note that an attempt's decision is committed, or that none can be made."""
        with self._lock:
            if attempt_id in self._open:
                del self._open[attempt_id]
                self._save()

    def _load(self, document: Document) -> None:
        if document.take("version", int) != _VERSION or document.take_text("channel") != self._channel:
            raise document.error(f"expected version {_VERSION} and channel {self._channel}")
        self._block = document.take("block", int)
        self._seen = set(_texts(document, "seen"))
        self._open = dict.fromkeys(_texts(document, "open"))
        document.finish()
        if self._block < 0:
            raise document.error(f"block: got {self._block}, expected 0 or more")

    def _save(self) -> None:
        document = {
            "version": _VERSION,
            "channel": self._channel,
            "block": self._block,
            "seen": sorted(self._seen),
            "open": list(self._open),
        }
        write_private(self._path, json.dumps(document).encode() + b"\n", replace=True)


def _texts(document: Document, name: str) -> Iterable[str]:
    items = document.take(name, list)
    if not all(isinstance(item, str) for item in items):
        raise document.error(f"{name}: expected a list of ids")
    return items
