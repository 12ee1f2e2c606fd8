"""Rows of which only some columns leave (ADR 26): which these are, and under which key they are proved.

Who has the dataset's secret can try values of the columns that it did not get until a row's digest fits.
With a part of the columns goes therefore a key of that attempt alone: under it the values that left are
digested, and the delivery's record on the ledger commits the custodian to them.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from consentry.request_signatures import RequestRefused

_LABEL = b"consentry/projection/1"


def chosen_columns(schema: Sequence[Sequence[str]], attempted: Sequence[str]) -> list[str]:
    """Return the columns that leave, in the order of a version's schema ([name, kind]); none named are all.

    Raises:
        RequestRefused: COLUMN_UNKNOWN.
    """
    names = [column[0] for column in schema]
    if not attempted:
        return names
    if not set(attempted) <= set(names):
        raise RequestRefused(
            400, "COLUMN_UNKNOWN", "the attempt names a column that the version does not have"
        )
    return [name for name in names if name in attempted]


def kinds_of(schema: Sequence[Sequence[str]], columns: Sequence[str]) -> list[list[str]]:
    """Return the part of a schema that has these columns."""
    return [list(column) for column in schema if column[0] in columns]


def value_key(secret: bytes, attempt_id: str) -> bytes:
    """Return the key (32 bytes) of the values of some columns under one attempt; the secret keeps hidden."""
    return hmac.digest(secret, _LABEL + attempt_id.encode(), "sha256")
