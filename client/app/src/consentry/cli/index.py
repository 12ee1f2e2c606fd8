"""``consentry index``: bring the trail index up to date, or keep it so."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, note, say, show_json


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    epilog = examples(
        "consentry --as northgate/dpo index",
        "consentry --as northgate/dpo index --organization riverside --organization lakeside",
        "consentry --as northgate/dpo index --follow",
        "consentry --as northgate/dpo --index postgresql://trail@db/trail index",
    )
    app.command("index", epilog=epilog)(index)


def index(
    ctx: typer.Context,
    organization: Annotated[
        list[str] | None,
        typer.Option(help="Compare every block with this organization's peer too; may be repeated."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for new blocks until stopped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify the own peer's blocks and index them; every other question does so by itself.

    With --organization the blocks of that organization's peer are verified as well, and have to say the same.
    """
    from consentry.cli.index_access import catch_up, open_database_of
    from consentry.index import IndexFollower, IndexProgress, Trail
    from consentry.index.lag import Lag
    from consentry.verification.peers import live_peers

    context = command_context(ctx)
    with open_database_of(context) as engine:
        compared = organization or []
        _, added = catch_up(context, engine, compared)
        status = Trail(engine).status()
        if as_json:
            show_json(status)
        else:
            say(f"{added} transactions added; the index is complete up to block {status.last_block}.")
        if not follow:
            return

        follower = IndexFollower(engine, context.profile.chaincode, context.kept_anchor())
        names = [context.organization.msp_id, *compared]
        with live_peers(context.profile, context.identity, names, follow=True) as (peer, *others):
            lag = Lag(peer.newest, time.monotonic)

            def tell(reached: IndexProgress) -> None:
                note(lag.sentence(reached.next_block - 1))

            follower.follow(peer, tell, others=others, blocks_a_transaction=1)
