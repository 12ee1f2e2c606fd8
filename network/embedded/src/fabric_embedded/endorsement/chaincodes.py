"""Which chaincode a peer may run: defined, approved by its organization, installed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from fabric_embedded.chaincode.link import ChaincodeLink
from fabric_embedded.chaincode.stream import dial
from fabric_embedded.errors import ChaincodeError
from fabric_embedded.lifecycle.package_reading import ServicePackage, read_package
from fabric_protocol.collections import IMPLICIT_PREFIX
from fabric_protocol.definitions import (
    LIFECYCLE_NAMESPACE,
    Definition,
    approval_writes,
    metadata_key,
    package_from,
    package_key,
    read_definition,
)
from fabric_protocol.errors import EncodingError
from fabric_protocol.rwset_builder import key_hash

if TYPE_CHECKING:
    from fabric_embedded.lifecycle.package_store import PackageStore
    from fabric_embedded.storage.snapshots import Snapshot
    from fabric_protocol.state import PrivateReader, StateReader

_log = logging.getLogger(__name__)


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
    """The chaincodes of one peer: installed packages, and links to the services of those in use.

    Parameters:
        msp_id: of the peer's organization.
        links: to the services of the packages that the network came with, by package id; opened and closed by
            whoever made them.
        store: of the packages that administrators install.
        given: bytes of the packages that the network came with, as far as they are known.
    """

    def __init__(
        self,
        msp_id: str,
        links: Mapping[str, ChaincodeLink],
        store: PackageStore,
        given: Mapping[str, bytes],
    ) -> None:
        self.links = dict(links)
        self.store = store
        self._msp_id = msp_id
        self._lasting = frozenset(links)
        self._given = given
        self._is_closed = False
        self._found: dict[str, ChaincodeLink | ChaincodeError] = {}
        self._lifecycle_height = -1
        self._connected_height = -1
        self._closing: set[asyncio.Task[None]] = set()
        for package_id in store.package_ids():
            self._load(package_id)

    def package_ids(self) -> list[str]:
        """Ids of all packages that can be run, sorted."""
        return sorted(self.links)

    @property
    def is_network_service_connected(self) -> bool:
        """Whether the services that the network came with are connected, in use or not."""
        return all(self.links[package_id].is_connected for package_id in self._lasting)

    def is_installed_by_administrator(self, package_id: str) -> bool:
        """Whether an administrator installed this package; the network's own is none of them."""
        return package_id in self.links and package_id not in self._lasting

    def package(self, package_id: str) -> bytes | None:
        """Bytes of a package; None where there is none.

        Raises:
            ChaincodeError: PACKAGE_UNREADABLE.
        """
        return self._given.get(package_id) or self.store.load(package_id)

    def add(self, package: ServicePackage) -> None:
        """A package was installed."""
        self.links.setdefault(package.package_id, ChaincodeLink(package.package_id, dial(package.address)))
        self._found.clear()

    def used(self, snapshot: Snapshot) -> dict[str, list[Definition]]:
        """Definitions that each package runs here: in force, and approved with it by this organization."""
        used: dict[str, list[Definition]] = {}
        for name in defined_chaincodes(snapshot.state):
            try:
                definition = read_definition(snapshot.state, name)
            except EncodingError:
                continue  # whoever committed it committed nothing that could run
            if definition is None or not has_approved(snapshot.state, self._msp_id, definition):
                continue
            private = snapshot.private[self._msp_id]
            package_id = approved_package(private, self._msp_id, name, definition.sequence)
            used.setdefault(package_id, []).append(definition)
        return used

    def connect(self, snapshot: Snapshot) -> None:
        """Dial the services of the packages in use at this height, and hang up on the others."""
        if snapshot.height < self._connected_height or self._is_closed:
            return
        self._connected_height = snapshot.height
        used = self.used(snapshot)
        for package_id, link in self.links.items():
            if package_id in used:
                link.open()
            elif package_id not in self._lasting and link.is_open:
                self._hang_up(link)

    async def close(self) -> None:
        """Hang up on every service of an installed package, for good."""
        self._is_closed = True
        installed = [link for package_id, link in self.links.items() if package_id not in self._lasting]
        await asyncio.gather(*self._closing, *(link.close() for link in installed))

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
        if link is None:
            return ChaincodeError(
                "CHAINCODE_NOT_INSTALLED",
                f"chaincode definition for '{name}' exists, but chaincode is not installed",
            )
        if not self._is_closed:
            link.open()
        return link

    def _load(self, package_id: str) -> None:
        data = self.store.load(package_id)
        if data is None or package_id in self.links:
            return
        try:
            self.add(read_package(data))
        except ChaincodeError as error:
            _log.error("installed package %s cannot be used: %s", package_id, error.message)

    def _hang_up(self, link: ChaincodeLink) -> None:
        task = asyncio.create_task(link.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def defined_chaincodes(state: StateReader) -> Iterator[str]:
    """Names of all chaincodes that are defined on the channel, in order."""
    prefix = metadata_key("")
    for key, _ in state.scan(LIFECYCLE_NAMESPACE, prefix, prefix + "\x7f"):
        yield key.removeprefix(prefix)


def definition_reader(state: StateReader, name: str) -> Callable[[], Definition | None]:
    """Reads a chaincode's definition without leaving a trace in any read set."""
    return lambda: read_definition(state, name)
