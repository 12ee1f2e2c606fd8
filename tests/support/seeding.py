"""A contract that writes records as they are, so that a ledger can be in any state."""

from __future__ import annotations

from support.consortium import Consortium

from consentry_contracts import contracts
from fabric_shim import Context, Contract, transaction


class Seeding(Contract):
    """Writes whatever it is given."""

    name = "seeding"

    @transaction
    async def write(self, ctx: Context, values: dict[str, str]) -> None:
        """Put each value under its key."""
        for key, value in values.items():
            await ctx.stub.put_state(key, value.encode())


def let_seed(consortium: Consortium) -> None:
    """Let every organization's peer run that contract beside Consentry's own."""
    for msp_id in consortium.ledger.organizations:
        consortium.ledger.replace_contracts(msp_id, [*contracts(), Seeding()])
