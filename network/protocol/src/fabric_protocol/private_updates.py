"""What a block changes in the private data that one organization holds.

Source: Fabric ``core/ledger/kvledger/txmgmt/validation/batch_preparer.go``.
"""

from collections.abc import Mapping
from hashlib import sha256

from fabric_protocol.errors import EncodingError
from fabric_protocol.private_rwset import PrivateCollection, PrivateWriteSet, decode_private_rwset
from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.rwset_builder import key_hash
from fabric_protocol.state import PrivateReader, Version
from fabric_protocol.updates import HashedUpdate, PrivateUpdate
from fabric_protocol.validation import ValidatedBlock
from fabric_protocol.validation_codes import ValidationCode

_Key = tuple[str, str, str]


def private_updates(
    number: int, validated: ValidatedBlock, private_sets: Mapping[int, bytes], held: PrivateReader
) -> tuple[PrivateUpdate, ...]:
    """Net private updates of a block.

    Deletions and purges of keys whose write sets an organization does not have are not among them: it finds
    its copies by the hashes in `UpdateBatch.hashed` and `UpdateBatch.purges`.

    Parameters:
        number: of the block.
        validated: the block judged.
        private_sets: by index of the transaction, M(TxPvtReadWriteSet) with the collections that the
            organization may hold. Sets may be missing; those of invalid transactions are left alone.
        held: the organization's private data before the block.

    Returns:
        Updates sorted by namespace, collection and key.

    Raises:
        EncodingError: BAD_PRIVATE_RWSET; PRIVATE_HASH_MISMATCH, if a set is not the one that was endorsed.
    """
    updates: dict[_Key, PrivateUpdate] = {}
    renewed: set[_Key] = set()
    for index, rwset in enumerate(validated.rwsets):
        encoded = private_sets.get(index)
        if rwset is None or encoded is None or validated.codes[index] != ValidationCode.VALID:
            continue
        private = decode_private_rwset(encoded)
        check_private_hashes(private, rwset)
        for namespace in private.namespaces:
            for collection in namespace.collections:
                _apply(updates, namespace.namespace, collection, Version(number, index))
                renewed.update(
                    (namespace.namespace, collection.name, key) for key in collection.metadata_keys
                )
    _renew_versions(updates, renewed, validated, held)
    return tuple(updates[key] for key in sorted(updates))


def check_private_hashes(private: PrivateWriteSet, rwset: ReadWriteSet) -> None:
    """Check that a private write set is the one whose hashes were endorsed.

    Raises:
        EncodingError: PRIVATE_HASH_MISMATCH, naming namespace and collection.
    """
    endorsed = {
        (namespace.namespace, collection.name): collection.private_hash
        for namespace in rwset.namespaces
        for collection in namespace.collections
    }
    for namespace in private.namespaces:
        for collection in namespace.collections:
            expected = endorsed.get((namespace.namespace, collection.name))
            if sha256(collection.data).digest() != expected:
                raise EncodingError(
                    "PRIVATE_HASH_MISMATCH",
                    f"hash of pvt data for collection [{namespace.namespace}:{collection.name}] does not "
                    "match with the corresponding hash in the public data",
                )


def _apply(
    updates: dict[_Key, PrivateUpdate], namespace: str, collection: PrivateCollection, version: Version
) -> None:
    for write in collection.writes:
        value = None if write.deletes else write.value
        updates[namespace, collection.name, write.key] = PrivateUpdate(
            namespace, collection.name, write.key, value, version
        )


def _renew_versions(
    updates: dict[_Key, PrivateUpdate], renewed: set[_Key], validated: ValidatedBlock, held: PrivateReader
) -> None:
    # A change of metadata moves the hash's version; unless the value's version moves with it, the value
    # would be taken for an outdated one.
    hashed: dict[tuple[str, str, bytes], HashedUpdate] = {
        (update.namespace, update.collection, update.key_hash): update for update in validated.updates.hashed
    }
    for namespace, collection, key in sorted(renewed):
        target = hashed.get((namespace, collection, key_hash(key)))
        value = _latest(updates, held, (namespace, collection, key))
        if target is not None and value is not None and sha256(value).digest() == target.value_hash:
            updates[namespace, collection, key] = PrivateUpdate(
                namespace, collection, key, value, target.version
            )


def _latest(updates: Mapping[_Key, PrivateUpdate], held: PrivateReader, key: _Key) -> bytes | None:
    if key in updates:
        return updates[key].value
    found = held.get(*key)
    return found.value if found else None
