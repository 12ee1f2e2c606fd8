"""What a simulation wrote privately: kept, synced, before anybody gets the endorsement of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from hashlib import sha256
from typing import TYPE_CHECKING

from fabric_embedded.chaincode.private_access import find_collection
from fabric_embedded.endorsement.runs import SimulationFailed
from fabric_embedded.storage.private_store import PendingSet, PrivateStore
from fabric_protocol.collections import is_member
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE, read_definition

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.identities import Identity
    from fabric_protocol.private_rwset import PrivateWriteSet
    from fabric_protocol.state import StateReader


class PendingWriter:
    """Writes private sets to one organization's store; those that come while it syncs share the next sync.

    Parameters:
        store: of the organization.
        executor: where the writing blocks.
    """

    def __init__(self, store: PrivateStore, executor: Executor) -> None:
        self._store = store
        self._executor = executor
        self._waiting: list[tuple[Sequence[PendingSet], int, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def add(self, sets: Sequence[PendingSet], height: int) -> None:
        """Keep these sets; they are synced when it returns.

        Raises:
            LedgerError: LEDGER_WRITE_FAILED.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((sets, height, done))
        if self._task is None:
            self._task = asyncio.create_task(self._write_all())
        await done

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write(batch)
        finally:
            self._task = None

    async def _write(self, batch: list[tuple[Sequence[PendingSet], int, asyncio.Future[None]]]) -> None:
        sets = [kept for part, _, _ in batch for kept in part]
        height = min(height for _, height, _ in batch)
        failure: BaseException | None = None
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._executor, self._store.add_pending, sets, height)
        except BaseException as error:
            failure = error
        for _, _, done in batch:
            if done.done():
                continue
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)


def pending_sets(transaction_id: str, private: PrivateWriteSet) -> list[PendingSet]:
    """The sets of a simulation as they wait for their transaction."""
    return [
        PendingSet(
            transaction_id,
            namespace.namespace,
            collection.name,
            sha256(collection.data).digest(),
            collection.data,
        )
        for namespace in private.namespaces
        for collection in namespace.collections
    ]


def check_dissemination(
    private: PrivateWriteSet,
    *,
    msp_id: str,
    peers: Mapping[str, Identity],
    state: StateReader,
    config: ChannelConfig,
) -> None:
    """Refuse to endorse private writes that too few other members could take over for their collection.

    Raises:
        SimulationFailed: as `core/endorser` answers a failed distribution.
    """
    for namespace in private.namespaces:
        if namespace.namespace == LIFECYCLE_NAMESPACE:
            continue
        definition = read_definition(state, namespace.namespace)
        for written in namespace.collections:
            collection = find_collection(definition.collections if definition else b"", written.name, config)
            if collection is None or not collection.required_peer_count:
                continue
            others = sum(
                other != msp_id and is_member(collection, peer, config.msps) for other, peer in peers.items()
            )
            if others < collection.required_peer_count:
                raise SimulationFailed(
                    "error in simulation: failed to distribute private collection: required to "
                    f"disseminate to at least {collection.required_peer_count} peers, but know of only "
                    f"{others} eligible peers"
                )
