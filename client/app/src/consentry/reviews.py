"""Reviews of requests for access and of emergency accesses; rationale stays with the custodian."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from consentry.private_reads import read_private
from consentry.transactions import Transactions, checked
from consentry_records.digest import sha256_digest
from consentry_records.emergency import EmergencyAccess, EmergencyReview
from consentry_records.reasons import Reason
from consentry_records.review import (
    SALT_BYTES,
    NewReview,
    NewReviewPolicy,
    Review,
    encode_rationale,
    rationale_key,
)


@dataclass(frozen=True, slots=True)
class VersionMatch:
    """What a dataset version's DUO terms say to a request: yes, no or person, and why."""

    version_id: str
    outcome: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class OpenEmergency:
    """An emergency access whose review is owed, and whether it is overdue by now."""

    access: EmergencyAccess
    overdue: bool


class Reviews:
    """Review requests and emergencies, as a steward, data protection officer or ethics reviewer."""

    def __init__(self, transactions: Transactions, msp_id: str) -> None:
        self._transactions = transactions
        self._msp_id = msp_id

    def record(
        self, request_id: str, recommendation: str, *, reasons: Sequence[str], rationale: str | None = None
    ) -> NewReview:
        """Review a request: `approve`, `reject` or `abstain`, with codes of `review.REVIEW_REASONS`.

        The rationale goes to the own organization's collection, with a random salt; the ledger gets its
        digest.

        Raises:
            InputRejected: malformed input; nothing was sent.
            LedgerRefused: REQUEST_NOT_FOUND, REVIEW_EXISTS, REVIEWER_IS_REQUESTER, REVIEW_NOT_CONCERNED, …
        """
        encoded = (
            None
            if rationale is None
            else checked(lambda: encode_rationale(secrets.token_bytes(SALT_BYTES), rationale))
        )
        review = checked(
            lambda: NewReview(
                request_id=request_id,
                recommendation=recommendation,
                reasons=tuple(reasons),
                rationale_digest=None if encoded is None else sha256_digest(encoded),
            )
        )
        if encoded is not None:
            self._transactions.submit(
                "reviews:store_rationale",
                request_id,
                transient={"rationale": encoded},
                endorsers=(self._msp_id,),
            )
        self._transactions.submit("reviews:record", review)
        return review

    def list(self, request_id: str) -> tuple[Review, ...]:
        """Return the reviews of a request, of all custodians."""
        answer = self._transactions.evaluate("reviews:list", request_id)
        return tuple(Review.from_dict(value) for value in answer["reviews"])

    def match(self, request_id: str) -> tuple[VersionMatch, ...]:
        """Return what the DUO terms of each requested version say.

        Raises:
            LedgerRefused: REQUEST_NOT_FOUND.
        """
        versions = self._transactions.evaluate("reviews:match", request_id)["versions"]
        return tuple(
            VersionMatch(
                version_id, one["outcome"], tuple(Reason.from_dict(reason) for reason in one["reasons"])
            )
            for version_id, one in versions.items()
        )

    def rationale(self, request_id: str, reviewer: str) -> str:
        """Return a colleague's rationale from the own organization's collection.

        Raises:
            LedgerRefused: PRIVATE_ENTRY_NOT_FOUND, ROLE_REQUIRED.
        """
        key = rationale_key(request_id, reviewer)
        value = read_private(
            self._transactions, key, function="reviews:read_rationale", arguments=(request_id, reviewer)
        )
        return str(json.loads(value)["text"])

    def set_policy(self, *, approvals: int, required_roles: Sequence[str] = ()) -> None:
        """Say how many approving reviews a grant of the own organization needs, and of which roles.

        Raises:
            InputRejected: malformed input.
            LedgerRefused: ROLE_REQUIRED, …
        """
        policy = checked(lambda: NewReviewPolicy(approvals=approvals, required_roles=tuple(required_roles)))
        self._transactions.submit("reviews:set_policy", policy)

    def open_emergencies(self, custodians: Sequence[str] = ()) -> tuple[OpenEmergency, ...]:
        """Return the emergency accesses without a review, of the own organization or those named."""
        answer = self._transactions.evaluate("emergencies:open", list(custodians) or [self._msp_id])
        found = []
        for value in answer["open"]:
            overdue = value.pop("overdue")
            found.append(OpenEmergency(EmergencyAccess.from_dict(value), overdue))
        return tuple(found)

    def review_emergency(self, attempt_id: str, *, justified: bool, findings: Sequence[str]) -> None:
        """Record what the review of an emergency access found: codes of `emergency.EMERGENCY_FINDINGS`.

        Raises:
            InputRejected: malformed input.
            LedgerRefused: EMERGENCY_NOT_FOUND, EMERGENCY_ALREADY_REVIEWED, NOT_CUSTODIAN, ROLE_REQUIRED, …
        """
        review = checked(
            lambda: EmergencyReview(
                attempt_id=attempt_id,
                state="justified" if justified else "unjustified",
                findings=tuple(findings),
                rationale_digest=None,
            )
        )
        self._transactions.submit("emergencies:review", review)
