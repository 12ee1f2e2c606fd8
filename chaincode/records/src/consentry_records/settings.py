"""The ledger's settings: who is in the consortium, and how far clocks may differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .errors import LedgerError
from .kinds import MSP_ID, Choice, Integer, Many
from .record import Nested, Record

HOSPITAL = "hospital"
REGULATOR_KIND = "regulator"
ORGANIZATION_KINDS = (HOSPITAL, REGULATOR_KIND)
SCHEMA = "consentry.settings/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSetting(Record):
    """One organization of the consortium and what it is: a hospital (custodian of data) or a regulator."""

    msp_id: Annotated[str, MSP_ID]
    kind: Annotated[str, Choice(ORGANIZATION_KINDS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Record):
    """Written once by a regulator; `time_tolerance_ms` is t of DESIGN.md §7, in milliseconds (0 to 60,000).

    A grant permits at a time only if it holds over all of [time − t, time + t].
    """

    organizations: Annotated[tuple[OrganizationSetting, ...], Many(Nested(OrganizationSetting), 1, 64)]
    time_tolerance_ms: Annotated[int, Integer(0, 60_000)]
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
