"""``consentry wallet``: identities, how their keys are kept, and how long they last."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.output import AsJson, examples, note, say, show_json, show_table
from consentry.errors import ConfigurationError, InputRejected

if TYPE_CHECKING:
    from consentry.wallet import Wallet

app = typer.Typer(name="wallet", no_args_is_help=True, help="Identities: their keys, and how long they last.")


@app.command("list", epilog=examples("consentry wallet list", "consentry wallet list northgate --json"))
def list_identities(
    ctx: typer.Context,
    organization: Annotated[str, typer.Argument(help="Short name; all organizations without it.")] = "",
    as_json: AsJson = False,
) -> None:
    """List identities with roles, expiry, and whether the key is plain, encrypted or on a token."""
    context = command_context(ctx)
    names = [organization] if organization else [o.name for o in context.profile.organizations.values()]
    rows = [row for name in names for row in _rows(context, name)]
    if as_json:
        show_json({"items": rows})
        return
    columns = ("identity", "roles", "expires", "key")
    show_table(columns, [tuple(row[column] for column in columns) for row in rows])
    for row in rows:
        if row["warning"]:
            note(f"{row['identity']}: {row['warning']}.")


@app.command(epilog=examples("consentry --as northgate/steward wallet renew"))
def renew(ctx: typer.Context) -> None:
    """Re-enrol who acts at the organization's CA, with a new key; the old certificate stays valid."""
    from consentry.enrolment import renew as renew_identity

    context, wallet, label = _acting(ctx)
    identity = renew_identity(context.profile, wallet, label)
    say(f"{context.who} is enrolled until {identity.expires_at:%Y-%m-%d}.")


@app.command(
    epilog=examples(
        "consentry --as northgate/steward wallet encrypt",
        "CONSENTRY_PASSPHRASE_FILE=/run/secrets/wallet consentry --as northgate/steward wallet encrypt",
    )
)
def encrypt(ctx: typer.Context) -> None:
    """Encrypt the key of who acts; the passphrase is asked for, or read from CONSENTRY_PASSPHRASE_FILE."""
    context, wallet, label = _acting(ctx)
    if wallet.protection(label) != "plain":
        raise InputRejected(
            "KEY_PROTECTED", f"The key of {context.who} is {wallet.protection(label)} already."
        )
    wallet.put(label, wallet.get(label), replace=True, encrypt=True)
    say(f"The key of {context.who} is encrypted.")


@app.command(
    "add-token",
    epilog=examples(
        "consentry --as northgate/steward wallet add-token steward.pem \\",
        "    --library /usr/lib/softhsm/libsofthsm2.so --token hospital --key steward",
    ),
)
def add_token(
    ctx: typer.Context,
    certificate: Annotated[Path, typer.Argument(help="PEM certificate of the key on the token.")],
    library: Annotated[Path, typer.Option(help="The token's PKCS#11 library.")],
    token: Annotated[str, typer.Option(help="Label of the token.")],
    key: Annotated[str, typer.Option(help="Label of the private key.")],
) -> None:
    """Put an identity into the wallet whose key stays on a PKCS#11 token.

    The PIN is asked for, or read from the file that CONSENTRY_PIN_FILE names.
    """
    from consentry.wallet import TokenKey

    context, wallet, label = _acting(ctx)
    try:
        pem = certificate.read_bytes()
    except OSError as error:
        raise ConfigurationError("FILE_UNREADABLE", f"{certificate}: {error.strerror}") from error
    wallet.put_token(label, context.organization.msp_id, pem, TokenKey(str(library), token, key))
    say(f"{context.who} signs on the token {token}.")


def _acting(ctx: typer.Context) -> tuple[CommandContext, Wallet, str]:
    from consentry.acting import split_name

    context = command_context(ctx)
    organization, label = split_name(context.who)
    return context, _wallet(context, organization), label


def _wallet(context: CommandContext, organization: str) -> Wallet:
    from consentry.secret_input import wallet_of

    return wallet_of(context.profile, context.profile.organization_named(organization).name, os.environ)


def _rows(context: CommandContext, organization: str) -> list[dict[str, str]]:
    from consentry.identity import described

    wallet, now = _wallet(context, organization), datetime.now(UTC)
    rows = []
    for label in wallet.labels():
        roles, expires_at, warning = described(wallet.certificate(label)[1], now)
        rows.append(
            {
                "identity": f"{organization}/{label}",
                "roles": ", ".join(sorted(roles)),
                "expires": f"{expires_at:%Y-%m-%d}",
                "key": wallet.protection(label),
                "warning": warning or "",
            }
        )
    return rows
