"""Contract `ledger`: the settings, and the organizations' votes on other ones."""

from __future__ import annotations

from typing import Any

from consentry_records import events, keys
from consentry_records.errors import LedgerError
from consentry_records.settings import Settings, SettingsVote, check_change, is_decided
from fabric_shim import Context, evaluation, transaction

from .actors import member
from .ledger_contract import LedgerContract, emit, proposal_instant
from .state import put, read


class LedgerSettings(LedgerContract):
    """Functions `ledger:…`."""

    name = "ledger"

    @transaction
    async def initialize(self, ctx: Context, settings: Settings) -> None:
        """Write the settings, once, by a regulator that they name as such.

        Raises LEDGER_ALREADY_INITIALIZED, ORGANIZATION_UNKNOWN, ORGANIZATION_KIND_WRONG.
        """
        member(ctx, settings)
        state = await read(ctx, keys.SETTINGS)
        state.check_absent(keys.SETTINGS, LedgerError("LEDGER_ALREADY_INITIALIZED"))
        await put(ctx, keys.SETTINGS, settings)
        emit(ctx, events.LEDGER_INITIALIZED)

    @transaction
    async def vote(self, ctx: Context, settings: Settings) -> None:
        """Vote for other settings, in the name of the caller's organization; a majority puts them in force.

        Raises SETTINGS_UNCHANGED, SETTINGS_INVALID, SETTINGS_VOTE_EXISTS.
        """
        current = (await read(ctx, keys.SETTINGS)).settings()
        actor = member(ctx, current)
        check_change(current, settings)
        vote = SettingsVote(
            settings=settings,
            settings_digest=settings.digest,
            replaces=current.digest,
            voter_msp=actor.msp_id,
            voter=actor.enrolment_id,
            voted_at=proposal_instant(ctx),
        )
        voters = await self._voters(ctx, current, vote)
        if actor.msp_id in voters:
            raise LedgerError("SETTINGS_VOTE_EXISTS", {"msp_id": actor.msp_id})
        await put(ctx, keys.settings_vote(vote.name, actor.msp_id), vote)
        fields = {"settings_digest": settings.digest, "voter_msp": actor.msp_id}
        if not is_decided(current, {*voters, actor.msp_id}):
            emit(ctx, events.SETTINGS_VOTED, **fields)
            return
        await put(ctx, keys.SETTINGS, settings)
        emit(ctx, events.SETTINGS_CHANGED, **fields)

    async def _voters(self, ctx: Context, current: Settings, vote: SettingsVote) -> set[str]:
        """Who has voted for the same settings while those in force were."""
        named = {msp_id: keys.settings_vote(vote.name, msp_id) for msp_id in current.msp_ids}
        state = await read(ctx, *named.values())
        found = (state.optional(SettingsVote, key) for key in named.values())
        return {cast.voter_msp for cast in found if cast is not None and cast.replaces == vote.replaces}

    @evaluation
    async def votes(self, ctx: Context) -> dict[str, Any]:
        """{"votes": […]} for other settings in place of those in force, ordered by settings and voter."""
        current = (await read(ctx, keys.SETTINGS)).settings().digest
        cast = [
            SettingsVote.from_bytes(value) async for _, value in ctx.stub.get_range(*keys.settings_votes())
        ]
        return {"votes": [vote.to_dict() for vote in cast if vote.replaces == current]}

    @evaluation
    async def settings(self, ctx: Context) -> Settings:
        """The settings; raises LEDGER_NOT_INITIALIZED."""
        return (await read(ctx, keys.SETTINGS)).settings()
