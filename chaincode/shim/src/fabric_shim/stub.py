"""What a contract can ask of the ledger: the author's side of the chaincode protocol.

Semantics that surprise, all Fabric's own:

- Reads see what was committed before the transaction, never the transaction's own writes; ranges likewise.
- An empty value cannot be stored: absent and empty are the same, and ``put_state`` refuses ``b""``.
- The peer's refusal of a gathered write is raised by the next operation that needs order, by ``flush``, or by
  the end of the transaction; it fails the transaction in each case.
- A transaction that has read a page (``…_page``) or a range of private data cannot write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, TypeVar

from fabric_shim.caller import Caller

Entry = TypeVar("Entry", covariant=True)


@dataclass(frozen=True)
class KeyModification:
    """One committed change of a key, from the history index.

    Attributes:
        transaction_id: the transaction that made the change.
        value: the value written, ``None`` if the key was deleted.
        proposal_time: the transaction's timestamp: the clock of whoever created it (UTC).
    """

    transaction_id: str
    value: bytes | None
    proposal_time: datetime


@dataclass(frozen=True)
class Page:
    """One page of a range or a rich query.

    Attributes:
        entries: key and value of each record, in the order of the state database.
        bookmark: where the next page starts; ``""`` after the last one.
    """

    entries: tuple[tuple[str, bytes], ...]
    bookmark: str


@dataclass(frozen=True)
class ChaincodeResponse:
    """What another chaincode answered.

    Attributes:
        status: 200–399 success; 400 and above an error.
        message: the callee's message.
        payload: the callee's result.
    """

    status: int
    message: str
    payload: bytes


class EntryIterator(Protocol[Entry]):
    """Results of a query, fetched page by page as they are consumed.

    Iterate with ``async for``. When leaving early, use it as ``async with`` or call ``aclose`` so that the
    peer frees the query before the transaction ends.
    """

    def __aiter__(self) -> AsyncIterator[Entry]: ...
    async def __anext__(self) -> Entry: ...
    async def aclose(self) -> None:
        """Free the query at the peer; does nothing if it is finished. Iterating further ends at once."""
        ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


StateIterator = EntryIterator[tuple[str, bytes]]


class Stub(Protocol):
    """One transaction, as its contract sees it. Every ``async`` method may raise ``PeerError``."""

    @property
    def channel_id(self) -> str:
        """The channel that the transaction is for."""
        ...

    @property
    def transaction_id(self) -> str:
        """64 lower-case hexadecimal digits: SHA-256 of nonce and creator."""
        ...

    @property
    def arguments(self) -> Sequence[bytes]:
        """All arguments of the call; the first is the function's name."""
        ...

    @property
    def is_init(self) -> bool:
        """Whether the call was made as the initialization of a definition that requires one."""
        ...

    @property
    def transient(self) -> Mapping[str, bytes]:
        """Data passed to the endorsers only; it is in no block. Read-only."""
        ...

    @property
    def decorations(self) -> Mapping[str, bytes]:
        """What the peer's decorators added to the call. Read-only."""
        ...

    @property
    def caller(self) -> Caller:
        """Who proposed the transaction; ``ContractError`` ``CALLER_INVALID`` if it is no X.509 identity."""
        ...

    @property
    def proposal_time(self) -> datetime:
        """When the proposal was made by the clock of whoever made it (UTC, aware, microseconds)."""
        ...

    @property
    def signed_proposal(self) -> bytes:
        """``M(SignedProposal)`` of the call, ``b""`` where the peer sent none."""
        ...

    @property
    def binding(self) -> bytes:
        """SHA-256 of nonce, creator and epoch: ties application data to this proposal."""
        ...

    # public state

    async def get_state(self, key: str) -> bytes | None:
        """Committed value of ``key``, ``None`` if there is none."""
        ...

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """Committed values in the order of ``keys``; one round trip a thousand keys where the peer can."""
        ...

    async def put_state(self, key: str, value: bytes) -> None:
        """Write ``value`` (not empty) under ``key`` (not empty) if the transaction commits.

        Raises:
            KeyInvalidError: the key is empty or not Unicode text.
            ContractError: ``VALUE_EMPTY``, or ``EVALUATION_WRITES`` in a function marked ``@evaluation``.
        """
        ...

    async def put_states(self, values: Mapping[str, bytes]) -> None:
        """Write several values by key, in the mapping's order; raises as ``put_state``, then writes none."""
        ...

    async def delete_state(self, key: str) -> None:
        """Delete ``key`` if the transaction commits; deleting a missing key is no error."""
        ...

    async def set_key_policy(self, key: str, policy: bytes, collection: str = "") -> None:
        """Let ``policy`` alone decide on later writes of ``key``, instead of the chaincode's policy.

        Args:
            key: a key that exists or is written by this transaction.
            policy: ``M(SignaturePolicyEnvelope)``, e.g. from ``signed_by_n_of``; ``b""`` removes the policy.
            collection: name of a private data collection, ``""`` for public state.
        """
        ...

    async def get_key_policy(self, key: str, collection: str = "") -> bytes | None:
        """Committed key-level policy of ``key`` (``M(SignaturePolicyEnvelope)``), ``None`` if it has none."""
        ...

    def get_range(self, start: str, end: str) -> StateIterator:
        """Simple keys from ``start`` (inclusive; ``""`` first) to ``end`` (exclusive; ``""`` last)."""
        ...

    async def get_range_page(self, start: str, end: str, page_size: int, bookmark: str = "") -> Page:
        """One page of a range; the transaction becomes read-only."""
        ...

    def create_composite_key(self, object_type: str, attributes: Sequence[str]) -> str:
        """Key of its own key space; parts must not contain U+0000 or U+10FFFF."""
        ...

    def split_composite_key(self, key: str) -> tuple[str, list[str]]:
        """Object type and attributes of a composite key; ``KeyInvalidError`` if it is none."""
        ...

    def get_by_partial_composite_key(self, object_type: str, attributes: Sequence[str]) -> StateIterator:
        """Composite keys that start with these parts."""
        ...

    async def get_by_partial_composite_key_page(
        self, object_type: str, attributes: Sequence[str], page_size: int, bookmark: str = ""
    ) -> Page:
        """One page of composite keys that start with these parts; the transaction becomes read-only."""
        ...

    def query(self, query: str) -> StateIterator:
        """Rich query in the state database's language; ``PeerError`` where it has none (LevelDB)."""
        ...

    async def query_page(self, query: str, page_size: int, bookmark: str = "") -> Page:
        """One page of a rich query; the transaction becomes read-only."""
        ...

    def history(self, key: str) -> EntryIterator[KeyModification]:
        """Committed changes of ``key``, newest first; not part of the read set."""
        ...

    # private data

    async def get_private(self, collection: str, key: str) -> bytes | None:
        """Private value of ``key``, ``None`` if there is none."""
        ...

    async def get_privates(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        """Private values in the order of ``keys``."""
        ...

    async def get_private_hash(self, collection: str, key: str) -> bytes | None:
        """SHA-256 of the private value, readable by non-members too; ``None`` if there is no value."""
        ...

    async def put_private(self, collection: str, key: str, value: bytes) -> None:
        """Write a private value; only its hash goes into the transaction."""
        ...

    async def put_privates(self, collection: str, values: Mapping[str, bytes]) -> None:
        """Write several private values by key; raises as ``put_private``, then writes none."""
        ...

    async def delete_private(self, collection: str, key: str) -> None:
        """Delete a private value from the collection's current state."""
        ...

    async def purge_private(self, collection: str, key: str) -> None:
        """Delete a private value and its history from the peers' private stores."""
        ...

    def get_private_range(self, collection: str, start: str, end: str) -> StateIterator:
        """As ``get_range``, over a collection; the transaction becomes read-only."""
        ...

    def get_private_by_partial_composite_key(
        self, collection: str, object_type: str, attributes: Sequence[str]
    ) -> StateIterator:
        """As ``get_by_partial_composite_key``, over a collection; the transaction becomes read-only."""
        ...

    def query_private(self, collection: str, query: str) -> StateIterator:
        """As ``query``, over a collection; the transaction becomes read-only."""
        ...

    # the rest

    def set_event(self, name: str, payload: bytes) -> None:
        """Attach the transaction's one event; a second call replaces the first. Dropped if the call fails."""
        ...

    async def invoke_chaincode(
        self, name: str, arguments: Sequence[bytes], channel: str = ""
    ) -> ChaincodeResponse:
        """Call another chaincode.

        On the same channel (``channel`` ``""`` or its own id) its reads and writes become part of this
        transaction; on another channel they are thrown away. The callee's event is discarded.
        """
        ...

    async def flush(self) -> None:
        """Send the writes gathered so far, so that a refusal by the peer is raised here."""
        ...
