"""``consentry grants requests``: what researchers ask for, as custodians see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from consentry.cli.context import command_context
from consentry.cli.grants import app
from consentry.cli.output import AsJson, examples, show_json, show_table

if TYPE_CHECKING:
    from consentry.index import Trail


@app.command(
    epilog=examples(
        "consentry --as northgate/steward grants requests",
        "consentry --as riverside/researcher grants requests --all",
    )
)
def requests(
    ctx: typer.Context,
    everybody: Annotated[
        bool, typer.Option("--all", help="Those for every custodian's data, answered or not.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the requests for data of the own organization that it has not granted yet, oldest first."""
    from consentry.cli.index_access import open_trail

    context = command_context(ctx)
    with open_trail(context) as trail:
        found = _requests(trail, None if everybody else context.organization.msp_id)
    if as_json:
        show_json({"items": found})
        return
    show_table(
        (
            "request",
            "asked",
            "organization",
            "project",
            "purposes",
            "days",
            "datasets",
            "columns",
            "granted by",
        ),
        [
            (
                item["request_id"],
                item["requested_at"],
                item["requester_msp"],
                item["project"],
                item["purposes"],
                round(item["duration_seconds"] / 86_400, 1),
                item["datasets"],
                # Requests of earlier forms name none, that is, all.
                item.get("columns") or "all",
                item["granted_by"],
            )
            for item in found
        ],
    )


def _requests(trail: Trail, custodian: str | None) -> list[dict[str, Any]]:
    """Requests with the names of their datasets and who granted them; of a custodian, what waits for it."""
    versions = {row.record_id: row for row in trail.records("version")}
    granted: dict[str, set[str]] = {}
    for row in trail.records("grant"):
        granted.setdefault(row.body["request_id"], set()).add(row.owner)
    found = []
    for row in trail.records("request"):
        asked = [versions[name] for name in row.body["versions"] if name in versions]
        granted_by = granted.get(row.record_id, set())
        if custodian is not None and (
            custodian in granted_by or custodian not in {version.owner for version in asked}
        ):
            continue
        datasets = sorted({version.body["name"] for version in asked})
        found.append({**row.body, "datasets": datasets, "granted_by": sorted(granted_by)})
    return sorted(found, key=lambda item: str(item["requested_at"]))
