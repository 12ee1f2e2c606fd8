"""Tables of the ledger's files. Keys are the bytes of their UTF-8 form, so that they sort as Fabric's do."""

from __future__ import annotations

VERSION = 3

COMPATIBLE = (2,)
"""Earlier versions whose files are taken over as they are: they hold more than this one needs."""

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
)

PRIVATE = (
    """CREATE TABLE data (
        namespace TEXT NOT NULL, collection TEXT NOT NULL, key BLOB NOT NULL, key_hash BLOB NOT NULL,
        value BLOB NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL, expires INTEGER,
        PRIMARY KEY (namespace, collection, key)
    ) WITHOUT ROWID""",
    "CREATE INDEX data_by_hash ON data (namespace, collection, key_hash)",
    "CREATE INDEX data_by_expiry ON data (expires) WHERE expires IS NOT NULL",
    # What each committed transaction wrote: M(KVRWSet) of one collection, for those who follow blocks.
    """CREATE TABLE write_sets (
        id INTEGER PRIMARY KEY, block INTEGER NOT NULL, position INTEGER NOT NULL, namespace TEXT NOT NULL,
        collection TEXT NOT NULL, expires INTEGER, data BLOB NOT NULL
    )""",
    "CREATE INDEX write_sets_by_block ON write_sets (block)",
    "CREATE INDEX write_sets_by_expiry ON write_sets (expires) WHERE expires IS NOT NULL",
    # Where a purge finds every copy of a key.
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
)
