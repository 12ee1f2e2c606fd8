"""Valid records of the ledger with fixed ids, and hypothesis strategies made of the records' kinds."""

from __future__ import annotations

import hashlib
import re
from typing import Any, TypeVar, get_type_hints

from hypothesis import strategies as st

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
from consentry_records.instants import format_instant, parse_instant
from consentry_records.kinds import Choice, Flag, Instant, Integer, Kind, Many, Nullable, Table, Text
from consentry_records.private_entries import entry_key
from consentry_records.record import Nested, Record, field_names

R = TypeVar("R", bound=Record)

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


INSTANTS = st.datetimes(
    min_value=parse_instant("1970-01-01T00:00:00.000Z").replace(tzinfo=None),
    max_value=parse_instant("9999-12-31T23:59:59.999Z").replace(tzinfo=None),
    timezones=st.just(parse_instant(START).tzinfo),
).map(format_instant)


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Values that a kind reads."""
    match kind:
        case Text():
            return _texts(kind.pattern)
        case Choice():
            return st.sampled_from(list(kind.values))
        case Integer():
            return st.integers(kind.minimum, kind.maximum)
        case Flag():
            return st.booleans()
        case Instant():
            return INSTANTS
        case Nullable():
            return st.none() | values(kind.kind)
        case Many():
            unique = None if isinstance(kind.kind, Nested) else lambda item: item
            limit = min(kind.maximum, kind.minimum + 3)
            return st.lists(values(kind.kind), min_size=kind.minimum, max_size=limit, unique_by=unique)
        case Table():
            return st.dictionaries(
                st.from_regex(r"[a-z0-9][a-z0-9_-]{0,9}", fullmatch=True), values(kind.kind), max_size=4
            )
        case Nested():
            return documents(kind.record)
    return _SPECIAL[type(kind).__name__]


def _texts(pattern: re.Pattern[str]) -> st.SearchStrategy[str]:
    """Texts of a pattern. The digits of a digest or an id come from one number: each alone takes long."""
    found = re.fullmatch(r"(.*)\[0-9a-f\]\{(\d+)\}", pattern.pattern)
    if found is None or "|" in found[1]:
        return st.from_regex(pattern, fullmatch=True)
    count = int(found[2])
    digits = st.integers(0, 16**count - 1).map(lambda number: f"{number:0{count}x}")
    return st.builds(str.__add__, st.from_regex(found[1], fullmatch=True), digits)


_SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "Recipient": st.sampled_from(["ANY_MEMBER", "ANY_HOSPITAL", NORTHGATE, RIVERSIDE]),
    "_Recipient1": st.sampled_from(["ANY_MEMBER", NORTHGATE, RIVERSIDE]),
    "ColumnName": st.sampled_from(["age", "tumour stage", "größe", "年齢"]),
    "PrintableText": st.sampled_from(["paper form", "2025-1"]),
    "_Encrypted": st.sampled_from(["AA==", "c29tZXRoaW5n"]),
}


def documents(record: type[R]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects whose every field fits; rules over several fields may still refuse one."""
    if record.__name__ == "Reason":
        return _reasons()
    hints = get_type_hints(record, include_extras=True)
    if record.__name__ == "ConsentBatch":
        return _batches()
    if record.__name__ in ("NewDelivery", "Delivery"):
        return _deliveries(record)
    if record.__name__ in ("NewAccessAttempt", "AccessAttempt"):
        return _attempts(record)
    if record.__name__ == "VersionUpdate":
        return _version_updates()
    return st.fixed_dictionaries({name: values(hints[name].__metadata__[0]) for name in field_names(record)})


@st.composite
def _reasons(draw: st.DrawFn) -> dict[str, Any]:
    from consentry_records.reasons import CATALOGUE

    code = draw(st.sampled_from(sorted(CATALOGUE)))
    parameters = {name: draw(values(kind)) for name, kind in CATALOGUE[code].parameters.items()}
    return {"code": code, "parameters": parameters}


@st.composite
def _batches(draw: st.DrawFn) -> dict[str, Any]:
    from consentry_records import ConsentBatch

    hints = get_type_hints(ConsentBatch, include_extras=True)
    drawn = {name: draw(values(hints[name].__metadata__[0])) for name in field_names(ConsentBatch)}
    count = len(drawn["subjects"])
    return {**drawn, "chosen": [0] * count, "claimed_at": draw(st.sampled_from([[], [None] * count]))}


@st.composite
def _deliveries(draw: st.DrawFn, record: type[Record]) -> dict[str, Any]:
    """A delivery whose counts add up: none is drawn by chance."""
    from support.function_examples import computation

    hints = get_type_hints(record, include_extras=True)
    drawn = {name: draw(values(hints[name].__metadata__[0])) for name in field_names(record)}
    reasons = st.sampled_from(["ended", "erased", "limited", "not-covered"])
    left_out = draw(st.dictionaries(reasons, st.integers(1, 1000)))
    first, rows = draw(st.integers(0, 1000)), draw(st.integers(0, 1000))
    starts, ends = sorted((drawn["started_at"], drawn["ended_at"]))
    completed = draw(st.sampled_from([None, computation()]))
    failed = draw(st.sampled_from([None, computation(outputs=[])]))
    if drawn["end"] in ("function-failed", "limit-exceeded", "outputs-refused"):
        failed = computation(outputs=[])
    drawn["computation"] = completed if drawn["end"] == "completed" else failed
    gone_through = {"first_row": first, "next_row": first + rows + sum(left_out.values()), "row_count": rows}
    return {**drawn, **gone_through, "left_out": left_out, "started_at": starts, "ended_at": ends}


@st.composite
def _attempts(draw: st.DrawFn, record: type[Record]) -> dict[str, Any]:
    """An attempt without a function, or one for aggregates."""
    hints = get_type_hints(record, include_extras=True)
    drawn = {name: draw(values(hints[name].__metadata__[0])) for name in field_names(record)}
    if drawn["function_digest"] is not None:
        drawn |= {"output": "aggregate", "emergency": None}
    return drawn


@st.composite
def _version_updates(draw: st.DrawFn) -> dict[str, Any]:
    """A version that names just the rows that are removed: no such one is drawn by chance."""
    from consentry_records.rows import rows_root_of_digests

    removed = draw(st.lists(st.sampled_from([digest("first"), digest("second")]), min_size=1, unique=True))
    fitting = {
        "number": draw(st.integers(1, 999_999)),
        "supersedes": identifier("version", 2),
        "removed_count": len(removed),
        "removed_root": rows_root_of_digests(tuple(removed)),
    }
    return {"version": new_version().to_dict() | fitting, "removed": removed}
