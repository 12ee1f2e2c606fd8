"""The end of a training session, and what it used against what it was granted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from consentry_records import keys
from consentry_records.access import AccessAttempt, AccessDecision
from consentry_records.dataset import DatasetVersion
from consentry_records.errors import LedgerError
from consentry_records.grant import Grant
from consentry_records.training import FinishedSession, TrainingSession
from consentry_records.usage import usage_findings
from fabric_shim import Context

from .state import read


def finished(session: TrainingSession, finish: FinishedSession, ended_at: str) -> TrainingSession:
    """The session as it ended; raises LedgerError USED_VERSION_NOT_IN_SESSION."""
    for used in finish.used:
        if used.version_id not in session.versions:
            raise LedgerError("USED_VERSION_NOT_IN_SESSION", {"version_id": used.version_id})
    return replace(session, state=finish.state, ended_at=ended_at, failure=finish.failure, used=finish.used)


async def usage(ctx: Context, session_id: str) -> dict[str, Any]:
    """{"session": TrainingSession, "versions": [{"version_id", "grant_id", "granted_until", "row_count",
    "rows", "findings"}, …]}, one for each attempt; `rows` is null where the session did not say.
    """
    key = keys.session(session_id)
    missing = LedgerError("SESSION_NOT_FOUND", {"session_id": session_id})
    session = (await read(ctx, key)).required(TrainingSession, key, missing)
    pairs = [(keys.attempt(attempt), keys.decision(attempt)) for attempt in session.attempts]
    state = await read(ctx, *(key for pair in pairs for key in pair))
    attempts = [state.required(AccessAttempt, attempt, missing) for attempt, _ in pairs]
    decisions = [state.required(AccessDecision, decision, missing) for _, decision in pairs]
    grants = [keys.grant(decision.grant_id or "") for decision in decisions]
    state = await read(ctx, *grants, *(keys.version(attempt.version_id) for attempt in attempts))
    rows = {used.version_id: used.rows for used in session.used}
    versions = []
    for attempt, grant_key in zip(attempts, grants, strict=True):
        version = state.required(DatasetVersion, keys.version(attempt.version_id), missing)
        grant = state.required(Grant, grant_key, missing)
        versions.append(
            {
                "version_id": version.version_id,
                "grant_id": grant.grant_id,
                "granted_until": grant.not_after,
                "row_count": version.row_count,
                "rows": rows.get(version.version_id),
                "findings": list(usage_findings(session, version, grant)),
            }
        )
    return {"session": session.to_dict(), "versions": versions}
