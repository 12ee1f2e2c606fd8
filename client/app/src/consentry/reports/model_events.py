"""Events over the lifetime of one model version, in order: what the AI Act has a high-risk system log."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from consentry.index import ModelLineage
from consentry.reports.claimed_times import ClaimedTimes
from consentry.reports.values import Reported, Value, lines
from consentry.reports.wording import outcome, purpose_words


@dataclass(frozen=True)
class EventRow:
    """One event."""

    when: Annotated[Value, Reported("When", "AI Act Art. 12(1)")]
    what: Annotated[Value, Reported("Event", "AI Act Art. 12(2)")]
    who: Annotated[Value, Reported("Who", "AI Act Art. 12(3)(d)")]
    details: Annotated[Value, Reported("Details", "AI Act Art. 12(2)")]
    record: Annotated[Value, Reported("On record", "AI Act Art. 19")]


def event_rows(lineage: ModelLineage) -> tuple[EventRow, ...]:
    """Every event that the ledger has on a model version, its ancestors and their data, by time."""
    claims = ClaimedTimes(lineage.statements)
    rows = [
        *_accesses(lineage),
        *_sessions(lineage, claims),
        *_rounds(lineage, claims),
        *_versions(lineage),
    ]
    # By the time of record: what somebody claims orders nothing.
    return tuple(sorted(rows, key=lambda row: lines(row.when)[0]))


def _accesses(lineage: ModelLineage) -> Iterator[EventRow]:
    for access in lineage.accesses:
        yield EventRow(
            when=access.decided_at or access.attempted_at,
            what="access to training data decided",
            who=(access.requester_msp, access.requester, f"decided by {access.custodian}"),
            details=(access.version_id, purpose_words(access.purpose), *_lines(outcome(access))),
            record=(access.attempt_id, f"block {access.block}"),
        )


def _sessions(lineage: ModelLineage, claims: ClaimedTimes) -> Iterator[EventRow]:
    for session in lineage.sessions:
        body, by = session.body, (str(session.body["msp"]), str(session.body["trainer"]))
        yield EventRow(
            when=str(body["started_at"]),
            what="training started",
            who=by,
            details=(
                f"code {body['code_digest']}",
                f"environment {body['environment_digest']}",
                f"hyper-parameters {body['hyperparameters_digest']}",
                *(f"data {version}" for version in body["versions"]),
            ),
            record=(session.record_id, f"block {session.first_block}"),
        )
        if body.get("ended_at"):
            yield EventRow(
                when=_when(str(body["ended_at"]), claims.beside(session.record_id)),
                what=f"training {session.state}",
                who=by,
                details=session.record_id,
                record=(session.record_id, f"block {session.block}"),
            )


def _rounds(lineage: ModelLineage, claims: ClaimedTimes) -> Iterator[EventRow]:
    for row in lineage.rounds:
        metrics = (f"{name} {value}" for name, value in sorted(row.body["metrics"].items()))
        yield EventRow(
            when=_when(str(row.body["recorded_at"]), claims.beside(row.record_id)),
            what=f"round {row.body['number']} of {row.body['session_id']}",
            who=tuple(sorted({str(part["msp"]) for part in row.body["participants"]})) or "nobody",
            details=(f"aggregate {row.body['aggregate_digest']}", *metrics),
            record=(row.record_id, f"block {row.first_block}"),
        )


def _versions(lineage: ModelLineage) -> Iterator[EventRow]:
    owner = lineage.model.owner if lineage.model is not None else "unknown organization"
    for version in (*lineage.ancestors, lineage.model_version):
        metrics = (f"{name} {value}" for name, value in sorted(version.body["metrics"].items()))
        yield EventRow(
            when=str(version.body["registered_at"]),
            what="model version registered",
            who=(owner, str(version.body["registered_by"])),
            details=(f"weights {version.body['weights_digest']}", *metrics),
            record=(version.record_id, f"block {version.first_block}"),
        )


def _when(recorded: str, claimed: tuple[str, ...]) -> Value:
    return (recorded, *claimed) if claimed else recorded


def _lines(value: Value) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)
