"""Proof files made from chains of tests, with statements by their organizations' peers."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Sequence
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_response_pb2
from support.chain_members import Member
from support.chains import CHAINCODE, Chain

from consentry.errors import LedgerUnreachable
from consentry.proofs import MadeProof, make_proof, read_statement
from consentry.proofs.checking.block import Statement
from consentry.verification.proved_block import claimed_ids
from fabric_protocol.endorsements import assemble_transaction, endorse, response_payload
from fabric_protocol.proposals import new_proposal, proposal_hash


def statement(chain: Chain, peer: Member, block: bytes) -> Statement:
    """What a peer signs when it is asked for a block that it has as `block`."""
    number = common_pb2.Block.FromString(block).header.number
    proposal = new_proposal(
        channel_id=chain.channel,
        chaincode="qscc",
        arguments=[b"GetBlockByNumber", chain.channel.encode(), str(number).encode()],
        creator=chain.client.identity,
        timestamp=chain.now(),
    )
    payload = response_payload(
        proposal_hash=proposal_hash(proposal.data),
        results=b"",
        event=b"",
        response=proposal_response_pb2.Response(status=200, payload=block),
        chaincode="qscc",
        version="syscc",
    )
    content = assemble_transaction(proposal.data, payload, [endorse(payload, peer.signer, peer.identity)])
    envelope = common_pb2.Envelope(payload=content, signature=chain.client.sign(content))
    return read_statement(envelope.SerializeToString())


def prove(chain: Chain, number: int, key: str, organizations: Sequence[str] | None = None) -> MadeProof:
    """The proof file of a block's first transaction; by default all organizations' peers state it."""

    def ask(msp_id: str, block: int) -> Statement:
        if organizations is not None and msp_id not in organizations:
            raise LedgerUnreachable("STATEMENT_MISSING", "this peer is not asked in the test")
        return statement(chain, chain.organizations[msp_id].peer, chain.blocks[block])

    return make_proof(
        chain.blocks.__getitem__,
        ask,
        chain.organizations,
        channel=chain.channel,
        block=number,
        transaction_id=only_transaction(chain, number),
        namespace=CHAINCODE,
        key=key,
    )


def only_transaction(chain: Chain, number: int) -> str:
    """Id of the first transaction of a block."""
    return claimed_ids(chain.block(number))[0]


def altered(data: bytes, change: Callable[[Any], None]) -> bytes:
    """A proof file whose content was changed in place, spelt as it should be."""
    content = json.loads(lzma.decompress(data))
    change(content)
    return lzma.compress(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
