"""Rows of the tables in a subject's report."""

from consentry.index import Access, RecordRow
from consentry.reports.claimed_times import ClaimedTimes, claimed_by_custodian
from consentry.reports.subject_access_tables import (
    AccessRow,
    ConsentRow,
    DatasetRow,
    ModelVersionRow,
    SessionRow,
)
from consentry.reports.subject_data import SubjectData
from consentry.reports.values import Unavailable, Value
from consentry.reports.wording import (
    coded,
    forged,
    on_record,
    outcome,
    place,
    purpose_of,
    purpose_words,
    recipient_words,
    when,
    which_data,
    who,
)
from consentry_records.consent import Consent
from consentry_records.grant_rules import Use
from consentry_records.vocabulary import (
    DUO_TERMS,
    LEGAL_BASES,
    RESTRICTIONS,
)


def consent_row(row: RecordRow) -> ConsentRow:
    """One consent."""
    body, consent = row.body, Consent.from_dict(row.body)
    return ConsentRow(
        consent_id=row.record_id,
        state=_consent_state(row),
        purposes=tuple(purpose_words(code) for code in body["purposes"]),
        restrictions=coded(body["restrictions"], RESTRICTIONS),
        categories=tuple(body["categories"]),
        recipients=tuple(map(recipient_words, body["recipients"])),
        period=(f"from {body['not_before']}", f"until {body['not_after']}"),
        controller=str(body["controller"]),
        notice=(str(body["notice_digest"]), "its text and version: ask the custodian"),
        recorded=(*place(row, consent.recorded_at), *claimed_by_custodian(consent.events[0])),
    )


def dataset_row(row: RecordRow) -> DatasetRow:
    """One dataset version."""
    body = row.body
    return DatasetRow(
        dataset=(f"{body['name']}, version {body['number']}", row.record_id, *forged(row)),
        categories=tuple(body["categories"]),
        legal_bases=coded(body["legal_bases"], LEGAL_BASES),
        terms=coded(body["duo_terms"], DUO_TERMS),
        recorded=place(row, str(body["registered_at"])),
    )


def access_row(access: Access, data: SubjectData) -> AccessRow:
    """One attempt at access, with the decision and what was done under it."""
    sessions = data.sessions_by_attempt.get(access.attempt_id, ())
    models = [made for session in sessions for made in data.model_versions_by_session.get(session, ())]
    permitted = access.outcome == "permit"
    unused: Value = "none so far" if permitted else "none: access was not permitted"
    return AccessRow(
        when=when(access),
        who=who(access),
        data=which_data(access),
        purpose=purpose_of(access),
        outcome=outcome(access),
        consent=_consent_at(access, data),
        permission=_permission(access),
        sessions=tuple(sessions) or unused,
        model_versions=tuple(dict.fromkeys(models)) or unused,
        record=on_record(access),
    )


def session_row(row: RecordRow, data: SubjectData) -> SessionRow:
    """One training session."""
    body = row.body
    known = {version.record_id for version in data.versions}
    rounds = data.rounds_by_session.get(row.record_id, ())
    models = tuple(data.model_versions_by_session.get(row.record_id, ()))
    claims = ClaimedTimes(data.statements)
    stated = tuple(
        f"round {round_id[-6:]}: {line}" for round_id in rounds for line in claims.beside(round_id)
    )
    ended = f"{body['state']} {body['ended_at']}" if body["ended_at"] else f"{body['state']}, not ended"
    return SessionRow(
        session_id=row.record_id,
        trainer=(str(body["msp"]), str(body["trainer"])),
        purpose=(purpose_words(body["purpose"]), "commercial" if body["commercial"] else "not commercial"),
        data=tuple(version for version in body["versions"] if version in known),
        period=(f"started {body['started_at']}", ended, *claims.beside(row.record_id)),
        rounds=(f"{len(rounds)} recorded", *stated) if stated else f"{len(rounds) or 'none'} recorded",
        model_versions=models or "none registered",
    )


def model_version_row(row: RecordRow, data: SubjectData) -> ModelVersionRow:
    """One model version."""
    body = row.body
    model = next((entry for entry in data.models if entry.record_id == body["model_id"]), None)
    parent = (f"model version {body['parent']}",) if body["parent"] else ()
    return ModelVersionRow(
        model_version_id=row.record_id,
        model=str(model.body["name"]) if model is not None else Unavailable("its model is not on the ledger"),
        owner=model.owner if model is not None else Unavailable("its model is not on the ledger"),
        made_from=(*(f"session {session}" for session in body["sessions"]), *parent),
        weights=str(body["weights_digest"]),
        recorded=place(row, str(body["registered_at"])),
    )


def _permission(access: Access) -> Value:
    if access.outcome != "permit":
        return "none: access was not permitted"
    end = access.permit_not_after or str(Unavailable("the decision names no end"))
    return (access.grant_id or str(Unavailable("the decision names no grant")), f"permitted until {end}")


def _consent_at(access: Access, data: SubjectData) -> Value:
    at = access.decided_at or access.attempted_at
    if data.limits.forbid(access.purpose, at):
        return "forbidden by your opt-out, objection or restriction: rows about you had to be left out"
    member = data.members.get(access.requester_msp)
    kind = member.kind if member is not None else None
    use = Use(purpose=access.purpose, commercial=access.commercial)
    if any(
        consent.permits(use, recipient=access.requester_msp, recipient_kind=kind, at=at)
        for consent in data.consents_over_time
    ):
        return "allowed this use"
    return "did not allow this use: rows about you had to be left out"


def _consent_state(row: RecordRow) -> Value:
    consent = Consent.from_dict(row.body)
    changes = [
        line
        for event in consent.events[1:]
        for line in (f"{event.event} {event.recorded_at}", *claimed_by_custodian(event))
    ]
    return (*(changes or ["given, not withdrawn"]), *forged(row))
