"""Valid records of the ledger with fixed ids; strategies for others are in `support.record_documents`."""

from __future__ import annotations

import hashlib
from typing import Any

from consentry_records import (
    AccessAttempt,
    AccessRequest,
    Consent,
    ConsentEvent,
    ConsentTerms,
    DatasetVersion,
    Grant,
    NarrowedGrant,
    NewAccessAttempt,
    NewAccessRequest,
    NewDatasetVersion,
    NewDelivery,
    NewGrant,
    NewReview,
    OrganizationSetting,
    Settings,
    Suspension,
    Transformation,
)
from consentry_records.identifiers import format_identifier
from consentry_records.private_entries import entry_key
from consentry_records.record import field_names

NORTHGATE = "NorthgateMSP"
RIVERSIDE = "RiversideMSP"
LAKESIDE = "LakesideMSP"
REGULATOR = "RegulatorMSP"
HOSPITALS = (NORTHGATE, RIVERSIDE, LAKESIDE)

START = "2026-03-01T00:00:00.000Z"
MIDDLE = "2026-03-10T12:00:00.000Z"
END = "2026-03-31T00:00:00.000Z"


def identifier(kind: str, number: int = 1) -> str:
    """A made-up id that is the same for the same number."""
    return format_identifier(kind, number.to_bytes(16, "big"))


def digest(name: str = "something") -> str:
    """A SHA-256 digest."""
    return "sha256:" + hashlib.sha256(name.encode()).hexdigest()


def commitment(name: str = "subject") -> str:
    """What looks like a subject's commitment."""
    return "hmac-sha256:" + hashlib.sha256(name.encode()).hexdigest()


def private_entries(count: int) -> tuple[str, ...]:
    """Keys of entries of the subject's in a custodian's collection."""
    return tuple(entry_key(commitment(), identifier("consent", number + 1), None) for number in range(count))


def settings(tolerance_ms: int = 2000) -> Settings:
    """Three hospitals and a regulator."""
    hospitals = tuple(OrganizationSetting(msp_id=msp_id, kind="hospital") for msp_id in HOSPITALS)
    regulator = OrganizationSetting(msp_id=REGULATOR, kind="regulator")
    return Settings(organizations=(*hospitals, regulator), time_tolerance_ms=tolerance_ms)


def terms(**changes: Any) -> ConsentTerms:
    """Research for every member, non-commercial."""
    fields: dict[str, Any] = {
        "controller": NORTHGATE,
        "purposes": ("TREAT", "DUO:0000006"),
        "restrictions": ("DUO:0000046",),
        "categories": ("measurements",),
        "recipients": ("ANY_MEMBER",),
        "not_before": START,
        "not_after": END,
        "notice_digest": digest("notice"),
    }
    return ConsentTerms(**{**fields, **changes})


def event(event: str = "given", **changes: Any) -> ConsentEvent:
    """One event of a consent."""
    fields: dict[str, Any] = {
        "recorded_at": START,
        "recorded_by": "steward-1",
        "claimed_at": None,
        "batch_id": identifier("batch"),
        "replaced": None,
    }
    return ConsentEvent(event=event, **{**fields, **changes})


def consent(number: int = 1, **changes: Any) -> Consent:
    """Those terms on the ledger."""
    fields: dict[str, Any] = {
        **{name: getattr(terms(), name) for name in field_names(ConsentTerms)},
        "consent_id": identifier("consent", number),
        "subject": commitment(f"subject {number}"),
        "custodian": NORTHGATE,
        "state": "given",
        "events": (event(),),
    }
    return Consent(**{**fields, **changes})


def new_version(which: int = 1, /, **changes: Any) -> NewDatasetVersion:
    """A dataset's version for biomedical research."""
    fields: dict[str, Any] = {
        "version_id": identifier("version", which),
        "dataset_id": identifier("dataset", which),
        "name": f"dataset-{which}",
        "number": 1,
        "content_digest": "hmac-" + digest("content"),
        "schema_digest": digest("schema"),
        "row_count": 190,
        "categories": ("measurements",),
        "legal_bases": ("GDPR-6-1-a", "GDPR-9-2-a"),
        "duo_terms": ("DUO:0000006",),
        "merkle_root": digest("root"),
        "derived_from": (),
        "transformation": None,
        "supersedes": None,
        "removed_count": 0,
        "removed_root": None,
    }
    return NewDatasetVersion(**{**fields, **changes})


def transformation(**changes: Any) -> Transformation:
    """A selection by some code."""
    fields: dict[str, Any] = {
        "kinds": ("selection",),
        "code_digest": digest("code"),
        "parameters_digest": None,
        "environment_digest": None,
    }
    return Transformation(**{**fields, **changes})


def version(which: int = 1, /, **changes: Any) -> DatasetVersion:
    """The same on the ledger, Northgate's."""
    return DatasetVersion.registered(new_version(which, **changes), custodian=NORTHGATE, registered_at=START)


def new_request(number: int = 1, **changes: Any) -> NewAccessRequest:
    """A request for thirty days."""
    fields: dict[str, Any] = {
        "request_id": identifier("request", number),
        "versions": (identifier("version", 1),),
        "purposes": ("DUO:0000006",),
        "restrictions": (),
        "duration_seconds": 30 * 24 * 3600,
        "ethics_approval_digest": None,
    }
    return NewAccessRequest(**{**fields, **changes})


def request(number: int = 1, **changes: Any) -> AccessRequest:
    """The same on the ledger, of Riverside."""
    new = new_request(number, **changes)
    return AccessRequest.requested(new, requester_msp=RIVERSIDE, requester="riverside-1", requested_at=START)


def new_grant(number: int = 1, **changes: Any) -> NewGrant:
    """A grant for March 2026."""
    fields: dict[str, Any] = {
        "grant_id": identifier("grant", number),
        "request_id": identifier("request", 1),
        "versions": (identifier("version", 1),),
        "purposes": ("DUO:0000006",),
        "restrictions": (),
        "not_before": START,
        "not_after": END,
    }
    return NewGrant(**{**fields, **changes})


def grant(number: int = 1, **changes: Any) -> Grant:
    """The same on the ledger, from Northgate to Riverside."""
    names = (
        "state",
        "custodian",
        "grantee",
        "ethics_approval_digest",
        "revision",
        "project",
        "match",
        "renewals",
        "use_slots",
    )
    own = {name: changes.pop(name) for name in names if name in changes}
    given = Grant.granted(new_grant(number, **changes), request(), custodian=NORTHGATE)
    return Grant(**{**{name: getattr(given, name) for name in field_names(Grant)}, **own})


def narrowed(number: int = 1, **changes: Any) -> NarrowedGrant:
    """What leaves the grant of that number as it is, but for the changes."""
    before = grant(number)
    fields = {name: getattr(before, name) for name in field_names(NarrowedGrant)}
    return NarrowedGrant(**{**fields, **changes})


def new_review(number: int = 1, **changes: Any) -> NewReview:
    """An approval of the request of that number, without a rationale."""
    fields: dict[str, Any] = {
        "request_id": identifier("request", number),
        "recommendation": "approve",
        "reasons": ("PURPOSE_FITS",),
        "rationale_digest": None,
    }
    return NewReview(**{**fields, **changes})


def suspension(number: int = 1) -> Suspension:
    """A suspension of the grant of that number."""
    return Suspension(
        grant_id=identifier("grant", number),
        regulator=REGULATOR,
        suspended_by="officer-1",
        suspended_at=START,
    )


def new_attempt(number: int = 1, **changes: Any) -> NewAccessAttempt:
    """An attempt at version 1 for biomedical research."""
    fields: dict[str, Any] = {
        "attempt_id": identifier("attempt", number),
        "version_id": identifier("version", 1),
        "purpose": "DUO:0000006",
        "commercial": False,
    }
    return NewAccessAttempt(**{**fields, **changes})


def attempt(number: int = 1, **changes: Any) -> AccessAttempt:
    """The same on the ledger, by a researcher of Riverside."""
    own: dict[str, Any] = {
        "custodian": NORTHGATE,
        "requester_msp": RIVERSIDE,
        "requester": "riverside-1",
        "roles": ("researcher",),
        "proposal_time": MIDDLE,
        "projects": (),
    }
    own.update({name: changes.pop(name) for name in tuple(own) if name in changes})
    return AccessAttempt.made(new_attempt(number, **changes), **own)


def new_delivery(number: int = 1, **changes: Any) -> NewDelivery:
    """The delivery of that number under attempt 1: eight rows, two left out."""
    fields: dict[str, Any] = {
        "attempt_id": identifier("attempt", 1),
        "number": number,
        "end": "completed",
        "first_row": 0,
        "next_row": 10,
        "row_count": 8,
        "byte_count": 4096,
        "left_out": {"ended": 2},
        "delivered_root": digest("delivered"),
        "content_digest": "hmac-" + digest("content"),
        "started_at": MIDDLE,
        "ended_at": MIDDLE,
    }
    return NewDelivery(**{**fields, **changes})
