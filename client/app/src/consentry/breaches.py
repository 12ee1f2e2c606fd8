"""Breaches of personal data: the organization's own register on the ledger (GDPR Art. 33, 34)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from consentry.identifiers import new_identifier
from consentry.transactions import Transactions, checked
from consentry_records.breach import Breach, BreachStep, NewBreach
from consentry_records.digest import sha256_digest
from consentry_records.instants import format_instant


class Breaches:
    """Records breaches of the caller's organization and what was done about them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def record(
        self,
        *,
        aware_at: datetime,
        natures: Sequence[str],
        categories: Sequence[str],
        subject_count: int,
        record_count: int,
        versions: Sequence[str] = (),
        facts: bytes | None = None,
    ) -> NewBreach:
        """Record a breach, and return it with its id.

        Args:
            aware_at: when the organization became aware of it; the 72 hours run from then.
            natures: ``confidentiality``, ``integrity``, ``availability``.
            categories: categories of the data.
            subject_count: about how many persons it concerns.
            record_count: about how many records.
            versions: dataset versions that it concerns.
            facts: description of facts, effects and remedies; only its digest goes to the ledger.

        Raises:
            InputRejected: a value is not of its form.
            LedgerRefused: ROLE_REQUIRED, HAPPENED_TOO_LATE, …
        """
        breach = checked(
            lambda: NewBreach(
                breach_id=new_identifier("breach"),
                aware_at=format_instant(aware_at.astimezone(UTC)),
                natures=tuple(natures),
                categories=tuple(categories),
                subject_count=subject_count,
                record_count=record_count,
                versions=tuple(versions),
                facts_digest=None if facts is None else sha256_digest(facts),
            )
        )
        self._transactions.submit("breaches:record", breach)
        return breach

    def advance(
        self, breach_id: str, step: str, *, happened_at: datetime, document: bytes | None = None
    ) -> None:
        """Record a step: one of ``consentry_records.breach.STEPS``.

        Args:
            breach_id: the breach.
            step: what was done.
            happened_at: when.
            document: the notification, assessment or reasons for a delay; only its digest goes to the ledger.

        Raises:
            InputRejected: a value is not of its form.
            LedgerRefused: BREACH_NOT_FOUND, BREACH_STEP_INVALID, NOT_CUSTODIAN, ROLE_REQUIRED, …
        """
        revision = len(self.get(breach_id).events)
        made = checked(
            lambda: BreachStep(
                breach_id=breach_id,
                revision=revision,
                step=step,
                happened_at=format_instant(happened_at.astimezone(UTC)),
                document_digest=None if document is None else sha256_digest(document),
            )
        )
        self._transactions.submit("breaches:advance", made)

    def get(self, breach_id: str) -> Breach:
        """Look a breach up.

        Raises:
            LedgerRefused: BREACH_NOT_FOUND.
        """
        return Breach.from_dict(self._transactions.evaluate("breaches:get", breach_id))
