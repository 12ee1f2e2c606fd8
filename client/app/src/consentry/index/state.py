"""The verified state in the index's database: what validation of the next block reads."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Table, and_, bindparam, delete, select

from consentry.index.bulk import Row, replace_rows
from consentry.index.schema import ledger_hashes, ledger_state, transactions
from fabric_protocol.state import StateReader, Version, VersionedValue, metadata_among
from fabric_protocol.updates import HashedUpdate, PublicUpdate, UpdateBatch

_KEYS_PER_QUERY = 400


class SqlLedgerState:
    """A ``LedgerState`` within one database transaction: what ``apply`` writes is undone if that fails.

    Args:
        connection: an open connection in a transaction; not closed here.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._state = SqlStateReader(connection)

    @property
    def state(self) -> StateReader:
        """Committed keys and hashes."""
        return self._state

    def known_transactions(self, transaction_ids: Iterable[str]) -> frozenset[str]:
        """Which of some transaction ids indexed blocks hold; the ids are rows of the index."""
        column, found = transactions.c.transaction_id, set[str]()
        wanted = sorted(set(transaction_ids))
        for start in range(0, len(wanted), _KEYS_PER_QUERY):
            part = wanted[start : start + _KEYS_PER_QUERY]
            found.update(self._connection.scalars(select(column).where(column.in_(part))))
        return frozenset(found)

    def apply(self, updates: UpdateBatch, transaction_ids: Iterable[str]) -> None:
        """Take over a block's net updates; its transaction ids are written with its rows, not here."""
        _store(
            self._connection,
            ledger_state,
            [_public_key(update) for update in updates.public if update.value is None],
            [_public_row(update) for update in updates.public if update.value is not None],
        )
        _store(
            self._connection,
            ledger_hashes,
            [_hashed_key(update) for update in updates.hashed if update.value_hash is None],
            [_hashed_row(update) for update in updates.hashed if update.value_hash is not None],
        )


class SqlStateReader:
    """A ``fabric_protocol`` state reader over the tables ``ledger_state`` and ``ledger_hashes``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, namespace: str, key: str) -> VersionedValue | None:
        """Committed value of a public key; None where the key is missing."""
        return self.get_many(namespace, (key,))[0]

    def get_many(self, namespace: str, keys: Sequence[str]) -> list[VersionedValue | None]:
        """Committed values of several public keys, in the order of ``keys``."""
        table, found = ledger_state.c, {}
        encoded = [key.encode() for key in keys]
        for start in range(0, len(encoded), _KEYS_PER_QUERY):
            wanted = encoded[start : start + _KEYS_PER_QUERY]
            query = select(ledger_state).where(and_(table.namespace == namespace, table.key.in_(wanted)))
            for row in self._connection.execute(query):
                found[row.key] = VersionedValue(row.value, row.metadata, Version(row.block, row.position))
        return [found.get(key) for key in encoded]

    def scan(self, namespace: str, start: str, end: str) -> Iterator[tuple[str, VersionedValue]]:
        """Public keys in the order of their UTF-8 bytes; ``start`` included, ``end`` excluded, "" open."""
        table = ledger_state.c
        query = select(ledger_state).where(table.namespace == namespace, table.key >= start.encode())
        if end:
            query = query.where(table.key < end.encode())
        for row in self._connection.execute(query.order_by(table.key)).all():
            yield row.key.decode(), VersionedValue(row.value, row.metadata, Version(row.block, row.position))

    def get_hashed(self, namespace: str, collection: str, key_hash: bytes) -> VersionedValue | None:
        """Hash of a private value, with its version; None where the key is missing."""
        return self.get_many_hashed(namespace, collection, (key_hash,))[0]

    def get_many_hashed(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> list[VersionedValue | None]:
        """Hashes of several private values, in the order of ``key_hashes``."""
        table, found = ledger_hashes.c, {}
        collection_rows = and_(table.namespace == namespace, table.collection == collection)
        for start in range(0, len(key_hashes), _KEYS_PER_QUERY):
            wanted = key_hashes[start : start + _KEYS_PER_QUERY]
            query = select(ledger_hashes).where(collection_rows, table.key_hash.in_(wanted))
            for row in self._connection.execute(query):
                version = Version(row.block, row.position)
                found[row.key_hash] = VersionedValue(row.value_hash, row.metadata, version)
        return [found.get(key_hash) for key_hash in key_hashes]

    def metadata_of(self, namespace: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Metadata of those among some public keys that have any."""
        table, found = ledger_state.c, {}
        with_metadata = and_(table.namespace == namespace, table.metadata != b"")
        query = select(table.key, table.metadata).where(with_metadata)
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            wanted = [key.encode() for key in keys[start : start + _KEYS_PER_QUERY]]
            for row in self._connection.execute(query.where(table.key.in_(wanted))):
                found[row.key.decode()] = row.metadata
        return found

    def hashed_metadata_of(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Metadata of those among some private keys that have any, by the hash of the key."""
        return metadata_among(key_hashes, self.get_many_hashed(namespace, collection, key_hashes))


def _store(connection: Connection, table: Table, gone: Sequence[Row], rows: Sequence[Row]) -> None:
    """Delete rows by their keys, and write others whole, whether they were there or not."""
    if gone:
        condition = and_(
            *(table.c[column.name] == _key_parameter(column.name) for column in table.primary_key)
        )
        connection.execute(delete(table).where(condition), [_parameters(key) for key in gone])
    replace_rows(connection, table, rows)


def _key_parameter(name: str) -> BindParameter[Any]:
    return bindparam(f"of_{name}")


def _parameters(key: Row) -> dict[str, Any]:
    return {f"of_{name}": value for name, value in key.items()}


def _public_key(update: PublicUpdate) -> dict[str, Any]:
    return {"namespace": update.namespace, "key": update.key.encode()}


def _public_row(update: PublicUpdate) -> dict[str, Any]:
    return _public_key(update) | {
        "value": update.value,
        "metadata": update.metadata,
        "block": update.version.block,
        "position": update.version.transaction,
    }


def _hashed_key(update: HashedUpdate) -> dict[str, Any]:
    return {"namespace": update.namespace, "collection": update.collection, "key_hash": update.key_hash}


def _hashed_row(update: HashedUpdate) -> dict[str, Any]:
    return _hashed_key(update) | {
        "value_hash": update.value_hash,
        "metadata": update.metadata,
        "block": update.version.block,
        "position": update.version.transaction,
    }
