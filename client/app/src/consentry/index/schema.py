"""Tables of the trail index: what was verified, what the ledger holds, what verification needs to go on.

Names, ids and times are text as on the ledger: its instants sort as text. Keys of the verified state are
bytes, because Fabric orders keys by their UTF-8 bytes and a database's collation may not.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    literal_column,
)

REVISION = "0011"
"""The migration that leads to these tables; a change of them comes with the next one in ``migrations``."""

version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Where Alembic keeps which migration the tables are at."""

INVALID: ColumnElement[bool] = literal_column("code", Integer) != literal_column("0", Integer)
"""Which transactions have no effect: few, so that they have an index of their own."""

metadata = MetaData()
# An index on what is asked for ends with the order of the answer: a page is read, not sorted.

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", String, nullable=False),
    Column("next_block", Integer, nullable=False),
    Column("header_hash", LargeBinary, nullable=False),
    Column("commit_hash", LargeBinary, nullable=False),
    Column("genesis_hash", LargeBinary, nullable=False),
    Column("config_block", LargeBinary, nullable=False),
    Column("last_config", Integer, nullable=False),
    Column("anchored", Boolean, nullable=False),
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("header_hash", LargeBinary, nullable=False),
)

transactions = Table(
    "transactions",
    metadata,
    Column("block", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("transaction_id", String, nullable=False),
    Column("code", Integer, nullable=False),
    Column("chaincode", String, nullable=False),
    Column("function", String, nullable=False),
    Column("creator_msp", String, nullable=False),
    Column("creator", String, nullable=False),
    Column("endorsers", String, nullable=False),
    Column("event", String, nullable=False),
    Column("proposal_time", String, nullable=False),
    Index("transactions_by_id", "transaction_id"),
    Index("transactions_by_creator", "creator", "block", "position"),
    Index("transactions_by_organization", "creator_msp", "block", "position"),
    Index("transactions_by_function", "function", "block", "position"),
    Index("transactions_by_code", "code", "block", "position"),
    Index("transactions_invalid", "block", "position", sqlite_where=INVALID, postgresql_where=INVALID),
)

records = Table(
    "records",
    metadata,
    Column("kind", String, primary_key=True),
    Column("record_id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("name", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("state", String, nullable=False),
    Column("honoured", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Column("first_block", Integer, nullable=False),
    Column("block", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("transaction_id", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Index("records_by_owner", "kind", "owner"),
    Index("records_by_name", "kind", "name"),
    Index("records_by_subject", "subject"),
    Index("records_by_block", "kind", "block", "position"),
)

changes = Table(
    "changes",
    metadata,
    Column("block", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("record_id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("honoured", Boolean, nullable=False),
    Column("transaction_id", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("endorsed", Boolean, nullable=False),
    Column("value", LargeBinary),
    Index("changes_by_record", "kind", "record_id", "block", "position"),
)

links = Table(
    "links",
    metadata,
    Column("from_kind", String, primary_key=True),
    Column("from_id", String, primary_key=True),
    Column("to_kind", String, primary_key=True),
    Column("to_id", String, primary_key=True),
    # All of a row, or SQLite reads every link of a kind from the other index, which has all of it.
    Index("links_back", "to_kind", "to_id", "from_kind", "from_id"),
)

accesses = Table(
    "accesses",
    metadata,
    Column("attempt_id", String, primary_key=True),
    Column("version_id", String, nullable=False),
    Column("custodian", String, nullable=False),
    Column("requester_msp", String, nullable=False),
    Column("requester", String, nullable=False),
    Column("roles", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("commercial", Boolean, nullable=False),
    Column("attempted_at", String, nullable=False),
    Column("block", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("transaction_id", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("grant_id", String, nullable=False),
    Column("decided_at", String, nullable=False),
    Column("permit_not_after", String, nullable=False),
    Column("decision_block", Integer),
    Column("decision_transaction_id", String, nullable=False),
    Index("accesses_by_place", "block", "position"),
    Index("accesses_by_version", "version_id", "block", "position"),
    Index("accesses_by_requester", "requester", "block", "position"),
    Index("accesses_by_organization", "requester_msp", "block", "position"),
    Index("accesses_by_outcome", "outcome", "block", "position"),
    Index("accesses_by_purpose", "purpose", "block", "position"),
    Index("accesses_by_custodian", "custodian", "block", "position"),
    Index("accesses_by_grant", "grant_id"),
    Index("accesses_by_recipient", "version_id", "requester_msp", "outcome"),
)

denials = Table(
    "denials",
    metadata,
    # Of the attempt, so that a reason's attempts are found in the order of the answer.
    Column("code", String, primary_key=True),
    Column("block", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("attempt_id", String, nullable=False),
)

block_hours = Table(
    "block_hours",
    metadata,
    Column("hour", String, primary_key=True),
    Column("first_block", Integer, nullable=False),
    Column("last_block", Integer, nullable=False),
)

given_consents = Table(
    "given_consents",
    metadata,
    Column("consent_id", String, primary_key=True),
    Column("subject", String, nullable=False),
    Column("custodian", String, nullable=False),
    Column("terms", String, nullable=False),
    Column("not_before", String, nullable=False),
    Column("not_after", String, nullable=False),
    # All that is asked of it, so that no row is read for it.
    Index("given_consents_by_subject", "custodian", "subject", "terms", "not_before", "not_after"),
)

consent_days = Table(
    "consent_days",
    metadata,
    Column("custodian", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("began", Integer, nullable=False),
    Column("ended", Integer, nullable=False),
)

consent_terms = Table(
    "consent_terms",
    metadata,
    Column("digest", String, primary_key=True),
    Column("body", Text, nullable=False),
)

subject_limits = Table(
    "subject_limits",
    metadata,
    Column("subject", String, primary_key=True),
    Column("custodian", String, nullable=False),
    Column("limits", Text, nullable=False),
    Index("subject_limits_by_custodian", "custodian"),
)

findings = Table(
    "findings",
    metadata,
    Column("block", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("record_id", String, primary_key=True),
    Column("code", String, primary_key=True),
    Column("sentence", Text, nullable=False),
)

ledger_state = Table(
    "ledger_state",
    metadata,
    Column("namespace", String, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
    Column("block", Integer, nullable=False),
    Column("position", Integer, nullable=False),
)

ledger_hashes = Table(
    "ledger_hashes",
    metadata,
    Column("namespace", String, primary_key=True),
    Column("collection", String, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("value_hash", LargeBinary, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
    Column("block", Integer, nullable=False),
    Column("position", Integer, nullable=False),
)

chains = Table(
    "chains",
    metadata,
    Column("name", String, primary_key=True),
    Column("custodian", String, nullable=False),
    Column("bucket", Integer, nullable=False),
    Column("head", LargeBinary),
    Index("chains_by_bucket", "custodian", "bucket", "name"),
)

chain_entries = Table(
    "chain_entries",
    metadata,
    Column("chain", String, primary_key=True),
    Column("block", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("record_id", String, primary_key=True),
    Column("custodian", String, nullable=False),
    Column("written_block", Integer, nullable=False),
    Column("written_position", Integer, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Index("chain_entries_by_record", "kind", "record_id", "chain"),
    Index("chain_entries_by_block", "custodian", "block"),
)

chain_buckets = Table(
    "chain_buckets",
    metadata,
    Column("custodian", String, primary_key=True),
    Column("bucket", Integer, primary_key=True),
    Column("root", LargeBinary, nullable=False),
)

followed_epochs = Table(
    "followed_epochs",
    metadata,
    Column("custodian", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("last_block", Integer, nullable=False),
    Column("limits_last_block", Integer, nullable=False),
)
