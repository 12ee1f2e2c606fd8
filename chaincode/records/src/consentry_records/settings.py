"""The ledger's settings: who is in the consortium, and how far clocks may differ; and votes on other ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from .digest import digest_bytes, sha256_digest
from .errors import LedgerError
from .kinds import ACTOR, COUNTRY, DIGEST, INSTANT, MSP_ID, Choice, Integer, Many, Nullable
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
    """Written first by a regulator, then changed by votes of more than half of the organizations in them.

    `time_tolerance_ms` is t of DESIGN.md §7, in milliseconds (0 to 60,000): a grant permits at a time only
    if it holds over all of [time − t, time + t]. `decision_period_ms` is how long a custodian's service may
    take to decide, in milliseconds (one second to a week): an attempt that has no decision after it shows as
    open. It changes no decision. `revision` counts the changes, from 1: settings that come back have another
    one, so that no vote of earlier days counts for them.
    """

    MIGRATIONS: ClassVar[Mapping[str, Migration]] = MappingProxyType(
        {
            "consentry.settings/1": _without_countries,
            _SCHEMA_2: adding(SCHEMA, {"decision_period_ms": DECISION_PERIOD_MS, "revision": 1}),
        }
    )

    organizations: Annotated[tuple[OrganizationSetting, ...], Many(Nested(OrganizationSetting), 1, 64)]
    time_tolerance_ms: Annotated[int, Integer(0, 60_000)]
    decision_period_ms: Annotated[int, Integer(1_000, 604_800_000)] = DECISION_PERIOD_MS
    revision: Annotated[int, Integer(1, 2**31 - 1)] = 1
    schema: Annotated[str, Choice((SCHEMA,))] = SCHEMA

    def check(self) -> None:
        """No organization twice and at least one regulator; raises LedgerError SETTINGS_INVALID."""
        if len(set(self.msp_ids)) != len(self.msp_ids):
            raise LedgerError("SETTINGS_INVALID", {"expected": "every organization is named once"})
        if not any(organization.kind == REGULATOR_KIND for organization in self.organizations):
            raise LedgerError("SETTINGS_INVALID", {"expected": "one organization at least is a regulator"})

    def succeeding(self) -> Settings:
        """These settings as the ones to vote for: made from those in force, they have the next revision."""
        return replace(self, revision=self.revision + 1)

    @property
    def digest(self) -> str:
        """SHA-256 of the settings' bytes, by which votes name them."""
        return sha256_digest(self.to_bytes())

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsVote(Record):
    """An organization's vote for other settings in place of those with the digest `replaces`.

    Key `settings-vote/{digest of the settings, hex}/{voter_msp}`. It counts while those are in force.
    """

    settings: Annotated[Settings, Nested(Settings)]
    settings_digest: Annotated[str, DIGEST]
    replaces: Annotated[str, DIGEST]
    voter_msp: Annotated[str, MSP_ID]
    voter: Annotated[str, ACTOR]
    voted_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.settings-vote/1",))] = "consentry.settings-vote/1"

    @property
    def name(self) -> str:
        """The digest of the settings that it is for, in hex, as keys have it."""
        return digest_bytes(self.settings_digest).hex()


def check_change(current: Settings, wanted: Settings) -> None:
    """Refuse settings that change nothing, were not made from those in force, or change what kind an
    organization is: its records rest on that.

    Raises LedgerError SETTINGS_UNCHANGED, SETTINGS_INVALID.
    """
    if wanted.revision != current.revision + 1:
        raise LedgerError("SETTINGS_INVALID", {"expected": f"revision {current.revision + 1}"})
    if wanted == current.succeeding():
        raise LedgerError("SETTINGS_UNCHANGED")
    kinds = {entry.msp_id: entry.kind for entry in current.organizations}
    if any(kinds.get(entry.msp_id, entry.kind) != entry.kind for entry in wanted.organizations):
        raise LedgerError("SETTINGS_INVALID", {"expected": "organizations stay of the kind that they are"})


def is_decided(current: Settings, voters: Collection[str]) -> bool:
    """Whether these organizations (MSP ids) are more than half of those in the settings in force."""
    return 2 * sum(msp_id in voters for msp_id in current.msp_ids) > len(current.msp_ids)
