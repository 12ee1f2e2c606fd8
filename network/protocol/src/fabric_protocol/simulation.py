"""Simulating a transaction: reads come from committed state, writes are only collected.

A read never sees the transaction's own writes.

Source: Fabric ``core/ledger/kvledger/txmgmt/txmgr/{query_executor,tx_simulator}.go``.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from fabric_protocol.definitions import INITIALIZED_KEY, Definition
from fabric_protocol.errors import SimulationError
from fabric_protocol.interest import InterestCall, chaincode_interest
from fabric_protocol.known_results import KnownResults
from fabric_protocol.private_rwset import PrivateWriteSet, encode_private_rwset
from fabric_protocol.private_simulation import PrivateSimulation
from fabric_protocol.ranges import TOTAL_QUERY_LIMIT, BookmarkedPage, RangeIterator, bookmarked_page
from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.rwset_encoding import encode_rwset
from fabric_protocol.simulation_base import check_key
from fabric_protocol.state import PrivateReader, StateReader, decode_metadata


class SimulationResults(NamedTuple):
    """What a simulation did.

    ``public`` is M(TxReadWriteSet), which is endorsed; ``private`` is M(TxPvtReadWriteSet), which stays
    with members of the collections, None if nothing private was written; ``rwset`` and ``private_rwset`` are
    their values; ``interest`` is what a gateway needs to know to choose endorsers.
    """

    public: bytes
    private: bytes | None
    rwset: ReadWriteSet
    private_rwset: PrivateWriteSet | None
    interest: tuple[InterestCall, ...]


class Simulator(PrivateSimulation):
    """Runs one transaction over committed state.

    The state must not change while it is used. Call `use_chaincode` for each chaincode that runs.

    Parameters:
        state: committed state.
        private: private data of the organization that simulates; None for one without any.
        transaction_id: id of the proposal's transaction, for messages.
        msp_ids: MSP ids of the channel's organizations: whose implicit collections exist. Left out, none do.
        known: results of other simulations on this very state; left out, there are none.
    """

    def __init__(
        self,
        state: StateReader,
        private: PrivateReader | None,
        *,
        transaction_id: str,
        msp_ids: Collection[str] = (),
        known: KnownResults | None = None,
    ) -> None:
        super().__init__(state, private, transaction_id=transaction_id, msp_ids=msp_ids)
        self._known = known
        self._iterators: list[tuple[str, RangeIterator]] = []

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """Committed value of a key; None for a missing one."""
        self._check_open()
        check_key(key)
        found = self._read(namespace, key)
        return found.value if found else None

    def get_states(self, namespace: str, keys: Sequence[str]) -> list[bytes | None]:
        """Committed values of several keys, in their order."""
        self._check_open()
        for key in keys:
            check_key(key)
        found = self._state.get_many(namespace, keys)
        for key, value in zip(keys, found, strict=True):
            self._builder.add_read(namespace, key, value.version if value else None)
        return [value.value if value else None for value in found]

    def get_metadata(self, namespace: str, key: str) -> Mapping[str, bytes]:
        """Committed metadata of a key, by name; counts as a read of the key."""
        self._check_open()
        check_key(key)
        found = self._read(namespace, key)
        return decode_metadata(found.metadata) if found else {}

    def put_state(self, namespace: str, key: str, value: bytes) -> None:
        """Write a value; an empty one deletes the key.

        Raises:
            SimulationError: TRANSACTION_UNSUPPORTED after a paginated or private range query; KEY_INVALID.
        """
        self._before_write(key)
        self._builder.add_write(namespace, key, value)

    def put_states(self, namespace: str, values: Mapping[str, bytes]) -> None:
        """Write several values by key; raises as `put_state`."""
        self._before_writes(values)
        self._builder.add_writes(namespace, values)

    def delete_state(self, namespace: str, key: str) -> None:
        """Delete a key; raises as `put_state`."""
        self.put_state(namespace, key, b"")

    def set_metadata(self, namespace: str, key: str, metadata: Mapping[str, bytes]) -> None:
        """Replace all metadata of a key; empty removes it; raises as `put_state`.

        A key-level endorsement policy is the entry `state.VALIDATION_PARAMETER`, M(SignaturePolicyEnvelope).
        """
        self._before_write(key)
        self._builder.add_metadata_write(namespace, key, metadata)

    def scan(self, namespace: str, start: str, end: str) -> RangeIterator:
        """Keys of a range in the order of their UTF-8 bytes; what is taken is recorded.

        ``start`` is included, "" is the first key; ``end`` is excluded, "" is after the last one. For the
        pages in which a chaincode gets them, see `ranges.RangePages`.
        """
        self._check_open()
        check_key(start)
        check_key(end)
        iterator = RangeIterator(self._state.scan(namespace, start, end), start, end)
        self._iterators.append((namespace, iterator))
        return iterator

    def scan_page(
        self,
        namespace: str,
        start: str,
        end: str,
        *,
        page_size: int,
        bookmark: str = "",
        limit: int = TOTAL_QUERY_LIMIT,
    ) -> BookmarkedPage:
        """One page of a paginated range query; makes the transaction read-only.

        Parameters:
            namespace: of the chaincode.
            start: first key; replaced by ``bookmark`` if there is one.
            end: key after the last one, "" for no end.
            page_size: most results; 0 for as many as ``limit`` allows.
            bookmark: what the page before ended with.
            limit: most results whatever was asked for.

        Raises:
            SimulationError: TRANSACTION_UNSUPPORTED after a write.
        """
        self._before_special_query("Paginated queries are")
        self._has_paginated = True
        iterator = self.scan(namespace, bookmark or start, end)
        return bookmarked_page(iterator, page_size=page_size, limit=limit)

    def check_initialization(self, definition: Definition, *, is_init: bool) -> None:
        """Enforce that a chaincode whose definition asks for it is initialized once per version, and first.

        Parameters:
            definition: of the chaincode that the proposal calls.
            is_init: whether it is called as init.

        Raises:
            SimulationError: INITIALIZATION_REFUSED with Fabric's text.
        """
        name = f"chaincode '{definition.name}'"
        problem = None
        if not definition.init_required:
            problem = f"{name} does not require initialization but called as init" if is_init else None
        else:
            found = self.get_state(definition.name, INITIALIZED_KEY)
            is_initialized = found == definition.version.encode()
            if is_init and is_initialized:
                problem = f"{name} is already initialized but called as init"
            elif not is_init and not is_initialized:
                problem = f"{name} has not been initialized for this version, must call as init first"
            elif is_init:
                self.put_state(definition.name, INITIALIZED_KEY, definition.version.encode())
        if problem is not None:
            raise SimulationError("INITIALIZATION_REFUSED", problem)

    def results(self) -> SimulationResults:
        """Finish; the simulator cannot be used afterwards.

        Raises:
            SimulationError: SIMULATION_FINISHED if called twice.
        """
        self._check_open()
        self._is_finished = True
        for namespace, iterator in self._iterators:
            self._builder.add_range_query(namespace, iterator.query())
        if self._known is None:
            return self._put_together()
        collected = (self.transaction_id, self._builder, self._private_reads)
        results = self._known.find(*collected)
        if results is None:
            results = self._put_together()
            self._known.remember(*collected, results)
        return results

    def _put_together(self) -> SimulationResults:
        rwset, private_rwset = self._builder.build()
        return SimulationResults(
            public=encode_rwset(rwset),
            private=encode_private_rwset(private_rwset) if private_rwset else None,
            rwset=rwset,
            private_rwset=private_rwset,
            interest=chaincode_interest(rwset, private_reads=self._private_reads, state=self._state),
        )
