"""``consentry consents``: import, withdraw, list and look up consents, and filter rows by them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, say, show_json, show_record, show_table

app = typer.Typer(name="consents", no_args_is_help=True, help="Consents of patients, as their custodian.")


@app.command("import", epilog=examples("consentry --as northgate/steward consents import consents.csv"))
def import_consents(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV file, a row a consent; lists separated by semicolons.")],
    batch_size: Annotated[int, typer.Option(help="Consents a transaction.")] = 1_000,
    as_json: AsJson = False,
) -> None:
    """Record the consents of a file; all rows are checked first, and none is recorded if one is faulty.

    `consents template` prints an empty form. Columns: pseudonym, purposes, restrictions, categories,
    recipients, not_before, not_after, notice_version, notice_digest, evidence_digest, method, language;
    optional: controller, claimed_at (when a paper form was signed), jurisdiction, withdrawal_method,
    declared_by (subject, guardian, proxy), mandate_digest, consent_type (explicit, expressed, implied),
    storage_locations, retained_until, processing_methods (collect, store, use, … as in docs/renderings.md),
    processing_locations, geographic_restrictions (countries, regions or EEA, or none),
    optional_categories (which of the categories could be left out, or none).
    """
    from consentry.cli.frames import read_consents
    from consentry.cli.progress import counted

    frame = read_consents(file)
    with command_context(ctx).connect() as ledger, counted("consents", len(frame)) as progress:
        summary = ledger.consents.import_frame(frame, batch_size, progress)
    if as_json:
        show_json(
            {
                "count": summary.count,
                "seconds": round(summary.seconds, 3),
                "rate": round(summary.rate, 1),
                "batches": summary.batches,
            }
        )
        return
    say(f"{summary.count} consents recorded in {summary.seconds:.2f} s ({summary.rate:.0f}/s).")


@app.command(
    epilog=examples(
        "consentry consents template > consents.csv",
        "consentry consents template --notice notice-2027.pdf --notice-columns > consents.csv",
    )
)
def template(
    notice: Annotated[
        Path | None, typer.Option(help="The notice that patients are given; its digest is filled in.")
    ] = None,
    notice_columns: Annotated[
        bool,
        typer.Option(
            "--notice-columns", help="With what the notice says of processing, which ISO/IEC TS 27560 wants."
        ),
    ] = False,
) -> None:
    """Print an empty form for `consents import`: the columns, and one row as an example."""
    from consentry.cli.consent_template import consent_template

    typer.echo(consent_template(notice, notice_columns=notice_columns), nl=False)


@app.command(
    epilog=examples(
        "consentry --as northgate/steward consents withdraw --consent consent-0123…",
        "consentry --as northgate/dpo consents withdraw < pseudonym.txt",
    )
)
def withdraw(
    ctx: typer.Context,
    consent: Annotated[
        str | None,
        typer.Option(help="Id of the consent; else all of the subject whose pseudonym is read from input."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw one consent, or all of a subject; the next decision takes it into account."""
    from consentry.cli.subjects import read_pseudonym

    pseudonym = None if consent else read_pseudonym()
    with command_context(ctx).connect() as ledger:
        withdrawn = ledger.consents.withdraw(consent_id=consent, pseudonym=pseudonym)
    if as_json:
        show_json({"withdrawn": list(withdrawn)})
        return
    for identifier in withdrawn:
        say(f"{identifier} is withdrawn; see `consentry trail impact {identifier}`.")


@app.command("list", epilog=examples("consentry --as northgate/dpo consents list --state withdrawn"))
def list_consents(
    ctx: typer.Context,
    state: Annotated[
        str | None, typer.Option(help="Only given, withdrawn, expired or entered-in-error.")
    ] = None,
    one_subject: Annotated[
        bool, typer.Option("--one-subject", help="Only those of a subject; the pseudonym is read from input.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the consents of the own organization from the verified index."""
    from consentry.cli.index_access import open_trail
    from consentry.cli.subjects import commitment_of, read_pseudonym

    context = command_context(ctx)
    subject = commitment_of(context, read_pseudonym()) if one_subject else None
    with open_trail(context) as trail:
        rows = trail.records("consent", owner=context.organization.msp_id, subject=subject)
    rows = [row for row in rows if state in (None, row.state)]
    if as_json:
        show_json({"items": [row.body for row in rows]})
        return
    show_table(
        ("consent", "state", "purposes", "until", "recorded"),
        [
            (
                r.record_id,
                r.state,
                r.body["purposes"],
                r.body["not_after"],
                r.body["events"][0]["recorded_at"],
            )
            for r in rows
        ],
    )


@app.command(epilog=examples("consentry --as northgate/dpo consents show consent-0123… --json"))
def show(
    ctx: typer.Context,
    consent: Annotated[str, typer.Argument(help="Id of the consent.")],
    as_json: AsJson = False,
) -> None:
    """Show one consent as the ledger has it now."""
    with command_context(ctx).connect() as ledger:
        show_record(ledger.consents.get([consent])[0], as_json)


@app.command(
    "filter",
    epilog=examples(
        "consentry --as northgate/steward consents filter rows.csv kept.csv --purpose DUO:0000006",
        "consentry --as northgate/steward consents filter rows.parquet kept.parquet --purpose DUO:0000006 \\",
        "    --indexed",
    ),
)
def filter_rows(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="File of rows, CSV or .parquet; one column names the subject.")
    ],
    output: Annotated[Path, typer.Argument(help="File for the rows that are kept, CSV or .parquet.")],
    purpose: Annotated[str, typer.Option(help="Purpose code, e.g. DUO:0000006.")],
    commercial: Annotated[bool, typer.Option("--commercial", help="The use is commercial.")] = False,
    recipient: Annotated[str | None, typer.Option(help="MSP id of who receives the rows.")] = None,
    subject_column: Annotated[str, typer.Option(help="Column with the pseudonyms.")] = "pseudonym",
    indexed: Annotated[
        bool,
        typer.Option("--indexed", help="Ask the verified index, caught up first: faster for many subjects."),
    ] = False,
) -> None:
    """Keep the rows whose subjects consent to a use now; files are read and written piece by piece."""
    from consentry.cli.index_access import catch_up, open_database_of
    from consentry.cli.progress import counted
    from consentry.data_files import read_frames, write_frames
    from consentry.dataset_rows import counted as counted_rows

    context, read = command_context(ctx), 0
    if indexed:
        with open_database_of(context) as engine:
            catch_up(context, engine)

    def count(rows: int) -> None:
        nonlocal read
        read = rows
        progress(rows, 0)

    with context.connect() as ledger, counted("rows", None) as progress:
        kept = write_frames(
            output,
            (
                ledger.consents.filter(
                    piece,
                    purpose=purpose,
                    commercial=commercial,
                    recipient=recipient,
                    subject_column=subject_column,
                    trail=ledger.trail if indexed else None,
                )
                for piece in counted_rows([read_frames(file, subject_column)], count)
            ),
        )
    say(f"{kept} of {read} rows are in {output}.")
