"""Requests of data subjects: erasure, objection, restriction, rectification and more (GDPR Art. 15 to 21),
with the one-month clock of Art. 12(3). Words as in the Data Privacy Vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from .errors import LedgerError
from .instants import months_after
from .kinds import (
    ACTOR,
    COMMITMENT,
    INSTANT,
    KEYED_DIGEST,
    MSP_ID,
    Choice,
    Integer,
    Many,
    Nullable,
    identifier,
)
from .private_entries import PRIVATE_KEY
from .record import Nested, Record, field_names
from .subject import ERASURE, OBJECTION, RESTRICTION
from .vocabulary import PURPOSES

RECTIFICATION = "rectification"
RIGHTS: Mapping[str, str] = MappingProxyType(
    {
        "access": "GDPR Art. 15",
        RECTIFICATION: "GDPR Art. 16",
        ERASURE: "GDPR Art. 17",
        RESTRICTION: "GDPR Art. 18",
        "portability": "GDPR Art. 20",
        OBJECTION: "GDPR Art. 21",
    }
)
"""Rights that a request can be about, and where they stand."""

RECEIVED = "received"
ACKNOWLEDGED = "acknowledged"
REQUIRES_ACTION = "requires-action"
EXTENDED = "extended"
ACCEPTED = "accepted"
REJECTED = "rejected"
FULFILLED = "fulfilled"
CANCELLED = "cancelled"
LIFTED = "lifted"
NOTIFIED = "notified"
STATES = (RECEIVED, ACKNOWLEDGED, REQUIRES_ACTION, ACCEPTED, REJECTED, FULFILLED, CANCELLED, LIFTED)
OPEN_STATES = (RECEIVED, ACKNOWLEDGED, REQUIRES_ACTION, ACCEPTED)
STEPS = (ACKNOWLEDGED, REQUIRES_ACTION, EXTENDED, ACCEPTED, REJECTED, CANCELLED, LIFTED)

GROUNDS: Mapping[str, str] = MappingProxyType(
    {
        "GDPR-12-3": "complexity or number of requests (extension)",
        "GDPR-12-5": "manifestly unfounded or excessive",
        "GDPR-12-6": "the requester's identity is not confirmed",
        "GDPR-17-3-a": "freedom of expression and information",
        "GDPR-17-3-b": "legal obligation or task in the public interest",
        "GDPR-17-3-c": "public interest in public health",
        "GDPR-17-3-d": "archiving, research or statistics that erasure would make impossible",
        "GDPR-17-3-e": "legal claims",
        "GDPR-21-1": "compelling legitimate grounds, or legal claims",
        "GDPR-21-6": "research in the public interest",
        "NOT-APPLICABLE": "the conditions of the right are not met",
    }
)
"""Why a request is rejected or takes longer."""

STORES: Mapping[str, str] = MappingProxyType(
    {
        "collection": "the custodian's private collection",
        "custody": "the register that links commitments to people",
        "datasets": "files of dataset versions",
        "peer-files": "files of the peer's databases, where purged values stay until they are overwritten",
        "backups": "backups",
    }
)
"""Stores that an erasure is attested for."""

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "searched": "searched, and nothing of the subject found",
        "key-destroyed": "what may be left is unreadable, for its key is destroyed",
        "not-held": "the custodian has no such store",
    }
)
"""How an erasure reaches a store."""

MAXIMUM_EVENTS = 64
MAXIMUM_PURGE = 1000
MONTHS = 1
EXTENSION_MONTHS = 2
_NEXT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        RECEIVED: (ACKNOWLEDGED, REQUIRES_ACTION, EXTENDED, ACCEPTED, REJECTED, CANCELLED),
        ACKNOWLEDGED: (REQUIRES_ACTION, EXTENDED, ACCEPTED, REJECTED, CANCELLED),
        REQUIRES_ACTION: (ACKNOWLEDGED, EXTENDED, ACCEPTED, REJECTED, CANCELLED),
        ACCEPTED: (EXTENDED, FULFILLED, NOTIFIED),
        FULFILLED: (NOTIFIED, LIFTED),
    }
)
_WITH_GROUND = (REJECTED, EXTENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRightsRequest(Record):
    """A request as its custodian submits it (argument of `rights:receive`).

    `received_at` is when it reached the custodian; the clock runs from then. `purposes` are those objected
    to, none for other rights. `evidence_digest` is the keyed digest of what was received, which stays with
    the custodian.
    """

    rights_request_id: Annotated[str, identifier("rightsrequest")]
    right: Annotated[str, Choice(RIGHTS)]
    subject: Annotated[str, COMMITMENT]
    received_at: Annotated[str, INSTANT]
    purposes: Annotated[tuple[str, ...], Many(Choice(PURPOSES), 0, 16)]
    evidence_digest: Annotated[str | None, Nullable(KEYED_DIGEST)]

    def check(self) -> None:
        """An objection names purposes, and only it; raises LedgerError OBJECTION_PURPOSES_INVALID."""
        if (self.right == OBJECTION) != bool(self.purposes):
            raise LedgerError("OBJECTION_PURPOSES_INVALID")


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsEvent(Record):
    """One step of a request: what, when it was recorded, by whom, and why if it was rejected or extended."""

    event: Annotated[str, Choice((RECEIVED, *STEPS, FULFILLED, NOTIFIED))]
    recorded_at: Annotated[str, INSTANT]
    recorded_by: Annotated[str, ACTOR]
    ground: Annotated[str | None, Nullable(Choice(GROUNDS))]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAttestation(Record):
    """That an erasure reached one store, and how."""

    store: Annotated[str, Choice(STORES)]
    method: Annotated[str, Choice(METHODS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientNotice(Record):
    """That a recipient of the data was told (GDPR Art. 19); by its MSP id."""

    recipient: Annotated[str, MSP_ID]
    notified_at: Annotated[str, INSTANT]


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsRequest(NewRightsRequest):
    """A request on the ledger, key `rights/{id}`, under its custodian's key-level policy.

    `due_at` is a month after the receipt, two more if it was extended; `purged` counts private entries that
    an erasure removed; `stores` says who searched what. `events` are oldest first.
    """

    custodian: Annotated[str, MSP_ID]
    state: Annotated[str, Choice(STATES)]
    due_at: Annotated[str, INSTANT]
    events: Annotated[tuple[RightsEvent, ...], Many(Nested(RightsEvent), 1, MAXIMUM_EVENTS)]
    purged: Annotated[int, Integer(0, 1_000_000)]
    stores: Annotated[tuple[StoreAttestation, ...], Many(Nested(StoreAttestation), 0, 16)]
    notices: Annotated[tuple[RecipientNotice, ...], Many(Nested(RecipientNotice), 0, 64)]
    schema: Annotated[str, Choice(("consentry.rights/1",))] = "consentry.rights/1"

    @property
    def is_open(self) -> bool:
        """Whether something is left to do before it is answered."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsStep(Record):
    """Argument of `rights:advance`; `revision` is the number of events that the caller has seen.

    A step that was taken already is refused, for the number has grown; `ground` is given for a rejection or
    extension and null otherwise.
    """

    rights_request_id: Annotated[str, identifier("rightsrequest")]
    revision: Annotated[int, Integer(1, MAXIMUM_EVENTS)]
    step: Annotated[str, Choice(STEPS)]
    ground: Annotated[str | None, Nullable(Choice(GROUNDS))]

    def check(self) -> None:
        """A ground is given exactly where one is needed; raises LedgerError GROUND_INVALID."""
        if (self.step in _WITH_GROUND) != (self.ground is not None):
            raise LedgerError("GROUND_INVALID", {"step": self.step})


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeOrder(Record):
    """Argument of `rights:purge`: keys of the subject's entries in the collection, at most 1000."""

    rights_request_id: Annotated[str, identifier("rightsrequest")]
    entries: Annotated[tuple[str, ...], Many(PRIVATE_KEY, 1, MAXIMUM_PURGE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsFulfilment(Record):
    """Argument of `rights:fulfil`: what was done; `stores` and `purged` are for an erasure only."""

    rights_request_id: Annotated[str, identifier("rightsrequest")]
    revision: Annotated[int, Integer(1, MAXIMUM_EVENTS)]
    purged: Annotated[int, Integer(0, 1_000_000)]
    stores: Annotated[tuple[StoreAttestation, ...], Many(Nested(StoreAttestation), 0, 16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsNotices(Record):
    """Argument of `rights:notify`: recipients that were told of a rectification, erasure or restriction."""

    rights_request_id: Annotated[str, identifier("rightsrequest")]
    revision: Annotated[int, Integer(1, MAXIMUM_EVENTS)]
    notices: Annotated[tuple[RecipientNotice, ...], Many(Nested(RecipientNotice), 1, 64)]


def received(new: NewRightsRequest, *, custodian: str, recorded_at: str, recorded_by: str) -> RightsRequest:
    """The record of a request just received; raises LedgerError RECEIVED_TOO_LATE."""
    if new.received_at > recorded_at:
        raise LedgerError("RECEIVED_TOO_LATE", {"recorded_at": recorded_at})
    event = RightsEvent(event=RECEIVED, recorded_at=recorded_at, recorded_by=recorded_by, ground=None)
    return RightsRequest(
        **{name: getattr(new, name) for name in field_names(NewRightsRequest)},
        custodian=custodian,
        state=RECEIVED,
        due_at=months_after(new.received_at, MONTHS),
        events=(event,),
        purged=0,
        stores=(),
        notices=(),
    )


def due_after_extension(request: RightsRequest) -> str:
    """When an extended request is due: two months after the first month (GDPR Art. 12(3))."""
    return months_after(request.received_at, MONTHS + EXTENSION_MONTHS)


def next_steps(request: RightsRequest) -> tuple[str, ...]:
    """What can follow on a request as it stands: steps, its fulfilment, notices."""
    is_extended = any(event.event == EXTENDED for event in request.events)
    has_limit = request.right in (OBJECTION, RESTRICTION)
    ruled_out = {EXTENDED: is_extended, LIFTED: not has_limit}
    return tuple(step for step in _NEXT.get(request.state, ()) if not ruled_out.get(step, False))


def check_step(request: RightsRequest, step: str, revision: int) -> None:
    """Refuse a step that does not follow from the request as it stands.

    Raises LedgerError RIGHTS_REVISION_DIFFERS or RIGHTS_STEP_INVALID.
    """
    named = {"rights_request_id": request.rights_request_id}
    if revision != len(request.events):
        raise LedgerError("RIGHTS_REVISION_DIFFERS", {**named, "revision": len(request.events)})
    if step not in next_steps(request):
        raise LedgerError("RIGHTS_STEP_INVALID", {**named, "state": request.state, "step": step})


def check_stores(right: str, stores: tuple[StoreAttestation, ...], purged: int) -> None:
    """An erasure attests for every store once, and nothing else does; raises LedgerError STORES_INVALID."""
    named = sorted(attestation.store for attestation in stores)
    if named != (sorted(STORES) if right == ERASURE else []) or (purged and right != ERASURE):
        raise LedgerError("STORES_INVALID", {"expected": ", ".join(STORES) if right == ERASURE else "none"})
