"""A story through the contracts, told in a process of its own; prints a digest of the state that it leaves.

Run with different hash seeds, time zones and locales it has to print the same: `python -m
support.contract_story`.
"""

from __future__ import annotations

import asyncio
import hashlib

from support import ledger_examples as examples
from support.consortium import Consortium, new_session
from support.ledger_examples import REGULATOR, RIVERSIDE, identifier


async def tell() -> str:
    """SHA-256 of the state. Epochs are left out: they are transaction ids, which follow from random keys."""
    consortium = await Consortium.initialized()
    await consortium.import_consents([examples.new_consent(number) for number in range(1, 21)])
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
    await consortium.submit(consortium.person("dpo"), "consents:withdraw", identifier("consent", 3))
    digest = hashlib.sha256()
    for key, value in consortium.ledger.states().items():
        if not key.startswith("epoch/"):
            digest.update(f"{len(key)}:{key}{len(value)}:".encode() + value)
    return digest.hexdigest()


if __name__ == "__main__":
    print(asyncio.run(tell()))
