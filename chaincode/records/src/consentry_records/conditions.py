"""Conditions of a grant, each checked by a rule of every decision (ODRL constraints, EHDS Art. 68 and 73)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .columns import COLUMNS
from .errors import LedgerError
from .kinds import ACTOR, COUNTRY, FLAG, INSTANT, SLUG, Integer, Many, Nullable
from .record import Record

MAXIMUM_USES = 1000
MAXIMUM_PERSONS = 64
MAXIMUM_CATEGORIES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions(Record):
    """What a grant demands beyond purpose and period; the defaults demand nothing.

    `maximum_uses`: how many permits there may ever be (none: any number). `persons`: enrolment ids of the
    only people who may use it (EHDS Art. 73; none: everybody of the grantee). `project_members_only`: the
    certificate's attribute `consentry.project` has to name the project of the request.
    `aggregate_output_only`: only aggregates may leave. `countries`: where the grantee has to be (none:
    anywhere). `publication_not_before`: until when no model version made under it may be published
    (DUO:0000024). `columns`: which columns alone may be used, by their names in the version's schema (none:
    all). `data_categories`: which categories of data alone; a version that has others too is not for this
    grant (none: any).
    """

    maximum_uses: Annotated[int | None, Nullable(Integer(1, MAXIMUM_USES))] = None
    persons: Annotated[tuple[str, ...], Many(ACTOR, 0, MAXIMUM_PERSONS)] = ()
    project_members_only: Annotated[bool, FLAG] = False
    aggregate_output_only: Annotated[bool, FLAG] = False
    countries: Annotated[tuple[str, ...], Many(COUNTRY, 0, 64)] = ()
    publication_not_before: Annotated[str | None, Nullable(INSTANT)] = None
    columns: Annotated[tuple[str, ...], COLUMNS] = ()
    data_categories: Annotated[tuple[str, ...], Many(SLUG, 0, MAXIMUM_CATEGORIES)] = ()


def check_conditions_narrow(before: Conditions, after: Conditions) -> None:
    """No condition is given up or eased; raises LedgerError GRANT_WIDENED naming the first that is."""
    eased = {
        "maximum_uses": _eased(before.maximum_uses, after.maximum_uses),
        "persons": _listed_more(before.persons, after.persons),
        "project_members_only": before.project_members_only and not after.project_members_only,
        "aggregate_output_only": before.aggregate_output_only and not after.aggregate_output_only,
        "countries": _listed_more(before.countries, after.countries),
        "publication_not_before": (after.publication_not_before or "")
        < (before.publication_not_before or ""),
        "columns": _listed_more(before.columns, after.columns),
        "data_categories": _listed_more(before.data_categories, after.data_categories),
    }
    for name, is_eased in eased.items():
        if is_eased:
            raise LedgerError("GRANT_WIDENED", {"field": f"conditions.{name}"})


def _eased(before: int | None, after: int | None) -> bool:
    return before is not None and (after is None or after > before)


def _listed_more(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether a list that bounds (an empty one does not) lets somebody in who was not."""
    return bool(before) and (not after or any(item not in before for item in after))
