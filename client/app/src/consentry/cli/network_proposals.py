"""``consentry network proposal``: changes of the channel that each organization signs with its own keys."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, say, show_json

if TYPE_CHECKING:
    from fabric_protocol.config_review import Review

app = typer.Typer(
    no_args_is_help=True,
    help="Change the channel together: propose a change as a file, show it, sign it, submit it.",
)
Proposal = Annotated[Path, typer.Argument(metavar="FILE", help="The proposal.")]
Target = Annotated[Path, typer.Option("--to", metavar="FILE", help="File for the proposal.")]
Acting = Annotated[
    str | None,
    typer.Option(
        "--organization", help="Whose administrator acts, where a directory holds more than one's keys."
    ),
]


@app.command(epilog=examples("consentry network proposal add member.json --to hillside.proposal"))
def add(
    ctx: typer.Context,
    member: Annotated[Path, typer.Argument(help="What the organization wrote: network accept.")],
    to: Target,
    organization: Acting = None,
) -> None:
    """Propose to take an organization in, with its ordering node."""
    from consentry.network.proposals import propose_member

    _show_made(propose_member(command_context(ctx).directory, member, to, organization), to)


@app.command(epilog=examples("consentry network proposal remove lakeside --to lakeside-leaves.proposal"))
def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Short name of the organization, e.g. lakeside.")],
    to: Target,
    organization: Acting = None,
) -> None:
    """Propose to remove an organization with its ordering node; before it is submitted: network release."""
    from consentry.network.proposals import propose_removal

    _show_made(propose_removal(command_context(ctx).directory, name, to, organization), to)


@app.command(epilog=examples("consentry network proposal rotate orderer-northgate --to rotation.proposal"))
def rotate(
    ctx: typer.Context,
    node: Annotated[str, typer.Argument(help="An ordering node of one's own, e.g. orderer-northgate.")],
    to: Target,
) -> None:
    """Have an ordering node's next certificates issued, and propose that the channel know them.

    Once submitted, `consentry network rotate NODE` restarts the node with them.
    """
    from consentry.network.proposals import propose_rotation

    _show_made(propose_rotation(command_context(ctx).directory, node, to), to)


@app.command(
    epilog=examples(
        "consentry network revoke northgate steward --crl northgate.crl.pem",
        "consentry network proposal revocations northgate northgate.crl.pem --to crl.proposal",
    )
)
def revocations(
    ctx: typer.Context,
    organization: Annotated[str, typer.Argument(help="Whose CA revoked, e.g. northgate.")],
    crl: Annotated[Path, typer.Argument(help="The CA's list of revoked certificates (PEM).")],
    to: Target,
) -> None:
    """Propose that the channel refuse what an organization's CA has revoked."""
    from consentry.network.proposals import propose_revocations, read_file

    directory = command_context(ctx).directory
    _show_made(propose_revocations(directory, organization, read_file(crl), to), to)


@app.command(
    epilog=examples("consentry network proposal anchors fabric.northgate.example:7051 --to anchors.proposal")
)
def anchors(
    ctx: typer.Context,
    peers: Annotated[list[str], typer.Argument(help="host:port of each, in place of those so far.")],
    to: Target,
    organization: Acting = None,
) -> None:
    """Propose which of the own organization's peers the others contact first."""
    from consentry.network.proposals import propose_anchor_peers

    _show_made(propose_anchor_peers(command_context(ctx).directory, peers, to, organization), to)


@app.command(epilog=examples("consentry network proposal blocks --transactions 200 --to blocks.proposal"))
def blocks(
    ctx: typer.Context,
    to: Target,
    transactions: Annotated[
        int | None, typer.Option(min=1, help="Transactions at which a block is cut.")
    ] = None,
    largest: Annotated[
        int | None, typer.Option(min=1, help="Bytes of the largest transaction that is taken.")
    ] = None,
    preferred: Annotated[int | None, typer.Option(min=1, help="Bytes at which Raft cuts a block.")] = None,
    organization: Acting = None,
) -> None:
    """Propose how large blocks become."""
    from consentry.network.proposals import propose_batch_size

    named = {
        "max_message_count": transactions,
        "absolute_max_bytes": largest,
        "preferred_max_bytes": preferred,
    }
    limits = {name: limit for name, limit in named.items() if limit is not None}
    _show_made(propose_batch_size(command_context(ctx).directory, limits, to, organization), to)


@app.command(epilog=examples("consentry network proposal show hillside.proposal"))
def show(
    ctx: typer.Context, proposal: Proposal, organization: Acting = None, as_json: AsJson = False
) -> None:
    """Say what a proposal changes, who has signed it, and who has to."""
    from consentry.network.proposals import review

    found = review(command_context(ctx).directory, proposal, organization)
    if as_json:
        show_json({**asdict(found), "enough": found.is_signed_by_enough})
        return
    _show(found)


@app.command(epilog=examples("consentry network proposal sign hillside.proposal"))
def sign(ctx: typer.Context, proposal: Proposal, organization: Acting = None) -> None:
    """Add one's own administrator's signature to the file; look at it first (show)."""
    from consentry.network.proposals import sign as sign_proposal

    _show(sign_proposal(command_context(ctx).directory, proposal, organization))


@app.command(epilog=examples("consentry network proposal submit hillside.proposal"))
def submit(ctx: typer.Context, proposal: Proposal, organization: Acting = None) -> None:
    """Send a proposal that enough have signed; says who is missing where they have not."""
    from consentry.network.proposals import submit as submit_proposal

    number = submit_proposal(command_context(ctx).directory, proposal, organization)
    say(f"The change is in force from block {number} on.")


def _show_made(review: Review, target: Path) -> None:
    _show(review)
    say(
        f"The proposal is {target}: each organization that has to sign it does so with network proposal sign."
    )


def _show(review: Review) -> None:
    from consentry.network.proposals import missing_words

    for change in review.changes:
        say(f"  {change}")
    say(f"Signed by: {', '.join(review.signed) or 'nobody'}.")
    if review.unfit:
        say(f"Signatures that do not fit what is proposed: {', '.join(review.unfit)}.")
    if review.is_signed_by_enough:
        say("Enough have signed: it can be submitted.")
    for line in missing_words(review):
        say(f"Missing: {line}.")
