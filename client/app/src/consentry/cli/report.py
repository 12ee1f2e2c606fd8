"""``consentry report``: reports for subjects, officers and authorities."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import typer

from consentry.cli import report_schedule
from consentry.cli.output import examples, say
from consentry.cli.report_files import Format, FormatOption, OutputOption, ProofsOption
from consentry.cli.report_making import (
    DetailsOption,
    OrganizationOption,
    SubjectOption,
    make_report,
    make_subject_report,
    own_or,
    stated,
)

app = typer.Typer(name="report", no_args_is_help=True, help="Reports from the verified trail.")

app.add_typer(report_schedule.app)


@app.callback()
def reports() -> None:
    """Reports from the verified trail."""


@app.command(
    "subject-access",
    epilog=examples(
        "consentry --as northgate/dpo report subject-access --output report.html < pseudonym.txt",
        "consentry --as northgate/dpo report subject-access --details ours.yaml --format pdf "
        "--output report.pdf < pseudonym.txt",
        "consentry --as northgate/dpo report subject-access --subject hmac-sha256:… --format json",
        "consentry --as northgate/dpo report subject-access --format json --proofs --output report.json "
        "< pseudonym.txt",
    ),
)
def subject_access(
    ctx: typer.Context,
    subject: SubjectOption = None,
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
    proofs: ProofsOption = False,
    details: DetailsOption = None,
) -> None:
    """Answer one subject's request for access (GDPR Art. 15): every access, recipient and use of the data.

    Without --subject the pseudonym is asked for, or read from standard input.
    """
    from consentry.reports import subject_access_report

    compose = partial(subject_access_report, details=stated(details))
    make_subject_report(ctx, subject, compose, form, output, proofs)


@app.command(
    "consent-evidence",
    epilog=examples(
        "consentry --as northgate/dpo report consent-evidence --output evidence.html < pseudonym.txt"
    ),
)
def consent_evidence(
    ctx: typer.Context,
    subject: SubjectOption = None,
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
    proofs: ProofsOption = False,
) -> None:
    """Show what one subject consented to, and every event since (GDPR Art. 7)."""
    from consentry.reports import consent_evidence as compose

    def without_manifest(*arguments: Any, manifest: object, **options: Any) -> Any:
        return compose(*arguments, **options)

    make_subject_report(ctx, subject, without_manifest, form, output, proofs)


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo report disclosures --format pdf --output accounting.pdf < pseudonym.txt"
    )
)
def disclosures(
    ctx: typer.Context,
    subject: SubjectOption = None,
    details: DetailsOption = None,
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
    proofs: ProofsOption = False,
) -> None:
    """Account for six years of disclosures of one individual's data (HIPAA, 45 CFR 164.528)."""
    from consentry.reports import disclosures_report

    compose = partial(disclosures_report, details=stated(details))
    make_subject_report(ctx, subject, compose, form, output, proofs)


@app.command(
    "person-access-log",
    epilog=examples(
        "consentry --as northgate/dpo report person-access-log --output log.html < pseudonym.txt"
    ),
)
def person_access_log(
    ctx: typer.Context,
    subject: SubjectOption = None,
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
    proofs: ProofsOption = False,
) -> None:
    """Tell a person who accessed data about him or her, when and which (EHDS Art. 9)."""
    from consentry.reports import person_access_report

    make_subject_report(ctx, subject, person_access_report, form, output, proofs)


@app.command(
    "dataset-access-log",
    epilog=examples(
        "consentry --as northgate/dpo report dataset-access-log biopsies --format csv --output log/"
    ),
)
def dataset_access_log(
    ctx: typer.Context,
    dataset: Annotated[str, typer.Argument(help="The dataset's id or name, or the id of one version.")],
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
    proofs: ProofsOption = False,
) -> None:
    """Log every attempt at access to a dataset, and what was done under it (EHDS Art. 73)."""
    from consentry.reports import dataset_access_report

    make_report(
        ctx, lambda trail, at: dataset_access_report(trail, dataset, generated_at=at), form, output, proofs
    )


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo report processing --details ours.yaml --output processing.html"
    )
)
def processing(
    ctx: typer.Context,
    organization: OrganizationOption = None,
    details: DetailsOption = None,
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
    proofs: ProofsOption = False,
) -> None:
    """Records of an organization's processing activities (GDPR Art. 30)."""
    from consentry.reports import processing_report

    msp_id, told = own_or(ctx, organization), stated(details)
    make_report(
        ctx,
        lambda trail, at: processing_report(trail, msp_id, generated_at=at, details=told),
        form,
        output,
        proofs,
    )


@app.command(epilog=examples("consentry --as northgate/dpo report breaches --output breaches.html"))
def breaches(
    ctx: typer.Context,
    organization: OrganizationOption = None,
    details: DetailsOption = None,
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
    proofs: ProofsOption = False,
) -> None:
    """An organization's register of personal data breaches, with the 72-hour clock (GDPR Art. 33)."""
    from consentry.reports import breach_register

    msp_id, told = own_or(ctx, organization), stated(details)
    make_report(
        ctx,
        lambda trail, at: breach_register(trail, msp_id, generated_at=at, details=told),
        form,
        output,
        proofs,
    )


@app.command(epilog=examples("consentry --as northgate/dpo report rights --format pdf --output rights.pdf"))
def rights(
    ctx: typer.Context,
    organization: OrganizationOption = None,
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
    proofs: ProofsOption = False,
) -> None:
    """Data subjects' requests, erasures with their attestations among them (GDPR Art. 15 to 21)."""
    from consentry.reports import rights_register

    msp_id = own_or(ctx, organization)
    make_report(ctx, lambda trail, at: rights_register(trail, msp_id, generated_at=at), form, output, proofs)


@app.command(
    "model-dossier",
    epilog=examples(
        "consentry --as riverside/researcher report model-dossier modelversion-0123… --output dossier.html"
    ),
)
def model_dossier(
    ctx: typer.Context,
    model_version_id: Annotated[str, typer.Argument(help="Id of the model version.")],
    details: DetailsOption = None,
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
    proofs: ProofsOption = False,
) -> None:
    """Technical documentation of one model version (AI Act Art. 11, Annex IV)."""
    from consentry.reports import model_dossier as compose

    told = stated(details)
    make_report(
        ctx,
        lambda trail, at: compose(trail, model_version_id, generated_at=at, details=told),
        form,
        output,
        proofs,
    )


@app.command(
    "model-log",
    epilog=examples("consentry --as regulator/officer report model-log modelversion-0123… --format json"),
)
def model_log(
    ctx: typer.Context,
    model_version_id: Annotated[str, typer.Argument(help="Id of the model version.")],
    form: FormatOption = Format.HTML,
    output: OutputOption = None,
    proofs: ProofsOption = False,
) -> None:
    """Events over the lifetime of one model version (AI Act Art. 12, 19)."""
    from consentry.reports import model_log as compose

    make_report(
        ctx, lambda trail, at: compose(trail, model_version_id, generated_at=at), form, output, proofs
    )


@app.command("details", epilog=examples("consentry report details"))
def list_details() -> None:
    """List what a file of details can state."""
    from consentry.reports.details import KEYS

    for key, meaning in KEYS.items():
        say(f"{key}: {meaning}")


@app.command(epilog=examples("consentry report schema > report.schema.json"))
def schema() -> None:
    """Print the JSON schema of reports in JSON."""
    from consentry.cli.output import show_json
    from consentry.reports import json

    show_json(json.schema())
