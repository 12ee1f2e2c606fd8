"""Where a custodian's gate keeps what is its own: keys and journal in custody, rows in a storage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from consentry.gate.keyring import Keyring
from consentry.gate.storage import Storage
from consentry.gate.store import GateStore
from consentry.private_files import make_private_directory
from consentry.profile import NetworkProfile


@dataclass(frozen=True, slots=True)
class GatePlaces:
    """The directory of keys, journal and certificate (0700), and the storage's URL."""

    custody: Path
    storage: str

    @classmethod
    def of(cls, profile: NetworkProfile, organization: str, storage: str | None = None) -> GatePlaces:
        """The places of an organization (its short name); the storage is a local folder by default."""
        custody = profile.subject_register(organization).parent / "gate"
        return cls(custody, storage or str(profile.directory / "gates" / organization))

    def store(self) -> GateStore:
        """Open the store.

        Raises:
            ConfigurationError: PATH_EXPOSED, KEYRING_DAMAGED.
            StorageFailed: STORAGE_UNAVAILABLE.
        """
        make_private_directory(self.custody)
        return GateStore(Storage(self.storage), Keyring(self.custody / "keys"))
