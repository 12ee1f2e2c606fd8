"""Contract `ledger`: the settings."""

from __future__ import annotations

from consentry_records import events, keys
from consentry_records.errors import LedgerError
from consentry_records.settings import Settings
from fabric_shim import Context, evaluation, transaction

from .actors import member
from .ledger_contract import LedgerContract, emit
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

    @evaluation
    async def settings(self, ctx: Context) -> Settings:
        """The settings; raises LEDGER_NOT_INITIALIZED."""
        return (await read(ctx, keys.SETTINGS)).settings()
