"""``consentry web sign``: the officer's own signature under what a page asks for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.output import AsJson, examples, note, say, show_json
from consentry.cli.web import app

if TYPE_CHECKING:
    from consentry.web.actions import Statement, Words
    from consentry.web.signing.address import WebAddress


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo web sign K7QF-2M9X-PLRA",
        "consentry --as northgate/dpo web sign K7QF-2M9X-PLRA --language de",
        "consentry --as northgate/dpo web sign --file consentry-to-sign.json",
    )
)
def sign(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="The code that the page shows.")] = "",
    file: Annotated[
        Path | None,
        typer.Option(help="Instead of a code: the page's file, - for what is pasted; the answer is printed."),
    ] = None,
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

    if language not in texts.LANGUAGES:
        raise InputRejected("LANGUAGE_UNKNOWN", f"got {language!r}, expected {' or '.join(texts.LANGUAGES)}")
    if bool(code) == (file is not None):
        raise InputRejected(
            "OPTIONS_INCOMPLETE", "give the code that the page shows, or --file with its file"
        )
    context, words = command_context(ctx), partial(texts.text, language)
    to_errors = as_json or file is not None
    confirm = _confirmation(words, digest, to_errors=to_errors)
    if file is not None:
        typer.echo(_signed_file(context, file, words, confirm), nl=False)
        return
    done = _sign(context, _address(context, url, roots), code, words, confirm)
    if as_json:
        show_json({"committed": done})
        return
    say(words("sign.done"))


def show(statement: Statement, *, to_errors: bool) -> None:
    """Print a statement; to standard error where standard output is for a program."""
    for part in statement.parts:
        typer.echo(f"\n{part.title}\n{part.sentence}\n", err=to_errors)
        width = max(len(row.name) for row in part.rows)
        for row in part.rows:
            for index, value in enumerate(row.values):
                typer.echo(f"  {row.name if not index else '':<{width}}  {value}", err=to_errors)
    place = f"{statement.signer} · {statement.msp_id} · {statement.channel}"
    typer.echo(f"\n  {place}\n  {shown_digest(statement.digest)}\n", err=to_errors)


def shown_digest(digest: str) -> str:
    """A digest in groups of eight, as the page shows it."""
    kind, _, value = digest.partition(":")
    return f"{kind}: " + " ".join(value[start : start + 8] for start in range(0, len(value), 8))


def _confirmation(words: Words, digest: str, *, to_errors: bool) -> Callable[[Statement], bool]:
    from consentry.errors import InputRejected

    def confirm(statement: Statement) -> bool:
        show(statement, to_errors=to_errors)
        if digest and statement.digest != digest:
            raise InputRejected("DIGEST_DIFFERS", f"nothing was signed: the digest is {statement.digest}")
        return bool(digest) or typer.confirm(words("sign.question"), err=True)

    return confirm


def _sign(
    context: CommandContext,
    address: WebAddress,
    code: str,
    words: Words,
    confirm: Callable[[Statement], bool],
) -> list[str]:
    from consentry.web.signing.server_connection import ServerConnection
    from consentry.web.signing.signer import Signer
    from fabric_gateway import utc_clock

    profile, identity = context.profile, context.identity
    signer = Signer(identity, profile.channel, profile.chaincode, utc_clock)
    connection = ServerConnection(address, identity.msp_id, identity, utc_clock)
    done: list[str] = []
    try:
        for function in signer.sign(connection, code, words, confirm):
            done.append(function)
            note(words("sign.committed", function=function))
    finally:
        connection.close()
    return done


def _signed_file(
    context: CommandContext, path: Path, words: Words, confirm: Callable[[Statement], bool]
) -> str:
    from consentry.errors import InputRejected
    from consentry.web.actions import ActionRefused
    from consentry.web.signing.files import SigningFile, signed_proposal, signed_transaction
    from consentry.web.signing.signer import checked_action
    from fabric_gateway import utc_clock

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputRejected("FILE_UNREADABLE", f"{path} cannot be read") from error
    file = SigningFile.from_text(text)
    action, call = file.call()
    identity, profile = context.identity, context.profile
    checked = checked_action(action, identity, profile.channel, profile.chaincode, utc_clock(), words)
    if not confirm(checked):
        raise ActionRefused("DECLINED", "nothing was signed")
    if file.kind == "action":
        return signed_proposal(action, call, identity, utc_clock).to_text()
    return signed_transaction(file, call, identity, utc_clock).to_text()


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
