"""Consents in force, their terms, and limits of subjects as rows; migration 0003 has all indexed anew."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "given_consents",
        sa.Column("consent_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("not_before", sa.String(), nullable=False),
        sa.Column("not_after", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("consent_id"),
    )
    op.create_table(
        "consent_terms",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "subject_limits",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    asked = ["custodian", "subject", "terms", "not_before", "not_after"]
    op.create_index("given_consents_by_subject", "given_consents", asked, unique=False)
    op.create_index("subject_limits_by_custodian", "subject_limits", ["custodian"], unique=False)
