"""``consentry datasets``: register dataset versions and look them up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.json_files import read_json_object
from consentry.cli.output import AsJson, examples, say, show_json, show_record, show_table
from consentry.errors import InputRejected
from consentry_records.transformation import Transformation

app = typer.Typer(name="datasets", no_args_is_help=True, help="Datasets and their versions.")


@app.command(
    epilog=examples(
        "consentry --as northgate/steward datasets register rows.csv --name biopsies \\",
        "    --category diagnosis --legal-basis GDPR-9-2-a --duo DUO:0000042",
        "consentry --as northgate/steward datasets register part-1.parquet part-2.parquet --name scans \\",
        "    --category imaging --legal-basis GDPR-9-2-j",
    )
)
def register(
    ctx: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(help="Files of rows, CSV or .parquet; one column names the subject.")
    ],
    name: Annotated[str, typer.Option(help="Name of the dataset; a known name gets its next version.")],
    category: Annotated[list[str], typer.Option(help="Category of data; may be repeated.")],
    legal_basis: Annotated[list[str], typer.Option(help="Legal basis, e.g. GDPR-9-2-a; may be repeated.")],
    duo: Annotated[list[str] | None, typer.Option(help="DUO term of use; may be repeated.")] = None,
    derived_from: Annotated[list[str] | None, typer.Option(help="Version that it was made of.")] = None,
    transformation: Annotated[
        list[str] | None, typer.Option(help="What was done, e.g. selection, linkage; may be repeated.")
    ] = None,
    code_digest: Annotated[str | None, typer.Option(help="sha256:… of the code that made it.")] = None,
    supersedes: Annotated[
        str | None, typer.Option(help="Version of the same dataset whose place it takes.")
    ] = None,
    subject_column: Annotated[str, typer.Option(help="Column with the pseudonyms.")] = "pseudonym",
    as_json: AsJson = False,
) -> None:
    """Register the rows of files as one dataset version; only digests go to the ledger.

    Files are read piece by piece, so that they may exceed memory.
    """
    from consentry.cli.progress import counted

    with command_context(ctx).connect() as ledger, counted("rows", None) as progress:
        version = ledger.datasets.register_files(
            files,
            progress=lambda rows: progress(rows, 0),
            name=name,
            categories=category,
            legal_bases=legal_basis,
            duo_terms=duo or (),
            derived_from=derived_from or (),
            transformation=_transformation(transformation or [], code_digest),
            supersedes=supersedes,
            subject_column=subject_column,
        )
    if as_json:
        show_json(version)
        return
    say(f"{version.version_id} is version {version.number} of {version.name} with {version.row_count} rows.")


@app.command(epilog=examples("consentry --as riverside/researcher datasets show version-0123…"))
def show(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of the dataset version.")],
    as_json: AsJson = False,
) -> None:
    """Show one dataset version."""
    with command_context(ctx).connect() as ledger:
        show_record(ledger.datasets.get(version), as_json)


@app.command("list", epilog=examples("consentry --as riverside/researcher datasets list"))
def list_versions(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List all dataset versions from the verified index."""
    from consentry.cli.index_access import open_trail

    with open_trail(command_context(ctx)) as trail:
        rows = trail.records("version")
    if as_json:
        show_json({"items": [row.body for row in rows]})
        return
    show_table(
        ("version", "dataset", "number", "custodian", "rows", "endorsed"),
        [
            (r.record_id, r.body["name"], r.body["number"], r.owner, r.body["row_count"], r.honoured)
            for r in rows
        ],
    )


@app.command(
    "remove-rows",
    epilog=examples(
        "consentry --as northgate/steward datasets remove-rows version-0123… --code-digest sha256:…"
    ),
)
def remove_rows(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of a dataset version of the own organization.")],
    code_digest: Annotated[str, typer.Option(help="sha256:… of the code that removes the rows.")],
    consent: Annotated[
        list[str] | None,
        typer.Option(help="Consent whose rows go; may be repeated. By default all ended and erased ones."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register what is left of a version without rows whose consents ended, and name the removed rows."""
    with command_context(ctx).connect() as ledger:
        made = ledger.datasets.remove_rows(version, code_digest=code_digest, consent_ids=consent)
    if as_json:
        show_json(made if made is not None else {"version_id": None})
    elif made is None:
        say(f"All rows of {version} rest on consents in force; no version was made.")
    else:
        say(f"{made.version_id} has {made.row_count} rows, {made.removed_count} fewer; retire {version} now.")


@app.command(
    epilog=examples("consentry --as northgate/dpo datasets retire version-0123… --reason withdrawals")
)
def retire(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of the dataset version.")],
    reason: Annotated[
        str,
        typer.Option(help="superseded, withdrawals, erasure, retention-ended, error, custodian-decision."),
    ],
) -> None:
    """Offer a version no longer: no decision permits its use from the next one on."""
    with command_context(ctx).connect() as ledger:
        ledger.datasets.retire(version, reason)
    say(f"{version} is retired.")


@app.command(
    "prove-row",
    epilog=examples("consentry --as northgate/steward datasets prove-row version-0123… 17 > row.json"),
)
def prove_row(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="Id of a dataset version of the own organization.")],
    position: Annotated[int, typer.Argument(help="The row, counted from 0.")],
) -> None:
    """Write the proof that a row and its consent belong to a version, for whoever has the row."""
    with command_context(ctx).connect() as ledger:
        show_json(ledger.datasets.row_proof(version, position).to_dict())


@app.command("check-row", epilog=examples("consentry --as riverside/researcher datasets check-row row.json"))
def check_row(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="File that prove-row wrote.")],
) -> None:
    """Check such a proof against the ledger, and say whether the row's consent is in force."""
    from consentry.row_proofs import RowProof

    proof = RowProof.from_dict(read_json_object(file))
    with command_context(ctx).connect() as ledger:
        if not proof.holds(ledger.datasets.get(proof.version_id)):
            raise InputRejected("ROW_PROOF_INVALID", f"The proof does not fit {proof.version_id}.")
        (consent,) = ledger.consents.get([proof.consent_id])
    say(f"Row {proof.position} is in {proof.version_id}; {consent.consent_id} is {consent.state}.")


def _transformation(kinds: list[str], code_digest: str | None) -> Transformation | None:
    if not kinds and code_digest is None:
        return None
    from consentry.transactions import checked

    return checked(
        lambda: Transformation(
            kinds=tuple(kinds),
            code_digest=code_digest or "",
            parameters_digest=None,
            environment_digest=None,
        )
    )
