"""Simulating reads and writes of private data: values stay here, hashes go on the channel.

Source: Fabric ``core/ledger/kvledger/txmgmt/txmgr/{query_executor,tx_simulator,collection_val}.go``.
"""

from collections.abc import Iterator, Mapping, Sequence

from fabric_protocol.definitions import IMPLICIT_COLLECTION_PREFIX, LIFECYCLE_NAMESPACE
from fabric_protocol.errors import SimulationError
from fabric_protocol.ranges import KeyValue
from fabric_protocol.rwset_builder import key_hash
from fabric_protocol.simulation_base import SimulationBase, check_key
from fabric_protocol.state import VersionedValue, decode_metadata


class PrivateSimulation(SimulationBase):
    """Private part of a `simulation.Simulator`.

    Every call checks that the collection exists, and adds the reads of the chaincode's definition that Fabric
    adds. Whether the proposal's creator may use the collection is the caller's to check.

    Each method raises SimulationError COLLECTION_NOT_FOUND for an unknown collection.
    """

    def get_private(self, namespace: str, collection: str, key: str) -> bytes | None:
        """Private value as committed; None for a missing key.

        Raises:
            SimulationError: PRIVATE_DATA_UNAVAILABLE, where this organization does not hold the value that
                the channel has a hash of.
        """
        self._check_collection(namespace, collection)
        check_key(key)
        found = self._own_value(namespace, collection, key)
        hashed = self._state.get_hashed(namespace, collection, key_hash(key))
        version = found.version if found else None
        hashed_version = hashed.version if hashed else None
        if version != hashed_version:
            raise SimulationError(
                "PRIVATE_DATA_UNAVAILABLE",
                "private data matching public hash version is not available. Public hash version = "
                f"{hashed_version or '<nil>'}, Private data version = {version or '<nil>'}",
            )
        self._note_private_read(namespace, collection, key, found)
        return found.value if found else None

    def get_privates(self, namespace: str, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        """Private values of several keys; as in Fabric, without the check that `get_private` makes."""
        self._check_collection(namespace, collection)
        values: list[bytes | None] = []
        for key in keys:
            check_key(key)
            found = self._own_value(namespace, collection, key)
            self._note_private_read(namespace, collection, key, found)
            values.append(found.value if found else None)
        return values

    def get_private_hash(self, namespace: str, collection: str, key: str) -> bytes | None:
        """SHA-256 of a private value, from the channel; None for a missing key."""
        found = self._read_hashed(namespace, collection, key)
        return found.value if found else None

    def get_private_metadata(self, namespace: str, collection: str, key: str) -> Mapping[str, bytes]:
        """Metadata of a private key, from the channel, by name."""
        found = self._read_hashed(namespace, collection, key)
        return decode_metadata(found.metadata) if found else {}

    def put_private(self, namespace: str, collection: str, key: str, value: bytes) -> None:
        """Write a private value; an empty one deletes the key.

        Raises:
            SimulationError: TRANSACTION_UNSUPPORTED after a paginated or private range query; KEY_INVALID.
        """
        self._before_private_write(namespace, collection, key)
        self._builder.add_private_write(namespace, collection, key, value)

    def put_privates(self, namespace: str, collection: str, values: Mapping[str, bytes]) -> None:
        """Write several private values by key; raises as `put_private`."""
        self._check_collection(namespace, collection)
        self._before_writes(values)
        self._builder.add_private_writes(namespace, collection, values)

    def delete_private(self, namespace: str, collection: str, key: str) -> None:
        """Delete a private value; raises as `put_private`."""
        self.put_private(namespace, collection, key, b"")

    def purge_private(self, namespace: str, collection: str, key: str) -> None:
        """Delete a private value and its history wherever it is kept; raises as `put_private`."""
        self._before_private_write(namespace, collection, key)
        self._builder.add_private_purge(namespace, collection, key)

    def set_private_metadata(
        self, namespace: str, collection: str, key: str, metadata: Mapping[str, bytes]
    ) -> None:
        """Replace all metadata of a private key; empty removes it; raises as `put_private`."""
        self._before_private_write(namespace, collection, key)
        self._builder.add_private_metadata_write(namespace, collection, key, metadata)

    def scan_private(self, namespace: str, collection: str, start: str, end: str) -> Iterator[KeyValue]:
        """Private keys in order, as this organization holds them; nothing of it enters the read set.

        ``start`` is included, ``end`` excluded, "" open. Makes the transaction read-only.

        Raises:
            SimulationError: TRANSACTION_UNSUPPORTED after a write.
        """
        self._before_special_query("Queries on pvt data is")
        self._has_scanned_private = True
        self._check_collection(namespace, collection)
        if self._private is None:
            return iter(())
        rows = self._private.scan(namespace, collection, start, end)
        return (KeyValue(key, found.value) for key, found in rows)

    def _own_value(self, namespace: str, collection: str, key: str) -> VersionedValue | None:
        return self._private.get(namespace, collection, key) if self._private else None

    def _note_private_read(
        self, namespace: str, collection: str, key: str, found: VersionedValue | None
    ) -> None:
        self._builder.add_hashed_read(namespace, collection, key, found.version if found else None)
        self._private_reads.add((namespace, collection))

    def _read_hashed(self, namespace: str, collection: str, key: str) -> VersionedValue | None:
        self._check_collection(namespace, collection)
        check_key(key)
        found = self._state.get_hashed(namespace, collection, key_hash(key))
        self._builder.add_hashed_read(namespace, collection, key, found.version if found else None)
        return found

    def _before_private_write(self, namespace: str, collection: str, key: str) -> None:
        self._check_collection(namespace, collection)
        self._before_write(key)

    def _check_collection(self, namespace: str, collection: str) -> None:
        definition = self.definition(namespace)
        if definition is None and namespace != LIFECYCLE_NAMESPACE:
            raise SimulationError(
                "COLLECTION_NOT_FOUND",
                f"collection config not defined for chaincode [{namespace}], pass the collection "
                "configuration upon chaincode definition/instantiation",
            )
        if collection.startswith(IMPLICIT_COLLECTION_PREFIX):
            is_known = collection.removeprefix(IMPLICIT_COLLECTION_PREFIX) in self._msp_ids
        else:
            is_known = definition is not None and collection in definition.collection_policies
        if not is_known:
            raise SimulationError(
                "COLLECTION_NOT_FOUND",
                f"collection [{collection}] not defined in the collection config for chaincode [{namespace}]",
            )
