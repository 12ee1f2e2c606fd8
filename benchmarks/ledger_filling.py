"""Fills the ledger of a stopped network with small transactions, straight through its store.

What is written has the form and the size of what the engine writes, block by block and linked, with real
identities; endorsers' and clients' signatures are of the right length only: signing a million transactions
would measure the generator. `consentry verify` refuses such a ledger, as it should.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fabric_protos.peer import proposal_response_pb2

from fabric_embedded.assembly import EngineMaterial
from fabric_embedded.storage.ledger_store import BlockRecord, HistoryEntry, LedgerStore, TransactionEntry
from fabric_protocol.block_signatures import sign_block
from fabric_protocol.blocks import header_hash, new_block, set_flags
from fabric_protocol.commit_hash import set_commit_hash
from fabric_protocol.endorsements import assemble_transaction, response_payload, signed_envelope
from fabric_protocol.proposals import new_proposal, proposal_hash
from fabric_protocol.rwset import NamespaceSet, ReadWriteSet, Write
from fabric_protocol.rwset_encoding import encode_rwset
from fabric_protocol.state import Version
from fabric_protocol.updates import PublicUpdate, UpdateBatch

_BLOCK = 500
_NONCE_BYTES = 24
_SIGNATURE_BYTES = 71
_CHECKPOINT_EVERY = 20
_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_RESPONSE = proposal_response_pb2.Response(status=200)


@dataclass(frozen=True)
class _Filled:
    transaction_id: str
    key: str
    envelope: bytes


class LedgerFiller:
    """Adds blocks behind the last one.

    Parameters:
        material: of the network, which must not run.
        value: what every transaction writes, under a key of its own.
        seed: of nonces and signatures.
    """

    def __init__(self, material: EngineMaterial, value: str, seed: int = 1) -> None:
        self._material = material
        self._value = value.encode()
        self._random = random.Random(seed)
        self._creator = next(iter(material.administrators.values())).identity

    def fill(self, count: int) -> None:
        """Write this many transactions."""
        store = LedgerStore(self._material.ledger_directory)
        try:
            previous = store.blocks.header_hash(store.height - 1) or b""
            for number in range(store.height, store.height + -(-count // _BLOCK)):
                filled = [self._transaction() for _ in range(min(_BLOCK, count))]
                count -= len(filled)
                record = self._record(number, previous, filled)
                store.commit(record)
                previous = record.header_hash
                if not number % _CHECKPOINT_EVERY:
                    store.truncate_log()
        finally:
            store.close()

    def _transaction(self) -> _Filled:
        topology = self._material.topology
        chaincode = topology.chaincode
        nonce = self._random.randbytes(_NONCE_BYTES)
        key = f"filled-{nonce.hex()}"
        proposal = new_proposal(
            channel_id=topology.channel,
            chaincode=chaincode.name,
            arguments=[b"bench:put", key.encode(), self._value],
            creator=self._creator,
            nonce=nonce,
            timestamp=_TIME,
        )
        payload = response_payload(
            proposal_hash=proposal_hash(proposal.data),
            results=encode_rwset(
                ReadWriteSet((NamespaceSet(chaincode.name, writes=(Write(key, False, self._value),)),))
            ),
            event=b"",
            response=_RESPONSE,
            chaincode=chaincode.name,
            version=chaincode.version,
        )
        endorsements = [
            proposal_response_pb2.Endorsement(endorser=peer.identity.serialized, signature=self._signature())
            for peer in self._material.peers.values()
        ]
        transaction = assemble_transaction(proposal.data, payload, endorsements)
        envelope = signed_envelope(transaction, self._signature()).SerializeToString()
        return _Filled(proposal.transaction_id, key, envelope)

    def _record(self, number: int, previous: bytes, filled: Sequence[_Filled]) -> BlockRecord:
        namespace = self._material.topology.chaincode.name
        block = self._block(number, previous, filled)
        return BlockRecord(
            number=number,
            header_hash=header_hash(block.header),
            is_private=False,
            data=block.SerializeToString(),
            transactions=tuple(
                TransactionEntry(item.transaction_id, position, 0) for position, item in enumerate(filled)
            ),
            updates=UpdateBatch(
                public=tuple(
                    PublicUpdate(namespace, item.key, self._value, b"", Version(number, position))
                    for position, item in enumerate(filled)
                )
            ),
            history=tuple(
                HistoryEntry(namespace, item.key, position) for position, item in enumerate(filled)
            ),
        )

    def _block(self, number: int, previous: bytes, filled: Sequence[_Filled]) -> Any:
        node = self._material.ordering_node
        block = sign_block(
            new_block(number, previous, [item.envelope for item in filled]),
            last_config=0,
            signer=node.signer,
            creator=node.identity,
            nonce=self._random.randbytes(_NONCE_BYTES),
        )
        set_commit_hash(set_flags(block, bytes(len(filled))), self._random.randbytes(32))
        return block

    def _signature(self) -> bytes:
        return self._random.randbytes(_SIGNATURE_BYTES)
