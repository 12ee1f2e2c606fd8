"""A process that commits transactions without end and says which: to be killed at any moment.

python durable_writer.py DIR (as `EmbeddedNetwork.create` makes it) prints `<transaction id> <block>` for each
transaction after it has been told that it is committed.
"""

from __future__ import annotations

import asyncio
import sys
from hashlib import sha256
from pathlib import Path

from fabric_protos.peer import proposal_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2

from fabric_embedded.engine import Engine
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE
from fabric_protocol.endorsements import assemble_transaction, signed_envelope
from fabric_protocol.proposals import new_proposal

_IN_FLIGHT = 8


async def main(directory: Path) -> None:
    """Approve ever new chaincodes, several at once: transactions with private data that need no service."""
    engine = await Engine.open(directory)
    await engine.start()
    print("ready", engine.ledger.height, flush=True)
    await asyncio.gather(*(_approve_for_ever(engine, f"writer{number}") for number in range(_IN_FLIGHT)))


async def _approve_for_ever(engine: Engine, prefix: str) -> None:
    count = engine.ledger.height
    while True:
        count += 1
        transaction_id, block = await _approve(engine, f"{prefix}-{count}")
        print(transaction_id, block, flush=True)


async def _approve(engine: Engine, name: str) -> tuple[str, int]:
    msp_id, administrator = next(iter(engine._material.administrators.items()))
    arguments = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(name=name, version="1", sequence=1)
    proposal = new_proposal(
        channel_id=engine.channel_id,
        chaincode=LIFECYCLE_NAMESPACE,
        arguments=[b"ApproveChaincodeDefinitionForMyOrg", arguments.SerializeToString()],
        creator=administrator.identity,
    )
    signature = administrator.signer(sha256(proposal.data).digest())
    signed = proposal_pb2.SignedProposal(proposal_bytes=proposal.data, signature=signature)
    answer = await engine.peers[msp_id].process_proposal(signed)
    payload = assemble_transaction(proposal.data, answer.payload, [answer.endorsement])
    envelope = signed_envelope(payload, administrator.signer(sha256(payload).digest()))
    await engine.broadcast(envelope)
    status = await engine.ledger.wait_for_transaction(proposal.transaction_id)
    return proposal.transaction_id, status.block_number


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
