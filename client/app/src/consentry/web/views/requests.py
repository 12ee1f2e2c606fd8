"""Requests for access, newest first, and one of them with its reviews and the grants that answer it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Connection, select

from consentry.index import IndexFault
from consentry.index.nearby import counted_by_target, newest, pointing_to
from consentry.index.rows import RecordRow, get_record, get_records, links_to
from consentry.index.schema import records
from consentry.web.views.records import GrantEntry, VersionEntry, grant_entry, version_entry
from consentry_records.request import AccessRequest
from consentry_records.review import Review, ReviewPolicy

REQUESTS_A_PAGE = 50
_MOST_GRANTS = 50


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """One request in the list: what is asked for, how many reviews recommend what, how many grants answer."""

    request: AccessRequest
    block: int
    approving: int
    rejecting: int
    grants: int


@dataclass(frozen=True, slots=True)
class RequestList:
    """A page of requests: how many there are in all, and the id after which the next page begins."""

    entries: tuple[RequestEntry, ...]
    count: int
    next: str | None


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request.

    Attributes:
        request: the record, in today's form.
        block: block that holds it.
        versions: what it asks for.
        reviews: what reviewers recommend, oldest first; those that their custodian endorsed.
        policies: what custodians demand, those that demand something.
        grants: what answers it, newest first.
    """

    request: AccessRequest
    block: int
    versions: tuple[VersionEntry, ...]
    reviews: tuple[Review, ...]
    policies: tuple[ReviewPolicy, ...]
    grants: tuple[GrantEntry, ...]

    def own(self, msp_id: str) -> tuple[str, ...]:
        """Ids of the versions that one organization holds."""
        return tuple(version.version_id for version in self.versions if version.custodian == msp_id)


def list_requests(connection: Connection, after: str | None, custodian: str | None) -> RequestList:
    """A page of requests.

    Args:
        connection: the index.
        after: id that the page before gave as next.
        custodian: MSP id of whose data they ask for; None for all.

    Raises:
        InputRejected: PAGE_INVALID.
    """
    table = records.c
    ids = select(table.record_id).where(table.kind == "request")
    if custodian is not None:
        held = select(table.record_id).where(table.kind == "version", table.owner == custodian)
        ids = pointing_to("version", held, "request")
    found = newest(connection, "request", ids, REQUESTS_A_PAGE, after)
    shown = [row.record_id for row in found.rows]
    reviews = _reviews_of(connection, shown)
    grants = counted_by_target(connection, "request", shown, "grant")
    entries = [_entry(row, reviews[row.record_id], grants.get(row.record_id, 0)) for row in found.rows]
    return RequestList(tuple(entries), found.count, found.next)


def view_request(connection: Connection, request_id: str, at: str) -> RequestView:
    """One request; its grants as they stand at an instant.

    Raises:
        IndexFault: REQUEST_NOT_INDEXED.
    """
    row = get_record(connection, "request", request_id)
    if row is None or not row.body:
        raise IndexFault("REQUEST_NOT_INDEXED", "The index has no such request; check the id.")
    request = AccessRequest.from_dict(row.body)
    versions = tuple(map(version_entry, get_records(connection, "version", request.versions)))
    custodians = sorted({version.custodian for version in versions})
    policies = [found for found in get_records(connection, "review-policy", custodians) if found.honoured]
    grants = newest(connection, "grant", pointing_to("request", [request_id], "grant"), _MOST_GRANTS)
    return RequestView(
        request=request,
        block=row.first_block,
        versions=versions,
        reviews=_reviews_of(connection, [request_id])[request_id],
        policies=tuple(ReviewPolicy.from_dict(found.body) for found in policies),
        grants=tuple(grant_entry(found, at) for found in grants.rows),
    )


def review_policy(connection: Connection, custodian: str) -> ReviewPolicy | None:
    """What a custodian (MSP id) demands of reviews before a grant; None where it demands nothing."""
    found = get_record(connection, "review-policy", custodian)
    return ReviewPolicy.from_dict(found.body) if found is not None and found.honoured else None


def _entry(row: RecordRow, reviews: Sequence[Review], grants: int) -> RequestEntry:
    recommended = Counter(review.recommendation for review in reviews)
    return RequestEntry(
        AccessRequest.from_dict(row.body),
        row.first_block,
        recommended["approve"],
        recommended["reject"],
        grants,
    )


def _reviews_of(connection: Connection, requests: Sequence[str]) -> dict[str, tuple[Review, ...]]:
    """For each of some requests the reviews that their custodians endorsed, oldest first."""
    found: dict[str, list[Review]] = {request_id: [] for request_id in requests}
    by_request = links_to(connection, "request", requests, "review")
    rows = get_records(connection, "review", chain.from_iterable(by_request.values()))
    for review in (Review.from_dict(row.body) for row in rows if row.honoured):
        if review.request_id in found:
            found[review.request_id].append(review)
    return {request_id: tuple(reviews) for request_id, reviews in found.items()}
