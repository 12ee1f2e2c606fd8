"""The command ``consentry``: options that all commands share, and how a run ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Annotated

import typer
from typer.models import CommandInfo, TyperInfo

from consentry.cli import (
    access,
    consent_changes,
    data,
    datasets,
    decide,
    demo,
    doctor,
    epochs,
    gate,
    grant_requests,
    index,
    model_registration,  # noqa: F401 - its commands join models
    models,
    network,
    outbox,
    proof,
    renderings,  # noqa: F401 - its commands join consents, grants and access
    report,
    report_schedule,
    reviews,
    rights,
    settings,
    trail,
    training,
    verify,
    wallet,
    web,
    web_sign,  # noqa: F401 - its command joins web
)
from consentry.cli.context import DEFAULT_DIRECTORY, CommandContext
from consentry.cli.errors import lines_of, status_of
from consentry.cli.output import examples, set_quiet
from consentry.errors import ConsentryError

app = typer.Typer(
    name="consentry",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=examples(
        "consentry network up",
        "consentry --as northgate/steward consents import consents.csv",
        "consentry --as northgate/dpo trail impact consent-0123…",
        "consentry --as northgate/dpo verify",
        "",
        "Exit status: 0 done, 1 refused or failed, 2 wrong use,",
        "3 consistent but not anchored, 4 ledger unreachable.",
    ),
)


@app.callback()
def options(
    ctx: typer.Context,
    directory: Annotated[
        Path,
        typer.Option("--network", metavar="DIR", envvar="CONSENTRY_NETWORK", help="The network's directory."),
    ] = DEFAULT_DIRECTORY,
    who: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="ORG/LABEL",
            envvar="CONSENTRY_AS",
            help="Who acts: an identity of a wallet under the network's directory, e.g. northgate/steward.",
        ),
    ] = "",
    index_url: Annotated[
        str,
        typer.Option(
            "--index",
            metavar="URL",
            envvar="CONSENTRY_INDEX",
            help="Database of the trail index (default: index.sqlite in the network's directory).",
        ),
    ] = "",
    local: Annotated[
        bool,
        typer.Option(
            "--local",
            help="Read the index as it stands: no peer is asked, and the read is not recorded on the ledger. "
            "For auditors who verify a copy.",
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print answers and errors only: no progress, no remarks.")
    ] = False,
) -> None:
    """Consents, data-access grants and AI-model audit trails of a hospital consortium's ledger."""
    set_quiet(quiet)
    ctx.obj = CommandContext(directory, who, index_url, local)


for group in (
    network,
    consent_changes,
    rights,
    settings,
    datasets,
    grant_requests,
    reviews,
    access,
    data,
    training,
    models,
    trail,
    proof,
    report,
    decide,
    gate,
    epochs,
    wallet,
    web,
    outbox,
):
    app.add_typer(group.app)
for single in (demo, index, verify, doctor, report_schedule):
    single.add_to(app)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; errors go to standard error in one sentence.

    Args:
        arguments: as typed after ``consentry``; by default those of this process.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        _needed(words)(args=words)
    except ConsentryError as error:
        for line in lines_of(error):
            typer.echo(line, err=True)
        return int(status_of(error))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BrokenPipeError:
        # Whoever read the answer has seen enough; standard output cannot be flushed any more.
        sys.stdout = None
        return 0
    return 0


def _needed(words: Sequence[str]) -> typer.Typer:
    """The command without the groups that nobody names: making all takes a tenth of a second."""
    groups = [found for found in app.registered_groups if _group_name(found) in words]
    single = [found for found in app.registered_commands if _command_name(found) in words]
    if "--help" in words or not (groups or single):
        return app
    needed = copy(app)
    needed.registered_groups, needed.registered_commands = groups, single
    return needed


def _group_name(group: TyperInfo) -> object:
    return group.typer_instance and group.typer_instance.info.name


def _command_name(command: CommandInfo) -> str | None:
    return command.name or (command.callback and command.callback.__name__)


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run())
