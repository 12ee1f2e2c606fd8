"""The ledger's settings: who is in the consortium, and how far clocks may differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from .errors import LedgerError
from .kinds import COUNTRY, MSP_ID, Choice, Integer, Many, Nullable
from .migrations import adding
from .record import Migration, Nested, Record

HOSPITAL = "hospital"
REGULATOR_KIND = "regulator"
ORGANIZATION_KINDS = (HOSPITAL, REGULATOR_KIND)
SCHEMA = "consentry.settings/3"
_SCHEMA_2 = "consentry.settings/2"
DECISION_PERIOD_MS = 300_000
"""Five minutes: what holds where the settings were written before they said it."""


def _without_countries(value: Mapping[str, Any]) -> Mapping[str, Any]:
    organizations = value.get("organizations")
    if not isinstance(organizations, list) or not all(isinstance(one, Mapping) for one in organizations):
        # What is no list of objects is refused as the field that it is.
        return {**value, "schema": _SCHEMA_2}
    return {
        **value,
        "organizations": [{"country": None, **one} for one in organizations],
        "schema": _SCHEMA_2,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSetting(Record):
    """One organization of the consortium: a hospital (custodian of data) or a regulator, and its country.

    `country` (ISO 3166-1) is what grants that are bound to a region go by; without one they deny.
    """

    msp_id: Annotated[str, MSP_ID]
    kind: Annotated[str, Choice(ORGANIZATION_KINDS)]
    country: Annotated[str | None, Nullable(COUNTRY)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Record):
    """Written once by a regulator; `time_tolerance_ms` is t of DESIGN.md §7, in milliseconds (0 to 60,000).

    A grant permits at a time only if it holds over all of [time − t, time + t]. `decision_period_ms` is how
    long a custodian's service may take to decide, in milliseconds (one second to a week): an attempt that has
    no decision after it shows as open. It changes no decision.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {
            "consentry.settings/1": _without_countries,
            _SCHEMA_2: adding(SCHEMA, {"decision_period_ms": DECISION_PERIOD_MS}),
        }
    )

    organizations: Annotated[tuple[OrganizationSetting, ...], Many(Nested(OrganizationSetting), 1, 64)]
    time_tolerance_ms: Annotated[int, Integer(0, 60_000)]
    decision_period_ms: Annotated[int, Integer(1_000, 604_800_000)] = DECISION_PERIOD_MS
    schema: Annotated[str, Choice((SCHEMA,))] = SCHEMA

    def check(self) -> None:
        """No organization twice and at least one regulator; raises LedgerError SETTINGS_INVALID."""
        if len(set(self.msp_ids)) != len(self.msp_ids):
            raise LedgerError("SETTINGS_INVALID", {"expected": "every organization is named once"})
        if not any(organization.kind == REGULATOR_KIND for organization in self.organizations):
            raise LedgerError("SETTINGS_INVALID", {"expected": "one organization at least is a regulator"})

    @property
    def msp_ids(self) -> tuple[str, ...]:
        """MSP ids of all organizations, in the order in which they are written."""
        return tuple(organization.msp_id for organization in self.organizations)

    def kind_of(self, msp_id: str) -> str | None:
        """What an organization is, None for one that is not in the consortium."""
        return next((entry.kind for entry in self.organizations if entry.msp_id == msp_id), None)

    def country_of(self, msp_id: str) -> str | None:
        """Where an organization is, None for one that names no country or is not in the consortium."""
        return next((entry.country for entry in self.organizations if entry.msp_id == msp_id), None)
