"""A process that commits transactions and says which.

python durable_writer.py DIR COUNT (a directory as `EmbeddedNetwork.create` makes it) prints
`<transaction id> <block>` for each transaction after it has been told that it is committed.
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


async def main(directory: Path, count: int) -> None:
    """Approve new chaincodes, several at once: transactions with private data that need no service."""
    engine = await Engine.open(directory)
    await engine.start()
    prefix = engine.ledger.height
    await asyncio.gather(*(_approve_some(engine, f"of{prefix}by{n}", count) for n in range(_IN_FLIGHT)))
    await engine.close()


async def _approve_some(engine: Engine, prefix: str, count: int) -> None:
    for number in range(count):
        transaction_id, block = await approve(engine, f"{prefix}-{number}")
        print(f"{transaction_id} {block}", flush=True)


async def approve(engine: Engine, name: str) -> tuple[str, int]:
    """Approve a chaincode definition as the first organization; transaction id and block."""
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
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
