"""``consentry models register`` and ``register-version``: what training made, put on record by a script."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from consentry.cli.context import command_context
from consentry.cli.json_files import read_json_object
from consentry.cli.models import app
from consentry.cli.output import AsJson, examples, say, show_json, show_record
from consentry.errors import InputRejected

_DIGEST_PREFIX = "sha256:"


@app.command(epilog=examples('consentry --as riverside/researcher models register "tumour-risk"'))
def register(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the model, unique in the organization.")],
    as_json: AsJson = False,
) -> None:
    """Register a new model of the own organization."""
    with command_context(ctx).connect() as ledger:
        made = ledger.models.register(name)
    if as_json:
        show_json(made)
        return
    say(f"{made.model_id} is the model {name}.")


@app.command(
    "register-version",
    epilog=examples(
        "consentry --as riverside/researcher models register-version tumour-risk --session session-0123… "
        "--weights weights.npz --architecture architecture.json --metric accuracy=0.958",
        "consentry --as riverside/researcher models register-version tumour-risk --session session-0123… "
        "--weights sha256:… --architecture sha256:… --metrics metrics.json "
        "--bundle model.sig.json --public-key public.pem",
    ),
)
def register_version(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="Name or id of a model of the own organization.")],
    session: Annotated[
        list[str], typer.Option("--session", help="Training session that made it; may be repeated.")
    ],
    weights: Annotated[str, typer.Option(help="Arrays by name in a NumPy file (.npz), or sha256:….")],
    architecture: Annotated[str, typer.Option(help="Description in a JSON file, or sha256:….")],
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help="NAME=NUMBER; may be repeated.", show_default=False)
    ] = None,
    metrics: Annotated[
        Path | None, typer.Option(help="JSON file with numbers by name.", show_default=False)
    ] = None,
    parent: Annotated[
        str | None, typer.Option(help="Model version that it was trained on from.", show_default=False)
    ] = None,
    test_set_digest: Annotated[
        str | None, typer.Option(help="sha256:… of the rows measured on.", show_default=False)
    ] = None,
    bundle: Annotated[Path | None, typer.Option(help="Bundle of `models sign`.", show_default=False)] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="Public key (PEM) of who signed the bundle.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register a model version; the contract verifies the bundle's signature where one is given."""
    version: dict[str, Any] = {
        "weights": _weights(weights),
        "architecture": _architecture(architecture),
        "sessions": session,
        "metrics": _metrics(metrics, metric or ()),
        "parent": parent,
        "test_set_digest": test_set_digest,
        "signature": _signature(bundle, public_key),
    }
    with command_context(ctx).connect() as ledger:
        made = ledger.models.register_version(ledger.models.ensure(model), **version)
    show_record(made, as_json)


def _weights(given: str) -> str | dict[str, Any]:
    """A digest as it is; the arrays of a file, which is never unpickled."""
    if given.startswith(_DIGEST_PREFIX):
        return given
    import numpy as np

    try:
        with np.load(Path(given), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise InputRejected(
            "WEIGHTS_UNREADABLE", f"--weights: got {given}, expected a .npz file of numbers or sha256:…"
        ) from error


def _architecture(given: str) -> str | dict[str, Any]:
    return given if given.startswith(_DIGEST_PREFIX) else read_json_object(Path(given), "--architecture")


def _metrics(file: Path | None, named: Sequence[str]) -> dict[str, str]:
    """Numbers as the text that was given: none passes through binary floating point."""
    read = {} if file is None else read_json_object(file, "--metrics", str)
    found = {name: str(value) for name, value in read.items()}
    for text in named:
        name, separator, value = text.partition("=")
        if not separator or not name or not value:
            raise InputRejected("METRIC_INVALID", f"--metric: got {text}, expected NAME=NUMBER")
        if name in found:
            raise InputRejected("METRIC_DOUBLED", f"--metric: {name} is given twice")
        found[name] = value
    return found


def _signature(bundle: Path | None, public_key: Path | None) -> Any:
    if bundle is None and public_key is None:
        return None
    if bundle is None or public_key is None:
        raise InputRejected("BUNDLE_INVALID", "a bundle is checked with --bundle and --public-key together")
    from consentry.model_signing import manifest_signature

    return manifest_signature(bundle, public_key)
