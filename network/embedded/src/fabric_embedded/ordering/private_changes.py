"""What a committed block means to each organization's private data, from what was endorsed and waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from fabric_protos.ledger.rwset import rwset_pb2

from fabric_embedded.chaincode.private_access import find_collection
from fabric_embedded.storage.private_store import PrivateBlock, PrivateStore
from fabric_embedded.storage.write_sets import WriteSet
from fabric_protocol.blocks import parse_block, transaction_flags
from fabric_protocol.collections import is_member
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE, read_definition
from fabric_protocol.errors import EncodingError
from fabric_protocol.private_updates import private_updates
from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.state import Version
from fabric_protocol.transactions import Transaction
from fabric_protocol.updates import HashedUpdate, Purge, UpdateBatch
from fabric_protocol.validation import ValidatedBlock
from fabric_protocol.validation_codes import ValidationCode

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.identities import Identity
    from fabric_protocol.state import PrivateReader, StateReader

_log = logging.getLogger(__name__)

IsHolder = Callable[[str, str], bool]
"""Whether an organization holds (chaincode, collection)."""


def changes_private_data(validated: ValidatedBlock) -> bool:
    """Whether any valid transaction of the block touched private hashes."""
    return any(True for _ in _private_sets(validated)) or bool(validated.updates.hashed)


def holdings(peer: Identity, state: StateReader, config: ChannelConfig) -> IsHolder:
    """Which collections the organization of a peer holds, by the definitions in `state`."""
    found: dict[tuple[str, str], bool] = {}

    def is_holder(chaincode: str, name: str) -> bool:
        if (chaincode, name) not in found:
            definition = None if chaincode == LIFECYCLE_NAMESPACE else read_definition(state, chaincode)
            collection = find_collection(definition.collections if definition else b"", name, config)
            found[chaincode, name] = collection is not None and is_member(collection, peer, config.msps)
        return found[chaincode, name]

    return is_holder


def private_block(
    number: int,
    validated: ValidatedBlock,
    *,
    msp_id: str,
    is_holder: IsHolder,
    stores: Mapping[str, PrivateStore],
    held: PrivateReader,
    lifetimes: Mapping[tuple[str, str], int],
) -> PrivateBlock:
    """What one organization has to change.

    A set that its own peer did not endorse is taken from another organization's peer that did: as in Fabric,
    a member of a collection pulls what it lacks from the endorsers.

    Parameters:
        number: of the block.
        validated: the block judged.
        msp_id: of the organization.
        is_holder: what it holds.
        stores: every organization's private store.
        held: its private data before the block.
        lifetimes: block_to_live of the collections that the block writes and whose data expires.
    """
    sources = _Sources(stores[msp_id], [store for other, store in stores.items() if other != msp_id])
    sets: dict[int, bytes] = {}
    for index, transaction_id, rwset in _private_sets(validated):
        collected = _collect(transaction_id, rwset, is_holder, sources)
        if collected is not None:
            sets[index] = collected
    removals = [
        Purge(update.namespace, update.collection, update.key_hash, update.version)
        for update in validated.updates.hashed
        if update.value_hash is None
    ]
    return PrivateBlock(
        number,
        updates=private_updates(number, validated, sets, held) if sets else (),
        removals=removals,
        purged=validated.updates.purges,
        settled=[found.transaction_id for found in validated.transactions if found is not None],
        is_borrowed=sources.has_borrowed,
        sets=[kept for index, encoded in sets.items() for kept in _write_sets(index, encoded)],
        lifetimes=lifetimes,
    )


def _write_sets(position: int, encoded: bytes) -> Iterator[WriteSet]:
    for namespace in rwset_pb2.TxPvtReadWriteSet.FromString(encoded).ns_pvt_rwset:
        for collection in namespace.collection_pvt_rwset:
            yield WriteSet(position, namespace.namespace, collection.collection_name, collection.rwset)


def restore_validated(data: bytes, state: StateReader) -> ValidatedBlock:
    """The part of a judged block that private data depends on, from the block as it is stored.

    Parameters:
        data: M(Block) with flags.
        state: state after the block, or after later ones.
    """
    block = parse_block(data)
    number, codes = block.header.number, tuple(transaction_flags(block))
    transactions = tuple(_read(entry) for entry in block.data.data)
    rwsets = tuple(
        decode_rwset(found.results) if found is not None and code == ValidationCode.VALID else None
        for found, code in zip(transactions, codes, strict=True)
    )
    hashed, purges = [], []
    for index, rwset in enumerate(rwsets):
        for namespace, collection, key_hash, is_purge in _hashed_keys(rwset):
            now = state.get_hashed(namespace, collection, key_hash)
            if is_purge:
                purges.append(Purge(namespace, collection, key_hash, Version(number, index)))
            if now is not None and now.version.block == number:
                hashed.append(HashedUpdate(namespace, collection, key_hash, now.value, now.version, False))
    updates = UpdateBatch(hashed=tuple(hashed), purges=tuple(purges))
    identifiers = tuple(found.transaction_id if found is not None else "" for found in transactions)
    return ValidatedBlock(codes, updates, identifiers, transactions, rwsets, None)


class _Sources:
    """Where an organization finds endorsed private sets: at its own peer first."""

    def __init__(self, own: PrivateStore, others: Iterable[PrivateStore]) -> None:
        self._own = own
        self._others = tuple(others)
        self.has_borrowed = False

    def find(self, transaction_id: str, namespace: str, collection: str, set_hash: bytes) -> bytes | None:
        name = (transaction_id, namespace, collection, set_hash)
        own = self._own.pending(*name)
        if own is not None:
            return own
        for store in self._others:
            found = store.pending(*name)
            if found is not None:
                self.has_borrowed = True
                return found
        return None


def _private_sets(validated: ValidatedBlock) -> Iterator[tuple[int, str, ReadWriteSet]]:
    for index, rwset in enumerate(validated.rwsets):
        transaction = validated.transactions[index]
        if rwset is None or transaction is None or validated.codes[index] != ValidationCode.VALID:
            continue
        if any(collection.private_hash for entry in rwset.namespaces for collection in entry.collections):
            yield index, transaction.transaction_id, rwset


def _collect(
    transaction_id: str, rwset: ReadWriteSet, is_holder: IsHolder, sources: _Sources
) -> bytes | None:
    message = rwset_pb2.TxPvtReadWriteSet()
    for entry in rwset.namespaces:
        for collection in entry.collections:
            if not collection.private_hash or not is_holder(entry.namespace, collection.name):
                continue
            data = sources.find(transaction_id, entry.namespace, collection.name, collection.private_hash)
            if data is None:
                _log.warning(
                    "private data of transaction %s in collection %s is missing",
                    transaction_id,
                    collection.name,
                )
                continue
            namespace = message.ns_pvt_rwset.add(namespace=entry.namespace)
            namespace.collection_pvt_rwset.add(collection_name=collection.name, rwset=data)
    return bytes(message.SerializeToString()) if message.ns_pvt_rwset else None


def _hashed_keys(rwset: ReadWriteSet | None) -> Iterator[tuple[str, str, bytes, bool]]:
    for entry in rwset.namespaces if rwset else ():
        for collection in entry.collections:
            for write in collection.writes:
                yield entry.namespace, collection.name, write.key_hash, write.is_purge
            for metadata_write in collection.metadata_writes:
                yield entry.namespace, collection.name, metadata_write.key_hash, False


def _read(entry: bytes) -> Transaction | None:
    try:
        return Transaction.from_envelope(entry)
    except EncodingError:
        return None
