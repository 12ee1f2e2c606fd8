"""What public and private simulation share: the state that is read, and which calls may follow which."""

from collections.abc import Collection, Iterable

from fabric_protocol.definitions import (
    LEGACY_NAMESPACE,
    LIFECYCLE_NAMESPACE,
    Definition,
    definition_keys,
    field_key,
    parse_definition,
    read_definition,
    sequence_from,
)
from fabric_protocol.errors import SimulationError
from fabric_protocol.rwset_builder import ReadWriteSetBuilder
from fabric_protocol.state import PrivateReader, StateReader, VersionedValue


class SimulationBase:
    """Shared part of a `simulation.Simulator`; see there."""

    def __init__(
        self,
        state: StateReader,
        private: PrivateReader | None,
        *,
        transaction_id: str,
        msp_ids: Collection[str] = (),
    ) -> None:
        self.transaction_id = transaction_id
        self._state = state
        self._private = private
        self._msp_ids = frozenset(msp_ids)
        self._builder = ReadWriteSetBuilder()
        self._private_reads: set[tuple[str, str]] = set()
        self._definitions: dict[str, Definition | None] = {}
        self._has_written = False
        self._has_paginated = False
        self._has_scanned_private = False
        self._is_finished = False

    def use_chaincode(self, name: str) -> Definition | None:
        """Note that a chaincode is called: first the proposal's, then each that it calls on this channel.

        Adds the reads that Fabric adds, so that a definition committed in between voids the transaction.

        Parameters:
            name: name of the chaincode; for ``_lifecycle`` nothing is added.

        Returns:
            Its definition; None where there is none.

        Raises:
            EncodingError: DEFINITION_MALFORMED.
        """
        self._check_open()
        if name == LIFECYCLE_NAMESPACE:
            return None
        found = self._read(LIFECYCLE_NAMESPACE, field_key(name, "Sequence"))
        if sequence_from(found.value if found else b"") == 0:
            self._read(LEGACY_NAMESPACE, name)
            return None
        return read_definition(self._state, name)

    def definition(self, namespace: str) -> Definition | None:
        """Definition of a chaincode, read as private-data access reads it: all its keys enter the read set.

        Returns:
            The definition; None where there is none, and for ``_lifecycle``, which has none.

        Raises:
            EncodingError: DEFINITION_MALFORMED.
        """
        self._check_open()
        if namespace not in self._definitions:
            self._definitions[namespace] = self._read_definition(namespace)
        return self._definitions[namespace]

    def _read_definition(self, namespace: str) -> Definition | None:
        if namespace == LIFECYCLE_NAMESPACE:
            return None
        metadata_key, *field_keys = definition_keys(namespace)
        metadata = self._read(LIFECYCLE_NAMESPACE, metadata_key)
        if metadata is None:
            return None
        values = {metadata_key: metadata.value}
        for key in field_keys:
            found = self._read(LIFECYCLE_NAMESPACE, key)
            values[key] = found.value if found else b""
        return parse_definition(namespace, values)

    def _read(self, namespace: str, key: str) -> VersionedValue | None:
        found = self._state.get(namespace, key)
        self._builder.add_read(namespace, key, found.version if found else None)
        return found

    def _check_open(self) -> None:
        if self._is_finished:
            raise SimulationError(
                "SIMULATION_FINISHED", "this instance should not be used after its results were taken"
            )

    def _before_write(self, key: str) -> None:
        self._before_writes((key,))

    def _before_writes(self, keys: Iterable[str]) -> None:
        self._check_open()
        # At once: half a surrogate pair is refused wherever it stands, next to its other half, too.
        check_key("".join(keys))
        problem = None
        if self._has_scanned_private:
            problem = "Transaction has already performed queries on pvt data. Writes are not allowed"
        elif self._has_paginated:
            problem = "Transaction has already performed a paginated query. Writes are not allowed"
        if problem is not None:
            raise self._unsupported(problem)
        self._has_written = True

    def _before_special_query(self, what: str) -> None:
        self._check_open()
        if self._has_written:
            raise self._unsupported(f"{what} supported only in a read-only transaction")

    def _unsupported(self, problem: str) -> SimulationError:
        # The misspelling is Fabric's, and clients may look for its text.
        return SimulationError(
            "TRANSACTION_UNSUPPORTED", f"txid [{self.transaction_id}]: unsuppored transaction. {problem}"
        )


def check_key(key: str) -> None:
    """Check that a key can be written as UTF-8.

    Raises:
        SimulationError: KEY_INVALID.
    """
    if not key.isascii():
        try:
            key.encode()
        except UnicodeEncodeError as error:
            raise SimulationError("KEY_INVALID", "A key must be valid UTF-8 text.") from error
