"""The transactions that an officer makes in the web, and their arguments; nothing else is described."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from consentry_records.breach import BreachStep, NewBreach
from consentry_records.emergency import EmergencyReview
from consentry_records.grant import GrantChange, NarrowedGrant, NewGrant
from consentry_records.kinds import Text, identifier
from consentry_records.record import Record
from consentry_records.review import NewReview, NewReviewPolicy
from consentry_records.rights_request import (
    NewRightsRequest,
    PurgeOrder,
    RightsFulfilment,
    RightsNotices,
    RightsStep,
)

RATIONALE = "rationale"
"""Name of the transient entry that holds a review's rationale."""


@dataclass(frozen=True, slots=True)
class RecordForm:
    """A transaction whose one argument is a record.

    `codes` are fields whose words stand in another group of the catalogue than those of the same name
    elsewhere. With `is_own` the own organization's peer alone endorses it: it touches that one's collection.
    """

    record: type[Record]
    codes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class IdForm:
    """A transaction whose one argument is an id.

    `argument` is its name, `kind` reads it. `transient` are the entries that it takes; with any, the own
    organization's peer alone may see and endorse it.
    """

    argument: str
    kind: Text
    transient: tuple[str, ...] = ()

    @property
    def is_own(self) -> bool:
        """Whether the own organization's peer alone endorses it."""
        return bool(self.transient)


Form = RecordForm | IdForm


def _id(kind: str, *transient: str) -> IdForm:
    return IdForm(f"{kind}_id", identifier(kind), transient)


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "grants:grant": RecordForm(NewGrant),
        "grants:change": RecordForm(GrantChange),
        "grants:renew": RecordForm(GrantChange),
        "grants:narrow": RecordForm(NarrowedGrant),
        "grants:revoke": _id("grant"),
        "grants:suspend": _id("grant"),
        "grants:lift_suspension": _id("grant"),
        "reviews:set_policy": RecordForm(NewReviewPolicy),
        "reviews:store_rationale": _id("request", RATIONALE),
        "reviews:record": RecordForm(NewReview),
        "consents:withdraw": _id("consent"),
        "rights:receive": RecordForm(NewRightsRequest),
        "rights:advance": RecordForm(RightsStep),
        "rights:purge": RecordForm(PurgeOrder, is_own=True),
        "rights:fulfil": RecordForm(RightsFulfilment),
        "rights:notify": RecordForm(RightsNotices),
        "breaches:record": RecordForm(NewBreach),
        "breaches:advance": RecordForm(BreachStep, MappingProxyType({"step": "breach_steps"})),
        "emergencies:review": RecordForm(EmergencyReview),
    }
)


def transient_of(form: Form) -> tuple[str, ...]:
    """The transient entries that a transaction takes; of records none."""
    return form.transient if isinstance(form, IdForm) else ()
