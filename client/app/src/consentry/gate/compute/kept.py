"""A completed run's outputs, kept until its permit ends for whoever lost the connection on the way."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from consentry.gate.store import GateStore

_PREFIX = "outputs"
_log = logging.getLogger(__name__)


class KeptOutputs:
    """Outputs beside their version's rows, sealed with its key: they end with it, whatever backups hold.

    An object's name says until when it is kept, so that what is over is found without any list.
    """

    def __init__(self, store: GateStore) -> None:
        self._store = store

    def keep(self, version_id: str, attempt_id: str, until: str, outputs: Sequence[bytes]) -> None:
        """Keep outputs, in their order, until an instant.

        Raises:
            StorageFailed: STORAGE_FAILED.
            InputRejected: VERSION_NOT_HELD, it was erased meanwhile.
        """
        for number, data in enumerate(outputs):
            self._store.keep(version_id, _name(until, attempt_id, number), data)

    def find(self, version_id: str, attempt_id: str, until: str, count: int) -> list[bytes] | None:
        """Return the outputs of an attempt whose permit ends at that instant; None where they are gone.

        Raises:
            StorageFailed: STORAGE_FAILED.
            InputRejected: VERSION_NOT_HELD.
            ConfigurationError: STORE_DAMAGED.
        """
        found = [self._store.kept(version_id, _name(until, attempt_id, number)) for number in range(count)]
        outputs = [data for data in found if data is not None]
        return outputs if len(outputs) == count else None

    def drop_ended(self, now: str) -> int:
        """Remove what is kept no longer; return how many outputs. What cannot be removed waits."""
        dropped = 0
        for version_id in self._store.keyring.versions():
            for name in self._store.names(version_id):
                prefix, _, rest = name.partition("-")
                if prefix == _PREFIX and rest.partition("-")[0] <= _digits(now):
                    self._store.drop(version_id, name)
                    dropped += 1
        return dropped


def _name(until: str, attempt_id: str, number: int) -> str:
    return f"{_PREFIX}-{_digits(until)}-{attempt_id}-{number}"


def _digits(instant: str) -> str:
    """An instant as a part of a name; two compare as the instants do."""
    return "".join(filter(str.isdigit, instant))
