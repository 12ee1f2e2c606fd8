"""What a grant may say: no more than its request, no less than its dataset's terms; and that narrowing
narrows.
"""

from __future__ import annotations

from dataclasses import replace

from .conditions import check_conditions_narrow
from .dataset import DatasetVersion
from .diseases import within
from .errors import LedgerError
from .grant import Grant, NarrowedGrant, NewGrant
from .instants import milliseconds_between
from .request import AccessRequest
from .vocabulary import CONDITION_TERMS, ETHICS_APPROVAL, covers


def check_grant_answers_request(grant: NewGrant, request: AccessRequest) -> None:
    """A grant gives nothing that was not asked for and drops no restriction of the request.

    Raises LedgerError GRANT_VERSION_NOT_REQUESTED, GRANT_PURPOSE_NOT_REQUESTED, GRANT_RESTRICTION_DROPPED,
    GRANT_ETHICS_APPROVAL_MISSING, GRANT_DISEASE_NOT_REQUESTED, GRANT_PROJECT_MISSING, GRANT_COLUMNS_MISSING
    or GRANT_COLUMN_NOT_REQUESTED. Its length is checked apart, for a change of the end needs that check too.
    """
    for version_id in grant.versions:
        if version_id not in request.versions:
            raise LedgerError("GRANT_VERSION_NOT_REQUESTED", {"version_id": version_id})
    for purpose in grant.purposes:
        if not covers(request.purposes, purpose):
            raise LedgerError("GRANT_PURPOSE_NOT_REQUESTED", {"purpose": purpose})
    for restriction in request.restrictions:
        if restriction not in grant.restrictions:
            raise LedgerError("GRANT_RESTRICTION_DROPPED", {"restriction": restriction})
    if ETHICS_APPROVAL in grant.restrictions and request.ethics_approval_digest is None:
        raise LedgerError("GRANT_ETHICS_APPROVAL_MISSING")
    disease = _outside(grant.diseases, request.diseases)
    if disease is not None:
        raise LedgerError("GRANT_DISEASE_NOT_REQUESTED", {"disease": disease})
    if grant.conditions.project_members_only and request.project is None:
        raise LedgerError("GRANT_PROJECT_MISSING")
    _check_columns(grant.conditions.columns, request.columns)


def check_grant_length(not_before: str, not_after: str, request: AccessRequest) -> None:
    """A period is not empty and not longer than asked for; raises LedgerError PERIOD_INVALID or
    GRANT_TOO_LONG.
    """
    if not_before >= not_after:
        raise LedgerError("PERIOD_INVALID", {"record": "Grant"})
    if milliseconds_between(not_before, not_after) > request.duration_seconds * 1000:
        raise LedgerError("GRANT_TOO_LONG", {"maximum": request.duration_seconds})


def check_grant_meets_terms(grant: NewGrant, version: DatasetVersion) -> None:
    """Terms of the dataset that a condition can meet are met by one; raises LedgerError
    GRANT_CONDITION_MISSING.
    """
    for term, condition in CONDITION_TERMS.items():
        if term in version.duo_terms and not getattr(grant.conditions, condition):
            raise LedgerError("GRANT_CONDITION_MISSING", {"condition": condition, "term": term})


def narrowed(grant: Grant, narrower: NarrowedGrant) -> Grant:
    """The grant as it is to be; raises LedgerError GRANT_WIDENED naming the first field that would widen it.

    `use_slots` stays; which of them the smaller maximum closes is the ledger's business.
    """
    wider = {
        "versions": any(version not in grant.versions for version in narrower.versions),
        "purposes": not all(covers(grant.purposes, purpose) for purpose in narrower.purposes),
        "restrictions": any(kept not in narrower.restrictions for kept in grant.restrictions),
        "diseases": bool(grant.diseases)
        and (not narrower.diseases or _outside(narrower.diseases, grant.diseases) is not None),
        "not_after": narrower.not_after > grant.not_after,
    }
    for name, is_wider in wider.items():
        if is_wider:
            raise LedgerError("GRANT_WIDENED", {"field": name})
    check_conditions_narrow(grant.conditions, narrower.conditions)
    if narrower.conditions.project_members_only and grant.project is None:
        raise LedgerError("GRANT_PROJECT_MISSING")
    return replace(
        grant,
        versions=narrower.versions,
        purposes=narrower.purposes,
        restrictions=narrower.restrictions,
        diseases=narrower.diseases,
        conditions=narrower.conditions,
        not_after=narrower.not_after,
        use_slots=grant.use_slots or narrower.conditions.maximum_uses,
        revision=grant.revision + 1,
    )


def _outside(diseases: tuple[str, ...], allowed: tuple[str, ...]) -> str | None:
    """The first disease that is not surely within those allowed; nothing in `allowed` allows every one."""
    return next((d for d in diseases if allowed and not within(d, allowed)), None)


def _check_columns(granted: tuple[str, ...], requested: tuple[str, ...]) -> None:
    """A request for some columns is answered by a grant for these or fewer; one for all, by any."""
    if not requested:
        return
    if not granted:
        raise LedgerError("GRANT_COLUMNS_MISSING")
    column = next((name for name in granted if name not in requested), None)
    if column is not None:
        raise LedgerError("GRANT_COLUMN_NOT_REQUESTED", {"column": column})
