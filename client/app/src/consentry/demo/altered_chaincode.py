"""The contracts with one check cut out: what an organization could run if it meant to change others' grants.

The demo starts this in place of the honest chaincode to show that Fabric's validation refuses what it
endorses. It is a chaincode process of its own, which is why it imports contracts.
"""

from __future__ import annotations

from dataclasses import replace

from consentry_contracts import contracts
from consentry_contracts.grants import Grants
from consentry_contracts.state import put, read
from consentry_records import keys
from consentry_records.errors import LedgerError
from consentry_records.grant import Grant, GrantChange
from fabric_shim import Context, run, transaction


class AlteredGrants(Grants):
    """`grants` without asking whether the caller is the grant's custodian."""

    @transaction
    async def change(self, ctx: Context, change: GrantChange) -> None:
        """Give anybody's grant another end."""
        key = keys.grant(change.grant_id)
        missing = LedgerError("GRANT_NOT_FOUND", {"grant_id": change.grant_id})
        grant = (await read(ctx, key)).required(Grant, key, missing)
        await put(ctx, key, replace(grant, not_after=change.not_after, revision=grant.revision + 1))


if __name__ == "__main__":
    run([AlteredGrants() if isinstance(contract, Grants) else contract for contract in contracts()])
