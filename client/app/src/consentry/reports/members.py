"""The members of the consortium, as the ledger's settings name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from consentry.index.rows import find_records


@dataclass(frozen=True, slots=True)
class Member:
    """One member.

    Attributes:
        kind: ``hospital`` or ``regulator``.
        country: where it is (ISO 3166-1); None where the settings name none.
    """

    kind: str
    country: str | None


def members_of(connection: Connection) -> Mapping[str, Member]:
    """MSP id → member; empty where the index has no settings that can be read."""
    return {
        entry["msp_id"]: Member(entry["kind"], entry.get("country"))
        for row in find_records(connection, "settings")
        for entry in row.body.get("organizations", ())
    }
