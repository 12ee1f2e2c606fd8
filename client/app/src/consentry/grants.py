"""Requests for access and the grants that answer them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from consentry.errors import InputRejected
from consentry.identifiers import new_identifier
from consentry.transactions import CONFLICT_TRIES, Transactions, checked
from consentry_records.conditions import Conditions
from consentry_records.grant import NO_CONDITIONS, Grant, GrantChange, NarrowedGrant, NewGrant, Suspension
from consentry_records.instants import format_instant
from consentry_records.record import field_names
from consentry_records.request import AccessRequest, NewAccessRequest
from consentry_records.settings import Settings


class Grants:
    """Ask for access as a researcher; give, change, revoke it as a custodian; suspend it as a regulator."""

    def __init__(self, transactions: Transactions, clock: Callable[[], datetime]) -> None:
        self._transactions = transactions
        self._clock = clock
        self._settings: Settings | None = None

    def request(
        self,
        versions: Sequence[str],
        *,
        purposes: Sequence[str],
        duration: timedelta,
        restrictions: Sequence[str] = (),
        ethics_approval_digest: str | None = None,
        diseases: Sequence[str] = (),
        topics: Sequence[str] = (),
        commercial: bool = False,
        project: str | None = None,
        protocol_digest: str | None = None,
        columns: Sequence[str] = (),
    ) -> NewAccessRequest:
        """Ask for access to dataset versions for purposes, at most for `duration` (whole seconds).

        Returns the request as it was submitted, with its id.

        `restrictions` are codes of `vocabulary.RESTRICTIONS` that the requester accepts;
        `ethics_approval_digest` is `sha256:<hex>` of the approval, `protocol_digest` that of the protocol of
        `project` (a slug). `diseases` are Mondo ids, `topics` codes of `vocabulary.RESEARCH_TOPICS`,
        `columns` those alone that are asked for (none: all).

        Raises:
            InputRejected: malformed input; nothing was sent.
            LedgerRefused: VERSION_NOT_FOUND, ROLE_REQUIRED, …
        """
        request = checked(
            lambda: NewAccessRequest(
                request_id=new_identifier("request"),
                versions=tuple(versions),
                purposes=tuple(purposes),
                restrictions=tuple(restrictions),
                duration_seconds=duration // timedelta(seconds=1),
                ethics_approval_digest=ethics_approval_digest,
                diseases=tuple(diseases),
                topics=tuple(topics),
                commercial=commercial,
                project=project,
                protocol_digest=protocol_digest,
                columns=tuple(columns),
            )
        )
        self._transactions.submit("grants:request", request)
        return request

    def grant(
        self,
        request_id: str,
        *,
        versions: Sequence[str],
        purposes: Sequence[str],
        duration: timedelta | None = None,
        not_after: datetime | None = None,
        not_before: datetime | None = None,
        restrictions: Sequence[str] = (),
        diseases: Sequence[str] = (),
        conditions: Conditions = NO_CONDITIONS,
    ) -> Grant:
        """Grant what a request asks for, or less; as a steward or data protection officer of the custodian.

        The grant holds over [`not_before`, `not_after`). Left out, `not_before` lies before the present by
        the ledger's time tolerance, for a decision wants the grant to hold that long before itself; so
        access can be had at once. The end is given as a time, or as a `duration` counted from `not_before`.
        Restrictions of the request have to stay. `conditions` limit uses, people, countries, outputs,
        columns and categories of data.

        Raises:
            InputRejected: malformed input or PERIOD_INVALID; nothing was sent.
            LedgerRefused: REQUEST_NOT_FOUND, NOT_CUSTODIAN, GRANT_TOO_LONG, GRANT_PURPOSE_NOT_REQUESTED, …
        """
        proposal_time = self._clock()
        begin = not_before or proposal_time - self._tolerance()
        grant = checked(
            lambda: NewGrant(
                grant_id=new_identifier("grant"),
                request_id=request_id,
                versions=tuple(versions),
                purposes=tuple(purposes),
                restrictions=tuple(restrictions),
                not_before=_instant(begin),
                not_after=_instant(_end(begin, duration, not_after)),
                diseases=tuple(diseases),
                conditions=conditions,
            )
        )
        self._transactions.submit("grants:grant", grant, proposal_time=proposal_time)
        return self.get(grant.grant_id)

    def change(self, grant_id: str, *, not_after: datetime) -> Grant:
        """Move a grant's end, as its custodian; decisions under way are voided and made again.

        A transaction that others overtake is made again: the same end is set once or twice alike.

        Raises:
            InputRejected: malformed input.
            LedgerRefused: GRANT_NOT_FOUND, NOT_CUSTODIAN, GRANT_ALREADY_REVOKED, GRANT_TOO_LONG, …
        """
        change = checked(lambda: GrantChange(grant_id=grant_id, not_after=_instant(not_after)))
        self._transactions.submit("grants:change", change, tries=CONFLICT_TRIES)
        return self.get(grant_id)

    def renew(self, grant_id: str, *, not_after: datetime) -> Grant:
        """Move a grant's end on, at most by the duration that was asked for counted from now, as its
        custodian.

        Raises:
            InputRejected: malformed input.
            LedgerRefused: GRANT_NOT_FOUND, NOT_CUSTODIAN, GRANT_RENEWAL_NOT_LATER, GRANT_TOO_LONG, …
        """
        renewal = checked(lambda: GrantChange(grant_id=grant_id, not_after=_instant(not_after)))
        self._transactions.submit("grants:renew", renewal, tries=CONFLICT_TRIES)
        return self.get(grant_id)

    def narrow(self, grant_id: str, **narrower: Any) -> Grant:
        """Make a grant narrower, as its custodian: `versions`, `purposes`, `restrictions`, `diseases`,
        `conditions` (a `Conditions`) and `not_after` (a datetime); what is not named stays.

        Raises:
            InputRejected: malformed input, FIELD_UNKNOWN.
            LedgerRefused: GRANT_WIDENED (its field `field` says where), GRANT_NOT_FOUND, NOT_CUSTODIAN, …
        """
        grant = self.get(grant_id)
        fields = {name: getattr(grant, name) for name in field_names(NarrowedGrant)}
        unknown = next((name for name in narrower if name not in fields), None)
        if unknown is not None:
            raise InputRejected("FIELD_UNKNOWN", f"a grant has no field {unknown} that can become narrower")
        if "not_after" in narrower:
            narrower["not_after"] = _instant(narrower["not_after"])
        made = checked(lambda: NarrowedGrant(**{**fields, **narrower}))
        self._transactions.submit("grants:narrow", made, tries=CONFLICT_TRIES)
        return self.get(grant_id)

    def revoke(self, grant_id: str) -> None:
        """Revoke a grant for good, as its custodian; made again where others overtake it.

        Raises:
            LedgerRefused: GRANT_NOT_FOUND, NOT_CUSTODIAN, GRANT_ALREADY_REVOKED, …
        """
        self._transactions.submit("grants:revoke", grant_id, tries=CONFLICT_TRIES)

    def suspend(self, grant_id: str) -> None:
        """Suspend a grant, as a regulator; made again where others overtake it.

        Raises:
            LedgerRefused: GRANT_NOT_FOUND, GRANT_ALREADY_SUSPENDED, ROLE_REQUIRED, …
        """
        self._transactions.submit("grants:suspend", grant_id, tries=CONFLICT_TRIES)

    def lift_suspension(self, grant_id: str) -> None:
        """Lift a suspension, as the regulator that suspended.

        Raises:
            LedgerRefused: GRANT_NOT_FOUND, GRANT_NOT_SUSPENDED, NOT_OWNER, ROLE_REQUIRED, …
        """
        self._transactions.submit("grants:lift_suspension", grant_id, tries=CONFLICT_TRIES)

    def get_request(self, request_id: str) -> AccessRequest:
        """Return a request for access.

        Raises:
            LedgerRefused: REQUEST_NOT_FOUND.
        """
        return AccessRequest.from_dict(self._transactions.evaluate("grants:get_request", request_id))

    def get(self, grant_id: str) -> Grant:
        """Return a grant.

        Raises:
            LedgerRefused: GRANT_NOT_FOUND.
        """
        return Grant.from_dict(self._transactions.evaluate("grants:get", grant_id))

    def suspension(self, grant_id: str) -> Suspension | None:
        """Return a regulator's suspension of a grant, in force or lifted; None where there never was one."""
        found = self._transactions.evaluate("grants:get_suspension", grant_id)
        return None if found is None else Suspension.from_dict(found)

    def _tolerance(self) -> timedelta:
        # Settings are written once, so one look is enough.
        if self._settings is None:
            self._settings = Settings.from_dict(self._transactions.evaluate("ledger:settings"))
        return timedelta(milliseconds=self._settings.time_tolerance_ms)


def _end(begin: datetime, duration: timedelta | None, not_after: datetime | None) -> datetime:
    if (duration is None) == (not_after is None):
        raise InputRejected("PERIOD_AMBIGUOUS", "name either a duration or not_after")
    if not_after is not None:
        return not_after
    try:
        return begin + (duration or timedelta(0))
    except OverflowError as error:
        raise InputRejected("PERIOD_INVALID", "the duration reaches beyond the year 9999") from error


def _instant(moment: datetime) -> str:
    try:
        return format_instant(moment)
    except ValueError as error:
        raise InputRejected("TIME_INVALID", str(error)) from error
