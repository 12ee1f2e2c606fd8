"""Whether one grant allows one use at one time: the rules that look at a grant and nothing else of the
ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from . import rule_catalogue as rule
from .access import AGGREGATE, ROWS, AccessAttempt
from .dataset import ACTIVE as VERSION_ACTIVE
from .dataset import DatasetVersion
from .diseases import all_within
from .grant import ACTIVE, Grant
from .instants import shift
from .reasons import Reason
from .settings import Settings
from .vocabulary import ETHICS_APPROVAL, covers, excludes_commercial_use, terms_cover

GRANT_RULES = (
    rule.DATASET_STATE,
    rule.GRANT_STATE,
    rule.GRANT_SUSPENSION,
    rule.GRANT_PERIOD,
    rule.PURPOSE,
    rule.COMMERCIAL_USE,
    rule.ETHICS,
    rule.DISEASE,
    rule.PERSON,
    rule.PROJECT,
    rule.OUTPUT,
    rule.COUNTRY,
    rule.COLUMNS,
    rule.CATEGORIES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What somebody wants to do with a dataset version, and who that is as far as a grant may ask."""

    purpose: str
    commercial: bool
    diseases: tuple[str, ...] = ()
    output: str = ROWS
    requester: str = ""
    projects: tuple[str, ...] = ()
    country: str | None = None
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, attempt: AccessAttempt, settings: Settings) -> Self:
        """The use that an attempt is for."""
        return cls(
            purpose=attempt.purpose,
            commercial=attempt.commercial,
            diseases=attempt.diseases,
            output=attempt.output,
            requester=attempt.requester,
            projects=attempt.projects,
            country=settings.country_of(attempt.requester_msp),
            columns=attempt.columns,
        )


def grant_refusals(
    grant: Grant, version: DatasetVersion, use: Use, *, suspended: bool, settings: Settings, at: str
) -> tuple[Reason, ...]:
    """Why this grant does not allow the use of the version at an instant; empty when it does.

    The caller has made sure that the grant names the version and its custodian. Limited uses are not looked
    at: which are left only the ledger knows.
    """
    named = {"grant_id": grant.grant_id}
    terms = (*grant.restrictions, *version.duo_terms)
    unapproved = ETHICS_APPROVAL in terms and grant.ethics_approval_digest is None
    failed = {
        "GRANT_REVOKED": grant.state != ACTIVE,
        "GRANT_SUSPENDED": suspended,
        "COMMERCIAL_USE_EXCLUDED": use.commercial and excludes_commercial_use(terms),
        "ETHICS_APPROVAL_MISSING": unapproved,
        **_conditions_failed(grant, use),
    }
    retired = Reason(code="VERSION_RETIRED", parameters={"version_id": version.version_id})
    refusals = [*_period_refusals(grant, settings, at), *_purpose_refusals(grant, version, use)]
    refusals += _data_refusals(grant, version, use)
    found = [Reason(code=code, parameters=named) for code, is_failed in failed.items() if is_failed]
    return (*([] if version.state == VERSION_ACTIVE else [retired]), *found, *refusals)


def _conditions_failed(grant: Grant, use: Use) -> dict[str, bool]:
    conditions = grant.conditions
    return {
        "DISEASE_NOT_COVERED": not all_within(use.diseases, grant.diseases),
        "PERSON_NOT_NAMED": bool(conditions.persons) and use.requester not in conditions.persons,
        "PROJECT_NOT_CERTIFIED": conditions.project_members_only and grant.project not in use.projects,
        "OUTPUT_NOT_AGGREGATE": conditions.aggregate_output_only and use.output != AGGREGATE,
        "COUNTRY_EXCLUDED": bool(conditions.countries) and use.country not in conditions.countries,
    }


def _period_refusals(grant: Grant, settings: Settings, at: str) -> list[Reason]:
    named, refusals = {"grant_id": grant.grant_id}, []
    if shift(at, -settings.time_tolerance_ms) < grant.not_before:
        refusals.append(
            Reason(code="GRANT_NOT_YET_VALID", parameters={**named, "not_before": grant.not_before})
        )
    if shift(at, settings.time_tolerance_ms) >= grant.not_after:
        refusals.append(Reason(code="GRANT_EXPIRED", parameters={**named, "not_after": grant.not_after}))
    return refusals


def _purpose_refusals(grant: Grant, version: DatasetVersion, use: Use) -> list[Reason]:
    refusals = []
    if not covers(grant.purposes, use.purpose):
        fields = {"grant_id": grant.grant_id, "purpose": use.purpose}
        refusals.append(Reason(code="PURPOSE_NOT_COVERED", parameters=fields))
    if not terms_cover(version.duo_terms, use.purpose):
        refusals.append(Reason(code="PURPOSE_EXCLUDED_BY_DATASET", parameters={"purpose": use.purpose}))
    return refusals


def _data_refusals(grant: Grant, version: DatasetVersion, use: Use) -> list[Reason]:
    """The first column and the first category that the grant does not cover; no columns named are all."""
    columns, categories = grant.conditions.columns, grant.conditions.data_categories
    named, refusals = {"grant_id": grant.grant_id}, []
    if columns and not use.columns:
        refusals.append(Reason(code="COLUMNS_NOT_NAMED", parameters=named))
    column = next((name for name in use.columns if columns and name not in columns), None)
    if column is not None:
        refusals.append(Reason(code="COLUMN_NOT_COVERED", parameters={**named, "column": column}))
    category = next((name for name in version.categories if categories and name not in categories), None)
    if category is not None:
        refusals.append(Reason(code="CATEGORY_NOT_COVERED", parameters={**named, "category": category}))
    return refusals
