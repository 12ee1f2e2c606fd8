"""What an organization could run instead of the contracts. No test tool is imported: replays import it."""

from __future__ import annotations

from dataclasses import replace

from consentry_contracts.grants import Grants
from consentry_contracts.state import put
from consentry_records import DatasetVersion, Grant, Suspension, keys
from consentry_records.record import Record
from fabric_shim import Context, Contract, transaction

# By the first part of a record's key.
CHANGES: dict[str, tuple[type[Record], dict[str, object]]] = {
    "grant": (Grant, {"grantee": "LakesideMSP", "revision": 9}),
    "version": (DatasetVersion, {"row_count": 1}),
    "suspension": (Suspension, {"suspended_by": "somebody-else"}),
}


class Cheating(Contract):
    """Writes without any check."""

    name = "cheating"

    @transaction
    async def rewrite(self, ctx: Context, key: str) -> None:
        """Write a record with something changed."""
        record, changes = CHANGES[key.partition("/")[0]]
        value = await ctx.stub.get_state(key)
        assert value is not None
        await put(ctx, key, replace(record.from_bytes(value), **changes))


class CarelessGrants(Grants):
    """The grants contract as an organization could alter it: anybody may revoke."""

    @transaction
    async def revoke(self, ctx: Context, grant_id: str) -> None:
        """Change a grant of another custodian."""
        await Cheating().rewrite(ctx, keys.grant(grant_id))
