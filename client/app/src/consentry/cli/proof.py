"""``consentry proof``: proof files of single records, and the verifier as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import CommandContext, command_context
from consentry.cli.output import examples, note, say
from consentry.errors import InputRejected

if TYPE_CHECKING:
    from consentry.index import ChangeRow
    from consentry.proofs import MadeProof

app = typer.Typer(name="proof", no_args_is_help=True, help="Proof files of single records.")


@app.command(
    epilog=examples(
        "consentry --as northgate/dpo proof make grant/grant-0123… grant.proof",
        "consentry --as northgate/dpo proof make consent/consent-0123… given.proof --transaction 9f86d081…",
        "consentry --as northgate/dpo verify grant.proof",
    )
)
def make(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(help="The record's key on the ledger, e.g. grant/grant-0123…")],
    file: Annotated[Path, typer.Argument(help="File to write.")],
    transaction: Annotated[
        str, typer.Option(help="Id of the transaction that wrote it (default: the last one that did).")
    ] = "",
) -> None:
    """Write a file that proves one record to somebody who has nothing but the anchor.

    Every organization's peer is asked to state that the record's block is as it says; the file proves
    validity once more than half of them did.
    """
    context = command_context(ctx)
    change = _find_change(context, key, transaction)
    made = _make(context, key, change)
    try:
        file.write_bytes(made.data)
    except OSError as error:
        raise InputRejected("FILE_UNWRITABLE", f"{file} cannot be written: {error.strerror}.") from error
    say(f"{file}: {len(made.data):,} bytes prove {key} as transaction {change.transaction_id} wrote it.")
    if made.silent:
        note(f"No statement came from {', '.join(made.silent)}.")


@app.command(
    epilog=examples(
        "consentry proof verifier verify_proof.pyz", "python3 verify_proof.pyz grant.proof --anchor 7b6727f8…"
    )
)
def verifier(file: Annotated[Path, typer.Argument(help="File to write.")]) -> None:
    """Write the verifier into one file that needs only Python and the library cryptography."""
    from consentry.proofs import write_verifier

    try:
        write_verifier(file)
    except OSError as error:
        raise InputRejected("FILE_UNWRITABLE", f"{file} cannot be written: {error.strerror}.") from error
    say(f"{file} checks proof files: python3 {file} PROOF --anchor HASH")


def _find_change(context: CommandContext, key: str, transaction: str) -> ChangeRow:
    """The write that is to be proved, as the verified index has it."""
    from consentry.cli.index_access import open_trail

    kind, _, record_id = key.partition("/")
    with open_trail(context) as trail:
        changes = trail.history(kind, record_id)
    found = [change for change in changes if transaction in ("", change.transaction_id)]
    if not found:
        what = f"that transaction {transaction} wrote" if transaction else "in the index"
        raise InputRejected(
            "RECORD_UNKNOWN", f"There is no record {key!r} {what}; `consentry trail` shows what there is."
        )
    return found[-1]


def _make(context: CommandContext, key: str, change: ChangeRow) -> MadeProof:
    from consentry.proofs import ProofRefused, ask_for_statement, make_proof, verify_proof
    from consentry.verification.peers import live_peers

    profile = context.profile
    with live_peers(profile, context.identity, [context.organization.msp_id]) as (peer,):
        network = peer.network
        made = make_proof(
            lambda number: next(network.blocks(number, number)),
            lambda msp_id, number: ask_for_statement(network, msp_id, number),
            profile.organizations,
            channel=profile.channel,
            block=change.block,
            transaction_id=change.transaction_id,
            namespace=profile.chaincode,
            key=key,
        )
    try:
        verify_proof(made.data, context.kept_anchor())
    except ProofRefused as refusal:
        raise InputRejected(
            "PROOF_REFUSED", f"{key} cannot be proved ({refusal.code}): {refusal}."
        ) from refusal
    return made
