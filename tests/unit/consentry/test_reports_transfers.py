"""Third countries, by the countries that the ledger's settings name."""

from __future__ import annotations

import pytest

from consentry.reports.details import Details
from consentry.reports.members import Member
from consentry.reports.transfers import (
    EUROPEAN_ECONOMIC_AREA,
    NOBODY,
    NONE,
    NOT_NEEDED,
    safeguards_of,
    third_country_recipients,
)
from consentry.reports.values import Unavailable, Value

COUNTRIES = {"A": "DE", "B": "NO", "C": "US", "D": None}
MEMBERS = {name: Member("hospital", country) for name, country in COUNTRIES.items()}


@pytest.mark.parametrize(
    ("recipients", "told"),
    [
        ((), NOBODY),
        (("A", "B", "A"), NONE),
        (("C", "A"), ("C is in US",)),
        (("D", "C", "A"), ("C is in US", "D: the ledger names no country")),
        (("D", "A"), ("D: the ledger names no country",)),
    ],
)
def test_recipients_outside_the_area_are_named(recipients: tuple[str, ...], told: object) -> None:
    assert third_country_recipients(recipients, MEMBERS) == told


def test_where_no_country_is_known_nothing_is_claimed() -> None:
    found = third_country_recipients(("D", "unheard of"), MEMBERS)
    assert str(found) == "unavailable: the ledger names no country of D, unheard of"


def test_the_area_has_thirty_members() -> None:
    assert len(EUROPEAN_ECONOMIC_AREA) == 30
    assert not EUROPEAN_ECONOMIC_AREA & {"GB", "CH", "US"}


@pytest.mark.parametrize("transfers", [NONE, NOBODY])
def test_where_nobody_is_outside_no_safeguards_are_needed(transfers: str) -> None:
    assert safeguards_of(transfers, "ask") == NOT_NEEDED


@pytest.mark.parametrize(
    "transfers", [("C is in US",), Unavailable("no country is named"), ("none", Details.MARK)]
)
def test_where_somebody_may_be_outside_safeguards_are_asked_for(transfers: Value) -> None:
    assert safeguards_of(transfers, "ask") == Unavailable("ask")
