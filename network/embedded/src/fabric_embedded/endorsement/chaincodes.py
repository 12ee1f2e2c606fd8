"""Which chaincode a peer may run: defined, approved by its organization, installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from fabric_embedded.errors import ChaincodeError
from fabric_protocol.collections import IMPLICIT_PREFIX
from fabric_protocol.definitions import (
    LIFECYCLE_NAMESPACE,
    Definition,
    approval_writes,
    package_from,
    package_key,
    read_definition,
)
from fabric_protocol.rwset_builder import key_hash

if TYPE_CHECKING:
    from fabric_embedded.chaincode.link import ChaincodeLink
    from fabric_embedded.storage.snapshots import Snapshot
    from fabric_protocol.state import PrivateReader, StateReader


def has_approved(state: StateReader, msp_id: str, definition: Definition) -> bool:
    """Whether an organization has approved exactly this definition, by the hashes on the channel."""
    collection = IMPLICIT_PREFIX + msp_id
    for key, value in approval_writes(definition).items():
        found = state.get_hashed(LIFECYCLE_NAMESPACE, collection, key_hash(key))
        if found is None or found.value != sha256(value).digest():
            return False
    return True


def approved_package(private: PrivateReader, msp_id: str, name: str, sequence: int) -> str:
    """Package id by which an organization runs a definition; empty for none."""
    found = private.get(LIFECYCLE_NAMESPACE, IMPLICIT_PREFIX + msp_id, package_key(name, sequence))
    return package_from(found.value) if found else ""


class InstalledChaincodes:
    """The chaincodes of one peer.

    Parameters:
        msp_id: of the peer's organization.
        links: to the services of the installed packages, by package id.
    """

    def __init__(self, msp_id: str, links: Mapping[str, ChaincodeLink]) -> None:
        self.links = links
        self._msp_id = msp_id
        self._found: dict[str, ChaincodeLink | ChaincodeError] = {}
        self._lifecycle_height = -1

    def link(self, name: str, snapshot: Snapshot, read: Callable[[], Definition | None]) -> ChaincodeLink:
        """The service of a chaincode, if this peer may run it at the snapshot's height.

        Parameters:
            name: of the chaincode.
            snapshot: on which it is to run.
            read: reads its definition from the snapshot.

        Raises:
            ChaincodeError: CHAINCODE_NOT_FOUND, CHAINCODE_NOT_APPROVED, CHAINCODE_NOT_INSTALLED, with
                Fabric's text.
        """
        if snapshot.lifecycle_height != self._lifecycle_height:
            self._found.clear()
            self._lifecycle_height = snapshot.lifecycle_height
        found = self._found.get(name)
        if found is None:
            definition = read()
            if definition is None:
                raise ChaincodeError("CHAINCODE_NOT_FOUND", f"chaincode {name} not found")
            found = self._found[name] = self._find(name, snapshot, definition)
        if isinstance(found, ChaincodeError):
            raise ChaincodeError(found.code, found.message)
        return found

    def was_found(self, name: str) -> bool:
        """Whether `link` last answered with a service for this chaincode."""
        found = self._found.get(name)
        return found is not None and not isinstance(found, ChaincodeError)

    def _find(self, name: str, snapshot: Snapshot, definition: Definition) -> ChaincodeLink | ChaincodeError:
        if not has_approved(snapshot.state, self._msp_id, definition):
            return ChaincodeError(
                "CHAINCODE_NOT_APPROVED",
                f"chaincode definition for '{name}' at sequence {definition.sequence} has not yet been "
                "approved by this org",
            )
        package = approved_package(snapshot.private[self._msp_id], self._msp_id, name, definition.sequence)
        link = self.links.get(package)
        return link or ChaincodeError(
            "CHAINCODE_NOT_INSTALLED",
            f"chaincode definition for '{name}' exists, but chaincode is not installed",
        )


def definition_reader(state: StateReader, name: str) -> Callable[[], Definition | None]:
    """Reads a chaincode's definition without leaving a trace in any read set."""
    return lambda: read_definition(state, name)
