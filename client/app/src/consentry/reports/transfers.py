"""Whether data may leave the European Economic Area, by where the ledger says that recipients are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from consentry.reports.members import Member
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
NOBODY = "none: there is no recipient"
NOT_NEEDED = "none needed: no recipient is in a third country"


def third_country_recipients(recipients: Iterable[str], members: Mapping[str, Member]) -> Value:
    """Which recipients are in third countries (GDPR Art. 13(1)(f), 15(1)(c), 30(1)(e)).

    Args:
        recipients: MSP ids.
        members: as `members_of`.
    """
    found = sorted(set(recipients))
    if not found:
        return NOBODY
    countries = {name: members[name].country for name in found if name in members}
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


def safeguards_of(transfers: Value, otherwise: str) -> Value:
    """What is told of safeguards for transfers (GDPR Art. 15(2), 30(1)(e)) where nobody states them.

    Args:
        transfers: what is told of them: as `third_country_recipients` does, or the organization.
        otherwise: why safeguards are unavailable where there may be transfers.
    """
    return NOT_NEEDED if transfers in (NONE, NOBODY) else Unavailable(otherwise)
