"""A story through the contracts: every kind of transaction once, for the replay in a second process."""

from __future__ import annotations

from support.consortium import Consortium, new_session
from support.ledger_examples import REGULATOR, RIVERSIDE, identifier


async def tell() -> None:
    """From the import of consents to a model, a suspension and a withdrawal."""
    consortium = await Consortium.initialized()
    consents = await consortium.import_consents([f"subject {number}" for number in range(1, 21)])
    await consortium.register_version()
    await consortium.grant(1)
    await consortium.grant(2, purposes=("DUO:0000006", "TREAT", "DUO:0000007"))
    await consortium.permitted_attempt(1)
    await consortium.decide(await consortium.attempt(2, purpose="DUO:0000042", commercial=True))
    await consortium.model()
    await consortium.submit(consortium.person("researcher", RIVERSIDE), "training:start", new_session())
    await consortium.submit(
        consortium.person("regulator", REGULATOR), "grants:suspend", identifier("grant", 2)
    )
    await consortium.submit(consortium.person("dpo"), "consents:withdraw", consents[2])
