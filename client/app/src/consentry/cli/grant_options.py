"""Options of the commands that give or narrow a grant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from consentry_records.conditions import Conditions
from consentry_records.grant import NO_CONDITIONS
from consentry_records.instants import format_instant

Diseases = Annotated[
    list[str] | None, typer.Option("--disease", help="Mondo id, e.g. MONDO:0005015; may be repeated.")
]
MaximumUses = Annotated[int | None, typer.Option(help="How many permits there may be, at most 1000.")]
Persons = Annotated[
    list[str] | None, typer.Option("--person", help="Enrolment id; only these may use it; may be repeated.")
]
Countries = Annotated[
    list[str] | None, typer.Option("--country", help="Country where the grantee has to be; may be repeated.")
]
ProjectMembersOnly = Annotated[
    bool, typer.Option("--project-members-only", help="Only whose certificate names the project.")
]
AggregateOutputOnly = Annotated[bool, typer.Option("--aggregate-output-only", help="No rows may leave.")]
ConditionColumns = Annotated[
    list[str] | None, typer.Option("--column", help="Column; only these may be used; may be repeated.")
]
DataCategories = Annotated[
    list[str] | None,
    typer.Option(
        "--data-category", help="Category of data; no version with others may be used; may be repeated."
    ),
]
PublicationNotBefore = Annotated[
    str | None, typer.Option(help="Until when nothing may be published, e.g. 2028-01-31T12:00:00Z.")
]


def conditions_of(
    before: Conditions = NO_CONDITIONS,
    *,
    maximum_uses: int | None,
    persons: Sequence[str] | None,
    countries: Sequence[str] | None,
    project_members_only: bool,
    aggregate_output_only: bool,
    publication_not_before: str | None,
    columns: Sequence[str] | None,
    data_categories: Sequence[str] | None,
) -> Conditions:
    """Return conditions with what the options name put in place of what was before.

    Raises:
        InputRejected: a malformed value.
    """
    from consentry.cli.frames import parse_time
    from consentry.transactions import checked

    named: dict[str, Any] = {}
    if maximum_uses is not None:
        named["maximum_uses"] = maximum_uses
    lists = {
        "persons": persons,
        "countries": countries,
        "columns": columns,
        "data_categories": data_categories,
    }
    named.update({name: tuple(values) for name, values in lists.items() if values})
    if publication_not_before is not None:
        named["publication_not_before"] = format_instant(parse_time(publication_not_before))
    named["project_members_only"] = project_members_only or before.project_members_only
    named["aggregate_output_only"] = aggregate_output_only or before.aggregate_output_only
    return checked(lambda: replace(before, **named))
