"""How many consents of each custodian began and ended on each day, counted from what is indexed already."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_RECORDS = sa.table(
    "records", *map(sa.column, ("kind", "record_id", "owner", "state", "honoured", "first_block"))
)
_CHANGES = sa.table(
    "changes", *map(sa.column, ("kind", "record_id", "state", "honoured", "block", "recorded_at"))
)


def upgrade() -> None:
    """Create the table and count."""
    days = op.create_table(
        "consent_days",
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("began", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("custodian", "day"),
    )
    counted = sa.union_all(_changed("given", 1, 0), _changed("ended", 0, 1)).subquery()
    names = (counted.c.custodian, counted.c.day)
    query = sa.select(*names, sa.func.sum(counted.c.began), sa.func.sum(counted.c.ended)).group_by(*names)
    op.execute(sa.insert(days).from_select(["custodian", "day", "began", "ended"], query))


def _changed(what: str, began: int, ended: int) -> Any:
    """The first change of every consent to being in force, or to being so no more, with its day."""
    change, record = _CHANGES.c, _RECORDS.c
    in_force = change.state == "given" if what == "given" else change.state != "given"
    first = (
        sa.select(change.record_id, sa.func.min(change.recorded_at).label("at"))
        .where(change.kind == "consent", change.honoured, in_force)
        .group_by(change.record_id)
        .subquery()
    )
    joined = sa.join(_RECORDS, first, record.record_id == first.c.record_id)
    return (
        sa.select(
            record.owner.label("custodian"),
            sa.func.substr(first.c.at, 1, 10).label("day"),
            sa.literal(began).label("began"),
            sa.literal(ended).label("ended"),
        )
        .select_from(joined)
        .where(record.kind == "consent")
    )
