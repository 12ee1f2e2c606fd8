"""Contract `reviews`: what reviewers say of a request for access before a custodian grants it."""

from __future__ import annotations

from typing import Any

from consentry_records import canonical, events, keys
from consentry_records.dataset import DatasetVersion
from consentry_records.digest import digest_bytes
from consentry_records.duo import ALGORITHM, match, worst
from consentry_records.errors import LedgerError
from consentry_records.record import field_names
from consentry_records.request import AccessRequest
from consentry_records.review import (
    MAXIMUM_RATIONALE_BYTES,
    RATIONALE_KEY,
    NewReview,
    NewReviewPolicy,
    Review,
    ReviewPolicy,
    rationale_key,
)
from fabric_shim import Context, evaluation, transaction

from . import private_read
from .actors import Actor, member
from .ledger_contract import LedgerContract, check_identifier, emit, proposal_instant
from .state import Snapshot, put_owned, read


class Reviews(LedgerContract):
    """Functions `reviews:…`."""

    name = "reviews"

    @transaction
    async def set_policy(self, ctx: Context, policy: NewReviewPolicy) -> None:
        """Say how many approving reviews, and of which roles, the own organization demands of a grant."""
        settings = (await read(ctx, keys.SETTINGS)).settings()
        actor = member(ctx, settings)
        record = ReviewPolicy(
            **{name: getattr(policy, name) for name in field_names(NewReviewPolicy)},
            custodian=actor.msp_id,
            set_by=actor.enrolment_id,
            set_at=proposal_instant(ctx),
        )
        key = keys.review_policy(actor.msp_id)
        await put_owned(ctx, key, record, owner=actor.msp_id, settings=settings)
        emit(ctx, events.REVIEW_POLICY_SET, custodian=actor.msp_id)

    @transaction
    async def store_rationale(self, ctx: Context, request_id: str) -> None:
        """Store the caller's rationale (transient `rationale`) in the own collection, and nothing anywhere
        else.

        Raises TRANSIENT_INVALID, RATIONALE_EXISTS.
        """
        check_identifier("request_id", "request", request_id)
        value = ctx.stub.transient["rationale"]
        if len(value) > MAXIMUM_RATIONALE_BYTES or not _is_rationale(value):
            raise LedgerError("TRANSIENT_INVALID", {"expected": "rationale of canonical JSON with its salt"})
        actor = member(ctx, (await read(ctx, keys.SETTINGS)).settings())
        collection, key = keys.collection(actor.msp_id), rationale_key(request_id, actor.enrolment_id)
        if await ctx.stub.get_private_hash(collection, key) is not None:
            raise LedgerError("RATIONALE_EXISTS", {"request_id": request_id})
        await ctx.stub.put_private(collection, key, value)
        emit(ctx, events.RATIONALE_STORED, request_id=request_id, custodian=actor.msp_id)

    @transaction
    async def record(self, ctx: Context, review: NewReview) -> None:
        """Record the caller's review of a request for a dataset version of the own organization.

        Raises REQUEST_NOT_FOUND, REVIEW_EXISTS, REVIEWER_IS_REQUESTER, REVIEW_NOT_CONCERNED,
        RATIONALE_MISSING, RATIONALE_DIFFERS.
        """
        request_key, policy_of = keys.request(review.request_id), ctx.caller
        key = keys.review(review.request_id, policy_of.msp_id, policy_of.common_name)
        state = await read(ctx, keys.SETTINGS, request_key, key)
        settings = state.settings()
        actor = member(ctx, settings)
        named = {"request_id": review.request_id}
        request = state.required(AccessRequest, request_key, LedgerError("REQUEST_NOT_FOUND", named))
        state.check_absent(key, LedgerError("REVIEW_EXISTS", named))
        if (request.requester_msp, request.requester) == (actor.msp_id, actor.enrolment_id):
            raise LedgerError("REVIEWER_IS_REQUESTER", named)
        versions = [version for version in await _versions(ctx, request) if version.custodian == actor.msp_id]
        if not versions:
            raise LedgerError("REVIEW_NOT_CONCERNED", {**named, "msp_id": actor.msp_id})
        await _check_rationale(ctx, review, actor)
        record = Review(
            **{name: getattr(review, name) for name in field_names(NewReview)},
            custodian=actor.msp_id,
            reviewer=actor.enrolment_id,
            roles=actor.roles,
            match=worst([match(request, version) for version in versions]),
            reviewed_at=proposal_instant(ctx),
        )
        await put_owned(ctx, key, record, owner=actor.msp_id, settings=settings)
        fields = {**named, "custodian": actor.msp_id, "recommendation": review.recommendation}
        emit(ctx, events.REVIEW_RECORDED, **fields)

    @evaluation
    async def list(self, ctx: Context, request_id: str) -> dict[str, Any]:
        """{"reviews": […]} of a request, ordered by custodian and reviewer."""
        check_identifier("request_id", "request", request_id)
        return {"reviews": [review.to_dict() for review in await reviews_of(ctx, request_id)]}

    @evaluation
    async def match(self, ctx: Context, request_id: str) -> dict[str, Any]:
        """What the DUO terms of each requested version say: {"algorithm", "versions": {id: {"outcome",
        "reasons"}}}.

        Raises REQUEST_NOT_FOUND.
        """
        check_identifier("request_id", "request", request_id)
        key = keys.request(request_id)
        missing = LedgerError("REQUEST_NOT_FOUND", {"request_id": request_id})
        request = (await read(ctx, key)).required(AccessRequest, key, missing)
        found = {version.version_id: match(request, version) for version in await _versions(ctx, request)}
        return {
            "algorithm": ALGORITHM,
            "versions": {
                version_id: {
                    "outcome": one.outcome,
                    "reasons": [reason.to_dict() for reason in one.reasons],
                }
                for version_id, one in found.items()
            },
        }

    @evaluation
    async def read_rationale(self, ctx: Context, request_id: str, reviewer: str) -> dict[str, str]:
        """A rationale in the caller's own collection, encrypted under the one-time key in transient `key`.

        Raises TRANSIENT_INVALID, PRIVATE_ENTRY_NOT_FOUND.
        """
        return await private_read.read_private(ctx, rationale_key(request_id, reviewer), RATIONALE_KEY)


async def reviews_of(ctx: Context, request_id: str, custodian: str | None = None) -> list[Review]:
    """A request's reviews, all or one custodian's; one that commits meanwhile voids the reader (phantom)."""
    start, end = keys.reviews(request_id, custodian)
    return [Review.from_bytes(value) async for _, value in ctx.stub.get_range(start, end)]


async def _versions(ctx: Context, request: AccessRequest) -> list[DatasetVersion]:
    state: Snapshot = await read(ctx, *(keys.version(version_id) for version_id in request.versions))
    return [
        state.required(
            DatasetVersion,
            keys.version(version_id),
            LedgerError("VERSION_NOT_FOUND", {"version_id": version_id}),
        )
        for version_id in request.versions
    ]


async def _check_rationale(ctx: Context, review: NewReview, actor: Actor) -> None:
    if review.rationale_digest is None:
        return
    key = rationale_key(review.request_id, actor.enrolment_id)
    stored = await ctx.stub.get_private_hash(keys.collection(actor.msp_id), key)
    if stored is None:
        raise LedgerError("RATIONALE_MISSING", {"request_id": review.request_id})
    if stored != digest_bytes(review.rationale_digest):
        raise LedgerError("RATIONALE_DIFFERS")


def _is_rationale(value: bytes) -> bool:
    try:
        document = canonical.decode(value)
    except LedgerError:
        return False
    return (
        isinstance(document, dict)
        and set(document) == {"salt", "text"}
        and all(isinstance(text, str) for text in document.values())
        and len(document["salt"]) == 64
        and canonical.encode(document) == value
    )
