"""Whether data may leave the European Economic Area, by where the ledger says that recipients are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from consentry.index.rows import find_records
from consentry.reports.values import Unavailable, Value

# fmt: off
EUROPEAN_ECONOMIC_AREA = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI",
    "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU",
    "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})
# fmt: on
"""The members (ISO 3166-1): to all others Chapter V of the GDPR applies (EEA Joint Committee 154/2018)."""

NONE = "none: every recipient is in the European Economic Area"


def countries_of_members(connection: Connection) -> dict[str, str | None]:
    """MSP id → the country that the ledger's settings name for the organization, None for none."""
    settings = find_records(connection, "settings")
    return {entry["msp_id"]: entry.get("country") for row in settings for entry in row.body["organizations"]}


def third_country_recipients(recipients: Iterable[str], countries: Mapping[str, str | None]) -> Value:
    """Which recipients are in third countries (GDPR Art. 13(1)(f), 15(1)(c), 30(1)(e)).

    Args:
        recipients: MSP ids.
        countries: as `countries_of_members`.
    """
    found = sorted(set(recipients))
    if not found:
        return "none: there is no recipient"
    unknown = [msp_id for msp_id in found if countries.get(msp_id) is None]
    if len(unknown) == len(found):
        return Unavailable(f"the ledger names no country of {', '.join(unknown)}")
    outside = [
        f"{msp_id} is in {country}"
        for msp_id in found
        if (country := countries.get(msp_id)) is not None and country not in EUROPEAN_ECONOMIC_AREA
    ]
    told = [*outside, *(f"{msp_id}: the ledger names no country" for msp_id in unknown)]
    return tuple(told) or NONE
