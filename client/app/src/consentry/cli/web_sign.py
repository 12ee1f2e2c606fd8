"""``consentry web sign``: the officer's own signature under what a page asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.output import AsJson, examples, note, say, show_json
from consentry.cli.web import app

if TYPE_CHECKING:
    from consentry.web.actions import Statement
    from consentry.web.signing.address import WebAddress


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo web sign K7QF-2M9X-PLRA",
        "consentry --as northgate/dpo web sign K7QF-2M9X-PLRA --language de",
    )
)
def sign(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="The code that the page shows.")],
    url: Annotated[str, typer.Option(help="Address of the pages (default: that of DIR/web/ORG.json).")] = "",
    roots: Annotated[
        Path | None, typer.Option(help="PEM certificates that the address must prove itself by.")
    ] = None,
    digest: Annotated[
        str, typer.Option(help="Sign without asking, but only what has this digest (sha256:…).")
    ] = "",
    language: Annotated[str, typer.Option(help="Language of what is shown: en or de.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Show what a page asks you to sign, in words made here from its bytes, and sign it with your own key.

    The key stays on this machine: the server gets the signed steps and passes them on to the ledger.
    """
    from functools import partial

    from consentry.errors import InputRejected
    from consentry.web import texts
    from consentry.web.signing.server_connection import ServerConnection
    from consentry.web.signing.signer import Signer
    from fabric_gateway import utc_clock

    if language not in texts.LANGUAGES:
        raise InputRejected("LANGUAGE_UNKNOWN", f"got {language!r}, expected {' or '.join(texts.LANGUAGES)}")
    context = command_context(ctx)
    profile, identity = context.profile, context.identity
    address = _address(context, url, roots)
    signer = Signer(identity, profile.channel, profile.chaincode, utc_clock)
    connection = ServerConnection(address, identity.msp_id, identity, utc_clock)
    done: list[str] = []
    words = partial(texts.text, language)

    def confirm(statement: Statement) -> bool:
        show(statement, address.url, quiet=as_json)
        if digest:
            return statement.digest == digest
        return typer.confirm(words("sign.question"), err=True)

    try:
        for function in signer.sign(connection, code, words, confirm):
            done.append(function)
            note(words("sign.committed", function=function))
    finally:
        connection.close()
    if as_json:
        show_json({"committed": done})
        return
    say(words("sign.done"))


def show(statement: Statement, place: str, *, quiet: bool) -> None:
    """Print a statement; to standard error where standard output is for a program."""
    for part in statement.parts:
        typer.echo(f"\n{part.title}\n{part.sentence}\n", err=quiet)
        width = max(len(row.name) for row in part.rows)
        for row in part.rows:
            for index, value in enumerate(row.values):
                typer.echo(f"  {row.name if not index else '':<{width}}  {value}", err=quiet)
    typer.echo(f"\n  {statement.signer} · {statement.msp_id} · {statement.channel} · {place}", err=quiet)
    typer.echo(f"  {shown_digest(statement.digest)}\n", err=quiet)


def shown_digest(digest: str) -> str:
    """A digest in groups of eight, as the page shows it."""
    kind, _, value = digest.partition(":")
    return f"{kind}: " + " ".join(value[start : start + 8] for start in range(0, len(value), 8))


def _address(context: CommandContext, url: str, roots: Path | None) -> WebAddress:
    from consentry.errors import InputRejected
    from consentry.web.signing.address import WebAddress

    if not url and roots is None:
        return WebAddress.of(context.profile, context.organization.name)
    if not url.startswith("https://") or roots is None:
        raise InputRejected("OPTIONS_INCOMPLETE", "give --url https://HOST:PORT and --roots together")
    try:
        return WebAddress(url.rstrip("/"), roots.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputRejected("ROOTS_UNREADABLE", f"{roots} holds no PEM certificates") from error
