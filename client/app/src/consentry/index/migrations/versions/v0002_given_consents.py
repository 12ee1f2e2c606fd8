"""Consents in force, their terms, and limits of subjects as rows, made of what the index holds."""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
_ROWS = 1000


def upgrade() -> None:
    """Create the tables and fill them."""
    consents = op.create_table(
        "given_consents",
        sa.Column("consent_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("not_before", sa.String(), nullable=False),
        sa.Column("not_after", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("consent_id"),
    )
    terms = op.create_table(
        "consent_terms",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    limits = op.create_table(
        "subject_limits",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("custodian", sa.String(), nullable=False),
        sa.Column("limits", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    _fill_consents(consents, terms)
    _fill_limits(limits)
    asked = ["custodian", "subject", "terms", "not_before", "not_after"]
    op.create_index("given_consents_by_subject", "given_consents", asked, unique=False)
    op.create_index("subject_limits_by_custodian", "subject_limits", ["custodian"], unique=False)


def _fill_consents(consents: sa.Table, terms: sa.Table) -> None:
    columns = ("kind", "record_id", "state", "honoured", "body")
    records = sa.table("records", *(sa.column(name) for name in columns))
    query = sa.select(records.c.record_id, records.c.body).where(
        records.c.kind == "consent", records.c.state == "given", records.c.honoured
    )
    digests: dict[str, str] = {}
    for part in op.get_bind().execute(query).partitions(_ROWS):
        op.bulk_insert(
            consents, [_consent(identifier, json.loads(body), digests) for identifier, body in part]
        )
    op.bulk_insert(terms, [{"digest": digest, "body": text} for text, digest in digests.items()])


def _consent(identifier: str, body: dict[str, Any], digests: dict[str, str]) -> dict[str, Any]:
    named = (body["purposes"], body["restrictions"], [*body["recipients"], body["custodian"]])
    text = json.dumps(named, separators=(",", ":"))
    digest = digests.setdefault(text, hashlib.sha256(text.encode()).hexdigest())
    names = ("subject", "custodian", "not_before", "not_after")
    return {"consent_id": identifier, "terms": digest, **{name: body[name] for name in names}}


def _fill_limits(table: sa.Table) -> None:
    state = sa.table("ledger_state", sa.column("key"), sa.column("value"))
    query = sa.select(state.c.key, state.c.value).where(state.c.key >= b"subject/", state.c.key < b"subject0")
    # By subject: another chaincode may have keys of that form, too.
    rows: dict[str, dict[str, str]] = {}
    for key, value in op.get_bind().execute(query):
        row = _limits(key.decode().removeprefix("subject/"), value)
        if row is not None:
            rows[row["subject"]] = row
    op.bulk_insert(table, list(rows.values()))


def _limits(subject: str, value: bytes) -> dict[str, str] | None:
    if b'"limits":[{' not in value:
        return None
    try:
        body = json.loads(value)
        limits = [(limit["kind"], limit["purposes"]) for limit in body["limits"]]
        return {"subject": subject, "custodian": body["custodian"], "limits": json.dumps(limits)}
    except (ValueError, KeyError, TypeError):
        return None
