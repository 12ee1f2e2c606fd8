"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables."""
    _create_accesses()
    _create_changes()
    _create_checkpoint()
    _create_findings()
    _create_ledger_hashes()
    _create_ledger_state()
    _create_links()
    _create_records()
    _create_transactions()


def _create_accesses() -> None:
    op.create_table(
        "accesses",
        sa.Column("attempt_id", sa.String(), nullable=False),
        sa.Column("version_id", sa.String(), nullable=False),
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("requester_msp", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("commercial", sa.Boolean(), nullable=False),
        sa.Column("attempted_at", sa.String(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("transaction_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("decided_at", sa.String(), nullable=False),
        sa.Column("permit_not_after", sa.String(), nullable=False),
        sa.Column("decision_block", sa.Integer(), nullable=True),
        sa.Column("decision_transaction_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id"),
    )
    op.create_index("accesses_by_custodian", "accesses", ["custodian", "block", "position"], unique=False)
    op.create_index("accesses_by_grant", "accesses", ["grant_id"], unique=False)
    op.create_index("accesses_by_place", "accesses", ["block", "position"], unique=False)
    op.create_index(
        "accesses_by_requester", "accesses", ["requester_msp", "requester", "block", "position"], unique=False
    )
    op.create_index("accesses_by_version", "accesses", ["version_id", "block", "position"], unique=False)


def _create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("honoured", sa.Boolean(), nullable=False),
        sa.Column("transaction_id", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("block", "position", "kind", "record_id"),
    )
    op.create_index("changes_by_record", "changes", ["kind", "record_id", "block", "position"], unique=False)


def _create_checkpoint() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("next_block", sa.Integer(), nullable=False),
        sa.Column("header_hash", sa.LargeBinary(), nullable=False),
        sa.Column("commit_hash", sa.LargeBinary(), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(), nullable=False),
        sa.Column("config_block", sa.LargeBinary(), nullable=False),
        sa.Column("last_config", sa.Integer(), nullable=False),
        sa.Column("anchored", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_findings() -> None:
    op.create_table(
        "findings",
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("block", "position", "kind", "record_id", "code"),
    )


def _create_ledger_hashes() -> None:
    op.create_table(
        "ledger_hashes",
        sa.Column("namespace", sa.String(), nullable=False),
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("value_hash", sa.LargeBinary(), nullable=False),
        sa.Column("metadata", sa.LargeBinary(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "collection", "key_hash"),
    )


def _create_ledger_state() -> None:
    op.create_table(
        "ledger_state",
        sa.Column("namespace", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("metadata", sa.LargeBinary(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "key"),
    )


def _create_links() -> None:
    op.create_table(
        "links",
        sa.Column("from_kind", sa.String(), nullable=False),
        sa.Column("from_id", sa.String(), nullable=False),
        sa.Column("to_kind", sa.String(), nullable=False),
        sa.Column("to_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("from_kind", "from_id", "to_kind", "to_id"),
    )
    op.create_index("links_back", "links", ["to_kind", "to_id", "from_kind"], unique=False)


def _create_records() -> None:
    op.create_table(
        "records",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("record_id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("honoured", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("first_block", sa.Integer(), nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("transaction_id", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "record_id"),
    )
    op.create_index("records_by_block", "records", ["kind", "block", "position"], unique=False)
    op.create_index("records_by_name", "records", ["kind", "name"], unique=False)
    op.create_index("records_by_owner", "records", ["kind", "owner"], unique=False)
    op.create_index("records_by_subject", "records", ["subject"], unique=False)


def _create_transactions() -> None:
    op.create_table(
        "transactions",
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("transaction_id", sa.String(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("code_name", sa.String(), nullable=False),
        sa.Column("chaincode", sa.String(), nullable=False),
        sa.Column("function", sa.String(), nullable=False),
        sa.Column("creator_msp", sa.String(), nullable=False),
        sa.Column("creator", sa.String(), nullable=False),
        sa.Column("endorsers", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("proposal_time", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("block", "position"),
    )
    op.create_index("transactions_by_code", "transactions", ["code", "block", "position"], unique=False)
    op.create_index(
        "transactions_by_creator",
        "transactions",
        ["creator_msp", "creator", "block", "position"],
        unique=False,
    )
    op.create_index("transactions_by_id", "transactions", ["transaction_id"], unique=False)
