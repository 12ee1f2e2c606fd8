"""Freezing a version's aggregates: over rows of subjects who consent now to the use by every recipient."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from consentry.errors import InputRejected
from consentry.gate.aggregates import Grouping, compute
from consentry.gate.consent_answers import ConsentAnswers, RecipientUse
from consentry.gate.store import GateStore
from consentry.ledger import Ledger
from consentry_records.instants import format_instant
from fabric_gateway import Clock, utc_clock


def freeze_aggregates(
    ledger: Ledger, store: GateStore, version_id: str, grouping: Grouping, clock: Clock = utc_clock
) -> dict[str, Any]:
    """Compute and keep the aggregates of a version that the gate holds; return them.

    Raises:
        InputRejected: VERSION_NOT_HELD, GROUPING_INVALID, AGGREGATES_FROZEN, an unknown purpose.
        LedgerRefused, LedgerUnreachable
    """
    if store.frozen(version_id) is not None:
        raise InputRejected("AGGREGATES_FROZEN", f"the aggregates of {version_id} are frozen already")
    answers = [
        ConsentAnswers(
            ledger.transactions, RecipientUse(grouping.purpose, grouping.commercial, recipient), clock
        )
        for recipient in grouping.recipients
    ]

    def left_out(subjects: Sequence[bytes]) -> list[bool]:
        refused = [one.left_out(subjects, "") for one in answers]
        return [any(reason is not None for reason in reasons) for reasons in zip(*refused, strict=True)]

    result = compute(store.open(version_id), grouping, left_out, format_instant(clock().astimezone(UTC)))
    store.freeze(version_id, result)
    return result
