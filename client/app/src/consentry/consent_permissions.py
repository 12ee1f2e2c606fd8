"""Which subjects' consents allow a use now: asked of the ledger, or of an index that has caught up."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from consentry.transactions import Transactions, checked
from consentry_records.consent import MAXIMUM_QUERY, PermittedQuery
from consentry_records.instants import format_instant

if TYPE_CHECKING:
    from consentry.ledger_trail import LedgerTrail

_IN_FLIGHT = 4


def permitting_consents(
    transactions: Transactions, commitments: Sequence[str], purpose: str, commercial: bool, recipient: str
) -> dict[str, str | None]:
    """Ask the ledger, 400 subjects a question; return by subject the newest consent that allows the use.

    Raises:
        InputRejected: an unknown purpose, a malformed recipient.
        LedgerRefused, LedgerUnreachable
    """
    starts = range(0, len(commitments), MAXIMUM_QUERY)
    queries = checked(
        lambda: [
            PermittedQuery(
                subjects=tuple(commitments[start : start + MAXIMUM_QUERY]),
                purpose=purpose,
                commercial=commercial,
                recipient=recipient,
            )
            for start in starts
        ]
    )

    def ask(query: PermittedQuery) -> list[str | None]:
        permitted: list[str | None] = transactions.evaluate("consents:permitted", query)["permitted"]
        return permitted

    answers: dict[str, str | None] = {}
    with ThreadPoolExecutor(max_workers=_IN_FLIGHT) as pool:
        for query, answer in zip(queries, pool.map(ask, queries), strict=True):
            answers.update(zip(query.subjects, answer, strict=True))
    return answers


def subjects_permitting(
    trail: LedgerTrail,
    commitments: Sequence[str],
    purpose: str,
    commercial: bool,
    recipient: str,
    *,
    custodian: str,
    at: datetime,
) -> set[str]:
    """Bring the index up to the own peer's newest block and ask it; return the subjects who allow the use.

    Raises:
        InputRejected: an unknown purpose, a malformed recipient.
        BlockRefused, IndexFault, LedgerUnreachable: as `LedgerTrail.update`.
    """
    from consentry.index import PermittedUse

    use = checked(
        lambda: PermittedUse(
            custodian=custodian,
            purpose=purpose,
            commercial=commercial,
            recipient=recipient,
            at=format_instant(at),
        )
    )
    trail.update()
    return trail.permitted(commitments, use)
