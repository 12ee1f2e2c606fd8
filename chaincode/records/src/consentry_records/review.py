"""Reviews of access requests, what a custodian demands of them, and where their rationale stays private."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from .canonical import encode
from .duo import MATCH_OUTCOMES
from .errors import LedgerError
from .identifiers import ACTOR_PATTERN
from .kinds import ACTOR, DIGEST, INSTANT, MSP_ID, Choice, Integer, Many, Nullable, Text, identifier
from .record import Record
from .roles import DPO, ETHICS, ROLES, STEWARD

APPROVE = "approve"
REJECT = "reject"
ABSTAIN = "abstain"
REVIEWER_ROLES = (STEWARD, DPO, ETHICS)
SALT_BYTES = 32
MAXIMUM_RATIONALE_BYTES = 16_384

REVIEW_REASONS = MappingProxyType(
    {
        "PURPOSE_FITS": "the purpose fits the dataset's terms",
        "PURPOSE_DOES_NOT_FIT": "the purpose does not fit the dataset's terms",
        "DATA_MINIMAL": "no more data are asked for than needed",
        "DATA_NOT_MINIMAL": "more data are asked for than needed",
        "ETHICS_APPROVAL_VALID": "the ethics approval is valid for this project",
        "ETHICS_APPROVAL_INVALID": "the ethics approval is missing or not valid for this project",
        "SAFEGUARDS_SUFFICIENT": "the safeguards are sufficient",
        "SAFEGUARDS_INSUFFICIENT": "the safeguards are not sufficient",
        "PUBLIC_INTEREST": "the project is in the public interest",
        "CONFLICT_OF_INTEREST": "the reviewer has a conflict of interest",
        "OTHER": "another reason, in the private rationale",
    }
)
"""Why a reviewer recommends what he does, in codes; words of his own are private."""

RATIONALE_KEY = Text(
    re.compile(r"rationale/request-[0-9a-f]{32}/" + ACTOR_PATTERN.pattern),
    "rationale/<request id>/<enrolment id>",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReview(Record):
    """A review as a reviewer submits it (argument of `reviews:record`).

    `rationale_digest` is `sha256:` of the private rationale (`encode_rationale`), which holds a random salt,
    so that the digest says nothing of the text; null where there is none.
    """

    request_id: Annotated[str, identifier("request")]
    recommendation: Annotated[str, Choice((APPROVE, REJECT, ABSTAIN))]
    reasons: Annotated[tuple[str, ...], Many(Choice(REVIEW_REASONS), 1, len(REVIEW_REASONS))]
    rationale_digest: Annotated[str | None, Nullable(DIGEST)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(NewReview):
    """A review on the ledger, key `review/{request}/{custodian}/{reviewer}`: one of each reviewer, never
    rewritten.

    `match` is what the DUO terms of the custodian's requested versions said then, so that man and algorithm
    can be compared.
    """

    custodian: Annotated[str, MSP_ID]
    reviewer: Annotated[str, ACTOR]
    roles: Annotated[tuple[str, ...], Many(Choice(ROLES), 0, len(ROLES))]
    match: Annotated[str, Choice(MATCH_OUTCOMES)]
    reviewed_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.review/1",))] = "consentry.review/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReviewPolicy(Record):
    """What a custodian demands before a grant (argument of `reviews:set_policy`).

    `approvals`: how many reviewers have to approve; `required_roles`: roles of which one approving reviewer
    at least has each.
    """

    approvals: Annotated[int, Integer(0, 16)]
    required_roles: Annotated[tuple[str, ...], Many(Choice(REVIEWER_ROLES), 0, len(REVIEWER_ROLES))]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPolicy(NewReviewPolicy):
    """A custodian's demand, key `review-policy/{custodian}`; without one no review is demanded."""

    custodian: Annotated[str, MSP_ID]
    set_by: Annotated[str, ACTOR]
    set_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.reviewpolicy/1",))] = "consentry.reviewpolicy/1"


def check_reviews(policy: ReviewPolicy | None, reviews: Collection[Review]) -> None:
    """Reviews allow a grant: enough approve, with each role demanded, and no fewer than reject.

    Raises LedgerError REVIEWS_REJECT, REVIEWS_MISSING or REVIEW_ROLE_MISSING.
    """
    approving = [review for review in reviews if review.recommendation == APPROVE]
    rejecting = sum(review.recommendation == REJECT for review in reviews)
    if rejecting and rejecting >= len(approving):
        raise LedgerError("REVIEWS_REJECT", {"approving": len(approving), "rejecting": rejecting})
    if policy is None:
        return
    if len(approving) < policy.approvals:
        raise LedgerError("REVIEWS_MISSING", {"expected": policy.approvals, "got": len(approving)})
    for role in policy.required_roles:
        if not any(role in review.roles for review in approving):
            raise LedgerError("REVIEW_ROLE_MISSING", {"role": role})


def encode_rationale(salt: bytes, text: str) -> bytes:
    """The private rationale: canonical JSON {"salt": <64 hex>, "text": …}; its SHA-256 is the public digest.

    Raises ValueError for a salt that is not 32 bytes, LedgerError VALUE_NOT_ENCODABLE or TOO_LARGE.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"expected a salt of {SALT_BYTES} bytes, got {len(salt)}")
    encoded = encode({"salt": salt.hex(), "text": text})
    if len(encoded) > MAXIMUM_RATIONALE_BYTES:
        raise LedgerError(
            "TOO_LARGE", {"what": "rationale", "maximum": MAXIMUM_RATIONALE_BYTES, "got": len(encoded)}
        )
    return encoded


def rationale_key(request_id: str, reviewer: str) -> str:
    """Key of a rationale in its custodian's collection."""
    return f"rationale/{request_id}/{reviewer}"
