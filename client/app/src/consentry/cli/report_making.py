"""One report made: the trail opened, the report composed as of now, delivered where it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consentry.cli.context import command_context
from consentry.cli.report_files import Format, deliver
from consentry.errors import InputRejected

if TYPE_CHECKING:
    from consentry.index import Trail
    from consentry.reports import Details, Report
    from consentry.reports.evidence_making import RecordedManifest

SubjectOption = Annotated[
    str | None,
    typer.Option(help="The subject's commitment on the ledger; else the pseudonym is read from input."),
]
DetailsOption = Annotated[
    Path | None,
    typer.Option(
        help="YAML file with what no ledger has, e.g. dpo_contact; `report details` lists the keys."
    ),
]
OrganizationOption = Annotated[
    str | None, typer.Option(help="Another organization's MSP id (default: the own one).")
]


def make_report(
    ctx: typer.Context,
    compose: Callable[[Trail, str], Report],
    form: Format,
    output: Path | None,
    proofs: bool,
    manifest: RecordedManifest | None = None,
) -> None:
    """Compose a report from the trail, say how complete it is, and write it; in JSON with its evidence.

    Args:
        ctx: of the command.
        compose: makes the report of the trail and the instant at which it is made.
        form: what it is written as.
        output: where to; None is standard output.
        proofs: whether it carries the proofs of its blocks.
        manifest: the custodian's row manifests that it is composed by, if it is on a subject.

    Raises:
        InputRejected: PROOFS_NEED_JSON.
    """
    from consentry.cli.index_access import open_trail
    from consentry.cli.report_proofs import with_proofs
    from consentry.reports.evidence_making import completed
    from consentry_records.instants import format_instant

    if proofs and form is not Format.JSON:
        raise InputRejected("PROOFS_NEED_JSON", "Only a report in JSON can carry proofs: add --format json.")
    with open_trail(command_context(ctx)) as trail:
        report = compose(trail, format_instant(datetime.now(UTC)))
        report = completed(trail, report, manifest, with_evidence=form is Format.JSON)
    if proofs:
        report = with_proofs(command_context(ctx), report)
    deliver(ctx, report, form, output)


def make_subject_report(
    ctx: typer.Context,
    subject: str | None,
    compose: Callable[..., Any],
    form: Format,
    output: Path | None,
    proofs: bool,
) -> None:
    """Compose a report on one subject, with the custodian's own row manifests, and write it.

    Only the custodian knows the pseudonym, and no command line ever has it.

    Args:
        ctx: of the command.
        subject: the commitment; None to ask for the pseudonym.
        compose: makes the report of trail, commitment, ``generated_at`` and ``manifest``.
        form: what it is written as.
        output: where to; None is standard output.
        proofs: whether it carries the proofs of its blocks.
    """
    from consentry.cli.subjects import commitment_of, own_manifest, read_pseudonym
    from consentry.reports.evidence_making import RecordedManifest

    context = command_context(ctx)
    commitment = subject or commitment_of(context, read_pseudonym())
    with own_manifest(context) as own:
        manifest = RecordedManifest(own)
        make_report(
            ctx,
            lambda trail, made_at: compose(trail, commitment, generated_at=made_at, manifest=manifest),
            form,
            output,
            proofs,
            manifest,
        )


def own_or(ctx: typer.Context, organization: str | None) -> str:
    """The MSP id that was named, else one's own."""
    return organization or command_context(ctx).organization.msp_id


def stated(details: Path | None) -> Details:
    """What a file states, nothing without one."""
    from consentry.reports import Details

    return Details.read(details) if details is not None else Details()
