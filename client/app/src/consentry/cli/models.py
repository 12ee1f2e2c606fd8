"""``consentry models``: models and their versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, say, show_json, show_record, show_table

app = typer.Typer(name="models", no_args_is_help=True, help="Models and their versions.")


@app.command(
    epilog=examples(
        "consentry --as riverside/researcher models show modelversion-0123…",
        "consentry --as regulator/officer trail model modelversion-0123…",
    )
)
def show(
    ctx: typer.Context,
    model_version_id: Annotated[str, typer.Argument(help="Id of the model version.")],
    as_json: AsJson = False,
) -> None:
    """Show one model version as the ledger has it now."""
    with command_context(ctx).connect() as ledger:
        show_record(ledger.models.get(model_version_id), as_json)


@app.command(
    epilog=examples(
        "consentry --as riverside/dpo models stage modelversion-0123… production --reason VALIDATED",
        "consentry --as riverside/dpo models stage modelversion-0123… retired --reason DEFECT",
    )
)
def stage(
    ctx: typer.Context,
    model_version_id: Annotated[str, typer.Argument(help="Id of the model version.")],
    to: Annotated[str, typer.Argument(help="validation, production, published, development or retired.")],
    reason: Annotated[list[str], typer.Option("--reason", help="Reason code; may be repeated.")],
    evidence_digest: Annotated[str | None, typer.Option(help="sha256:… of the report decided on.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a model version into another stage; a replaced one back into production is a rollback."""
    with command_context(ctx).connect() as ledger:
        made = ledger.models.change_stage(
            model_version_id, to, reasons=reason, evidence_digest=evidence_digest
        )
    if as_json:
        show_json(made)
        return
    say(f"{model_version_id} is in stage {made.stage} now, after {made.previous_stage}.")


@app.command(
    epilog=examples("consentry models sign model/ model.sig.json --key key.pem"),
)
def sign(
    model: Annotated[Path, typer.Argument(help="Directory or file of the model.")],
    bundle: Annotated[Path, typer.Argument(help="File for the bundle.")],
    key: Annotated[Path, typer.Option(help="Private key, ECDSA P-256 (PEM).")],
) -> None:
    """Sign a model's files by OpenSSF model signing; no ledger is asked."""
    from consentry.model_signing import sign_model

    sign_model(model, key, bundle)
    say(f"{bundle} signs {model}; register the version with it.")


@app.command(
    "verify-files",
    epilog=examples("consentry models verify-files model/ model.sig.json --public-key public.pem"),
)
def verify_files(
    model: Annotated[Path, typer.Argument(help="Directory or file of the model.")],
    bundle: Annotated[Path, typer.Argument(help="File of the bundle.")],
    public_key: Annotated[Path, typer.Option(help="Public key of who signed (PEM).")],
    as_json: AsJson = False,
) -> None:
    """Verify that a bundle signs exactly these files, and print what the ledger keeps of it."""
    from consentry.model_signing import manifest_signature, verify_model

    verify_model(model, public_key, bundle)
    show_record(manifest_signature(bundle, public_key), as_json)


@app.command("list", epilog=examples("consentry --as regulator/officer models list"))
def list_models(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List models and their versions from the verified index."""
    from consentry.cli.index_access import open_trail

    with open_trail(command_context(ctx)) as trail:
        models = {row.record_id: row for row in trail.records("model")}
        versions = trail.records("modelversion")
    if as_json:
        show_json(
            {"models": [row.body for row in models.values()], "versions": [row.body for row in versions]}
        )
        return
    rows = []
    for version in versions:
        model = models.get(str(version.body["model_id"]))
        name, owner = (model.body["name"], model.owner) if model is not None else ("", "")
        rows.append((version.record_id, name, owner, version.body["metrics"], version.body["registered_at"]))
    show_table(("model version", "model", "owner", "metrics", "registered"), rows)
