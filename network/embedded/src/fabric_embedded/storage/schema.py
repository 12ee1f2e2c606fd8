"""Tables of the ledger's files. Keys are the bytes of their UTF-8 form, so that they sort as Fabric's do."""

from __future__ import annotations

VERSION = 4

COMPATIBLE = (2, 3)
"""Earlier versions whose files are taken over: `LEDGER_BEFORE_4` and `PRIVATE_BEFORE_4` change them."""

# Few keys have metadata, and every key that is written is asked for it.
_WITH_METADATA = (
    "CREATE INDEX state_with_metadata ON state (namespace, key) WHERE metadata <> x''",
    "CREATE INDEX hashed_with_metadata ON hashed_state (namespace, collection, key_hash)"
    " WHERE metadata <> x''",
)

# In a trigger the words "OR IGNORE" give way to what the statement outside says.
_KEPT_VERSIONS = (
    """CREATE TRIGGER state_replaced AFTER UPDATE ON state BEGIN
        INSERT INTO history VALUES (old.namespace, old.key, old.block, old.position) ON CONFLICT DO NOTHING;
    END""",
    """CREATE TRIGGER state_deleted AFTER DELETE ON state BEGIN
        INSERT INTO history VALUES (old.namespace, old.key, old.block, old.position) ON CONFLICT DO NOTHING;
    END""",
)

LEDGER = (
    """CREATE TABLE blocks (
        number INTEGER PRIMARY KEY, header_hash BLOB NOT NULL, is_private INTEGER NOT NULL, data BLOB NOT NULL
    )""",
    "CREATE INDEX blocks_by_hash ON blocks (header_hash)",
    "CREATE INDEX private_blocks ON blocks (number) WHERE is_private",
    # The first transaction of an id, valid or not: a later one of the same id is never found by it.
    """CREATE TABLE transactions (
        id TEXT PRIMARY KEY, block INTEGER NOT NULL, position INTEGER NOT NULL, code INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE state (
        namespace TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, metadata BLOB NOT NULL,
        block INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (namespace, key)
    ) WITHOUT ROWID""",
    """CREATE TABLE hashed_state (
        namespace TEXT NOT NULL, collection TEXT NOT NULL, key_hash BLOB NOT NULL, value_hash BLOB NOT NULL,
        metadata BLOB NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL, expires INTEGER,
        PRIMARY KEY (namespace, collection, key_hash)
    ) WITHOUT ROWID""",
    # `expires` is the block with whose commit a key goes; NULL for never.
    "CREATE INDEX hashed_by_expiry ON hashed_state (expires) WHERE expires IS NOT NULL",
    # Earlier versions of a key, and its deletions; where it was written last, its state says.
    """CREATE TABLE history (
        namespace TEXT NOT NULL, key BLOB NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (namespace, key, block, position)
    ) WITHOUT ROWID""",
    *_KEPT_VERSIONS,
    *_WITH_METADATA,
)

LEDGER_BEFORE_4 = (*_KEPT_VERSIONS, *_WITH_METADATA)
"""What makes the ledger of an earlier version this one's."""

# Values stand one after the other as they come, and only the indexes are in the order of keys and of hashes:
# keys and hashes come in no order, and where the rows themselves stood in theirs, each would change a page.
_DATA = (
    """CREATE TABLE data (
        namespace TEXT NOT NULL, collection TEXT NOT NULL, key BLOB NOT NULL, key_hash BLOB NOT NULL,
        value BLOB NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL, expires INTEGER
    )""",
    "CREATE UNIQUE INDEX data_by_key ON data (namespace, collection, key)",
    # Eight bytes find a row or two; the whole hash is compared then.
    "CREATE INDEX data_by_hash ON data (substr(key_hash, 1, 8))",
    "CREATE INDEX data_by_expiry ON data (expires) WHERE expires IS NOT NULL",
)

_KEPT_PLACES = (
    """CREATE TRIGGER data_replaced AFTER UPDATE ON data BEGIN
        INSERT INTO written_keys SELECT old.key_hash, id FROM write_sets
        WHERE (block, position, namespace, collection)
            = (old.block, old.position, old.namespace, old.collection)
        ON CONFLICT DO NOTHING;
    END""",
    """CREATE TRIGGER data_deleted AFTER DELETE ON data BEGIN
        INSERT INTO written_keys SELECT old.key_hash, id FROM write_sets
        WHERE (block, position, namespace, collection)
            = (old.block, old.position, old.namespace, old.collection)
        ON CONFLICT DO NOTHING;
    END""",
)

PRIVATE = (
    *_DATA,
    # What each committed transaction wrote: M(KVRWSet) of one collection, for those who follow blocks.
    """CREATE TABLE write_sets (
        id INTEGER PRIMARY KEY, block INTEGER NOT NULL, position INTEGER NOT NULL, namespace TEXT NOT NULL,
        collection TEXT NOT NULL, expires INTEGER, data BLOB NOT NULL
    )""",
    "CREATE INDEX write_sets_by_block ON write_sets (block)",
    "CREATE INDEX write_sets_by_expiry ON write_sets (expires) WHERE expires IS NOT NULL",
    # Where a purge finds copies of a key that `data` does not tell of: one that it holds is in the set of the
    # transaction that its row names.
    """CREATE TABLE written_keys (
        key_hash BLOB NOT NULL, write_set INTEGER NOT NULL, PRIMARY KEY (key_hash, write_set)
    ) WITHOUT ROWID""",
    # What was endorsed and is not committed yet: M(KVRWSet) of one collection, under the hash that the
    # transaction names.
    """CREATE TABLE pending (
        transaction_id TEXT NOT NULL, namespace TEXT NOT NULL, collection TEXT NOT NULL, hash BLOB NOT NULL,
        height INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (transaction_id, namespace, collection, hash)
    ) WITHOUT ROWID""",
    "CREATE INDEX pending_by_height ON pending (height)",
    "CREATE TABLE progress (height INTEGER NOT NULL, purging INTEGER NOT NULL)",
    "INSERT INTO progress (height, purging) VALUES (0, 0)",
    *_KEPT_PLACES,
)

PRIVATE_BEFORE_4 = (
    "DROP INDEX data_by_hash",
    "DROP INDEX data_by_expiry",
    "ALTER TABLE data RENAME TO data_before",
    *_DATA,
    "INSERT INTO data SELECT * FROM data_before",
    "DROP TABLE data_before",
    *_KEPT_PLACES,
)
"""What makes the private data of an earlier version this one's."""
