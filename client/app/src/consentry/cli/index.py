"""``consentry index``: bring the trail index up to date, or keep it so."""

from __future__ import annotations

from typing import Annotated

import typer

from consentry.cli.context import command_context
from consentry.cli.output import AsJson, examples, note, say, show_json


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    epilog = examples(
        "consentry --as northgate/dpo index",
        "consentry --as northgate/dpo index --follow",
    )
    app.command("index", epilog=epilog)(index)


def index(
    ctx: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for new blocks until stopped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify the own peer's blocks and index them; every other question does so by itself."""
    from consentry.cli.index_access import catch_up, open_database_of
    from consentry.index import IndexFollower, IndexProgress, Trail
    from consentry.verification.peers import live_peers

    context = command_context(ctx)
    with open_database_of(context) as engine:
        _, added = catch_up(context, engine)
        status = Trail(engine).status()
        if as_json:
            show_json(status)
        else:
            say(f"{added} transactions added; the index is complete up to block {status.last_block}.")
        if not follow:
            return

        def tell(reached: IndexProgress) -> None:
            note(f"block {reached.next_block - 1}")

        follower = IndexFollower(engine, context.profile.chaincode, context.kept_anchor())
        peers = live_peers(context.profile, context.identity, [context.organization.msp_id], follow=True)
        with peers as (peer,):
            follower.follow(peer, tell, blocks_a_transaction=1)
