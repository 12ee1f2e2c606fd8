"""Fills the ledger of a stopped network with small transactions, straight through its store.

What is written has the form and the size of what the engine writes, block by block and linked, with real
identities. Unless asked for, endorsers' and clients' signatures are of the right length only: to sign a
million transactions would measure the generator. `consentry verify` refuses such a ledger, as it should.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from fabric_protos.peer import proposal_response_pb2

from fabric_embedded.assembly import EngineMaterial
from fabric_embedded.storage.ledger_store import BlockRecord, LedgerStore, TransactionEntry
from fabric_protocol.block_signatures import sign_block
from fabric_protocol.blocks import header_hash, new_block, parse_block, set_flags
from fabric_protocol.commit_hash import commit_hash, read_commit_hash, set_commit_hash
from fabric_protocol.endorsements import assemble_transaction, response_payload, signed_envelope
from fabric_protocol.proposals import new_proposal, proposal_hash
from fabric_protocol.rwset import NamespaceSet, ReadWriteSet, Write
from fabric_protocol.rwset_encoding import encode_rwset
from fabric_protocol.signatures import Signer
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
    value: bytes
    envelope: bytes


class LedgerFiller:
    """Adds blocks behind the last one.

    Parameters:
        material: of the network, which must not run.
        value: what every transaction writes, under a key of its own.
        seed: of nonces and signatures.
        signed: sign for real, so that the ledger can be verified.
        writes: key and value of each transaction, as long as there are, instead of `value`.
    """

    def __init__(
        self,
        material: EngineMaterial,
        value: str,
        seed: int = 1,
        *,
        signed: bool = False,
        writes: Iterable[tuple[str, bytes]] = (),
    ) -> None:
        self._material = material
        self._value = value.encode()
        self._writes = iter(writes)
        self._random = random.Random(seed)
        self._signed = signed
        administrator = next(iter(material.administrators.values()))
        self._creator, self._signer = administrator.identity, administrator.signer

    def fill(self, count: int) -> None:
        """Write this many transactions."""
        store = LedgerStore(self._material.ledger_directory)
        try:
            previous = store.blocks.header_hash(store.height - 1) or b""
            last = parse_block(store.blocks.block(store.height - 1) or b"")
            commits = read_commit_hash(last)
            for number in range(store.height, store.height + -(-count // _BLOCK)):
                filled = [self._transaction() for _ in range(min(_BLOCK, count))]
                count -= len(filled)
                record, commits = self._record(number, previous, commits, filled)
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
        key, value = next(self._writes, (f"filled-{nonce.hex()}", self._value))
        proposal = new_proposal(
            channel_id=topology.channel,
            chaincode=chaincode.name,
            arguments=[b"bench:put", key.encode(), value],
            creator=self._creator,
            nonce=nonce,
            timestamp=_TIME,
        )
        payload = response_payload(
            proposal_hash=proposal_hash(proposal.data),
            results=encode_rwset(
                ReadWriteSet((NamespaceSet(chaincode.name, writes=(Write(key, False, value),)),))
            ),
            event=b"",
            response=_RESPONSE,
            chaincode=chaincode.name,
            version=chaincode.version,
        )
        endorsements = [
            proposal_response_pb2.Endorsement(
                endorser=peer.identity.serialized,
                signature=self._signature(peer.signer, payload + peer.identity.serialized),
            )
            for peer in self._material.peers.values()
        ]
        transaction = assemble_transaction(proposal.data, payload, endorsements)
        envelope = signed_envelope(
            transaction, self._signature(self._signer, transaction)
        ).SerializeToString()
        return _Filled(proposal.transaction_id, key, value, envelope)

    def _record(
        self, number: int, previous: bytes, commits: bytes, filled: Sequence[_Filled]
    ) -> tuple[BlockRecord, bytes]:
        namespace = self._material.topology.chaincode.name
        updates = UpdateBatch(
            public=tuple(
                PublicUpdate(namespace, item.key, item.value, b"", Version(number, position))
                for position, item in sorted(enumerate(filled), key=lambda entry: entry[1].key)
            )
        )
        block = self._block(number, previous, filled)
        own = commit_hash(bytes(len(filled)), updates, commits)
        set_commit_hash(block, own)
        record = BlockRecord(
            number=number,
            header_hash=header_hash(block.header),
            is_private=False,
            data=block.SerializeToString(),
            transactions=tuple(
                TransactionEntry(item.transaction_id, position, 0) for position, item in enumerate(filled)
            ),
            updates=updates,
            history=(),
        )
        return record, own

    def _block(self, number: int, previous: bytes, filled: Sequence[_Filled]) -> Any:
        node = self._material.ordering_node
        block = sign_block(
            new_block(number, previous, [item.envelope for item in filled]),
            last_config=0,
            signer=node.signer,
            creator=node.identity,
            nonce=self._random.randbytes(_NONCE_BYTES),
        )
        return set_flags(block, bytes(len(filled)))

    def _signature(self, signer: Signer, message: bytes) -> bytes:
        return signer(sha256(message).digest()) if self._signed else self._random.randbytes(_SIGNATURE_BYTES)
