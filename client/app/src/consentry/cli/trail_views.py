"""Answers of the trail, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from consentry.cli.output import note, plain, say, show_json, show_table
from consentry_records.consent import Consent

if TYPE_CHECKING:
    from consentry.index import (
        Access,
        ModelLineage,
        Page,
        RecordRow,
        SubjectTrail,
        TransactionRow,
        WithdrawalImpact,
    )


def show_accesses(page: Page[Access], as_json: bool) -> None:
    """One page of accesses."""
    if as_json:
        show_json({"items": list(page.items), "next": page.next})
        return
    _show_accesses(page.items)
    _next(page)


def _show_accesses(accesses: Iterable[Access]) -> None:
    show_table(
        ("block", "attempted", "organization", "requester", "dataset", "purpose", "outcome", "reasons"),
        [
            (
                access.block,
                access.attempted_at,
                access.requester_msp,
                access.requester,
                access.dataset or access.version_id,
                access.purpose,
                access.outcome,
                [reason.words for reason in access.reasons],
            )
            for access in accesses
        ],
    )


def show_subject(found: SubjectTrail, as_json: bool) -> None:
    """What is on the trail of a subject."""
    if as_json:
        show_json(found)
        return
    say(f"{found.subject}: {found.limits.state if found.limits and found.limits.state else 'no limits'}.")
    records = [*found.consents, *([found.limits] if found.limits else []), *found.requests]
    show_table(
        ("kind", "id", "state", "endorsed", "block", "recorded"),
        [(row.kind, row.record_id, row.state, row.honoured, row.block, row.recorded_at) for row in records],
    )
    if not found.rows_are_known:
        say(
            "Which dataset versions hold rows of the subject only its custodian knows: "
            "these are accesses to all that may."
        )
    _show_accesses(found.accesses)


def show_transactions(page: Page[TransactionRow], as_json: bool) -> None:
    """One page of transactions."""
    if as_json:
        show_json({"items": list(page.items), "next": page.next})
        return
    show_table(
        ("block", "#", "code", "function", "organization", "creator", "proposed", "transaction"),
        [
            (
                row.block,
                row.position,
                row.code_name,
                row.function,
                row.creator_msp,
                row.creator,
                row.proposal_time,
                row.transaction_id,
            )
            for row in page.items
        ],
    )
    _next(page)


def show_impact(found: WithdrawalImpact, last_block: int, as_json: bool) -> None:
    """What rests on a consent."""
    groups: dict[str, Iterable[RecordRow]] = {
        "versions": found.versions,
        "grants": found.grants,
        "sessions": found.sessions,
        "rounds": found.rounds,
        "model_versions": found.model_versions,
    }
    if as_json:
        show_json(
            {
                "consent_id": found.consent.record_id,
                "state": found.consent.state,
                "withdrawn_at": Consent.from_dict(found.consent.body).withdrawn_at,
                "complete_through": last_block,
                "basis": str(found.basis),
                "note": found.note,
                **{name: _ids(rows) for name, rows in groups.items()},
                "accesses": [access.attempt_id for access in found.accesses],
                "records": {name: [plain(row.body) for row in rows] for name, rows in groups.items()},
            }
        )
        return
    say(f"{found.consent.record_id} is {found.consent.state}; complete up to block {last_block}.")
    say(found.note)
    _show_groups(groups, found.accesses)


def show_lineage(found: ModelLineage, as_json: bool) -> None:
    """What a model version comes from."""
    groups: dict[str, Iterable[RecordRow]] = {
        "versions": found.versions,
        "grants": found.grants,
        "sessions": found.sessions,
        "rounds": found.rounds,
        "ancestors": found.ancestors,
    }
    if as_json:
        show_json(
            {
                "model_version_id": found.model_version.record_id,
                "model": found.model.body if found.model is not None else None,
                **{name: _ids(rows) for name, rows in groups.items()},
                "accesses": [access.attempt_id for access in found.accesses],
                "records": {name: [plain(row.body) for row in rows] for name, rows in groups.items()},
            }
        )
        return
    name = found.model.body["name"] if found.model is not None else "a model that is not on the ledger"
    say(f"{found.model_version.record_id} is a version of {name}.")
    _show_groups(groups, found.accesses)


def _show_groups(groups: dict[str, Iterable[RecordRow]], accesses: Iterable[Access]) -> None:
    rows: list[tuple[Any, ...]] = [
        (row.kind, row.record_id, row.owner, row.state, row.recorded_at)
        for group in groups.values()
        for row in group
    ]
    rows += [
        ("access", access.attempt_id, access.requester_msp, access.outcome, access.attempted_at)
        for access in accesses
    ]
    if not rows:
        say("Nothing rests on it.")
        return
    show_table(("kind", "id", "organization", "state", "recorded"), rows)


def _ids(rows: Iterable[RecordRow]) -> list[str]:
    return [row.record_id for row in rows]


def _next(page: Page[Any]) -> None:
    if page.next is not None:
        note(f"There is more: add --after {page.next}.")
