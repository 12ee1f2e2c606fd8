"""One block of a proof file: its header and data, the orderers' signatures, and peers' statements on it.

A statement is a peer's endorsement of the answer that its system chaincode ``qscc`` gives to
``GetBlockByNumber``. The answer is the block as that peer committed it, with validation codes and commit
hash; header and data are the file's own, so that a statement only carries the peer's metadata.

Source: Fabric ``protoutil/blockutils.go · BlockSignatureVerifier``, ``core/scc/qscc/query.go``,
``core/endorser/endorser.go``.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from .configuration import Configuration
from .policies import Signer
from .refusal import ProofRefused, expect
from .wire import Fields, header_der, many, one, one_number, read_fields, write_bytes, write_number

_SLOTS = 5
_FLAGS, _COMMIT_HASH = 2, 4
_OK = 200


@dataclass(frozen=True)
class Statement:
    """One peer's word on the block.

    Attributes:
        endorser: the peer's serialized identity.
        signature: over the answer and the identity.
        proposal_hash: of the question.
        metadata: serialized ``common.BlockMetadata`` of the block as that peer has it.
    """

    endorser: bytes
    signature: bytes
    proposal_hash: bytes
    metadata: bytes


@dataclass(frozen=True)
class Attestation:
    """What the statements on a block come to.

    Attributes:
        organizations: MSP ids, sorted, one a statement.
        flags: validation codes, one byte a transaction; empty without statements.
    """

    organizations: tuple[str, ...]
    flags: bytes


class ProofBlock:
    """A block whose header and data agree.

    Args:
        header: serialized ``common.BlockHeader``.
        data: serialized ``common.BlockData``.
        signatures: the orderers' metadata, slot 0; empty for block 0.
        statements: peers' words on it.

    Raises:
        ProofRefused: ENCODING, DATA_HASH.
    """

    def __init__(
        self, header: bytes, data: bytes, signatures: bytes, statements: Sequence[Statement]
    ) -> None:
        self._header, self._data = header, data
        self.signatures, self.statements = signatures, statements
        fields = read_fields(header)
        self.number, self.previous_hash = one_number(fields, 1), one(fields, 2)
        self._der = header_der(self.number, self.previous_hash, one(fields, 3))
        self.hash = hashlib.sha256(self._der).hexdigest()
        self.entries = many(read_fields(data), 1)
        computed = hashlib.sha256(b"".join(self.entries)).digest()
        expect(computed == one(fields, 3), "DATA_HASH", f"block {self.number}: the data is not its header's")
        for envelope in map(read_fields, self.entries):
            is_whole = set(envelope) == {1, 2} or (not self.number and set(envelope) == {1})
            expect(is_whole, "ENCODING", f"block {self.number}: an entry is not an envelope")

    def as_json(self) -> dict[str, object]:
        """The block as it stands in a file, bytes in hex."""
        return {
            "header": self._header.hex(),
            "data": self._data.hex(),
            "signatures": self.signatures.hex(),
            "statements": [
                {name: value.hex() for name, value in vars(statement).items()}
                for statement in self.statements
            ],
        }

    def check_order(self, config: Configuration, config_number: int) -> None:
        """Check that the orderers put this block into the chain, under the configuration before it.

        Args:
            config: in force before this block.
            config_number: the block that the orderers have to name as the last configuration.

        Raises:
            ProofRefused: CONFIGURATION, SIGNATURE, MEMBERSHIP, ORDERER_SIGNATURES.
        """
        metadata = read_fields(self.signatures)
        value = one(metadata, 1)
        named = one_number(read_fields(one(read_fields(value), 1)), 1)
        expect(
            named == config_number, "CONFIGURATION", f"block {self.number} names configuration block {named}"
        )
        signers = [self._orderer(config, value, read_fields(entry)) for entry in many(metadata, 2)]
        allowed = config.may_sign_blocks(signers)
        expect(allowed, "ORDERER_SIGNATURES", f"block {self.number} is not signed by enough orderers")

    def attestation(self, config: Configuration) -> Attestation:
        """Check what peers state of this block.

        Raises:
            ProofRefused: STATEMENT, SIGNATURE, MEMBERSHIP: one does not hold, or they disagree.
        """
        found: dict[str, bytes] = {}
        commit_hashes = set()
        for statement in self.statements:
            slots = many(read_fields(statement.metadata), 1)
            fits = len(slots) == _SLOTS and len(slots[_FLAGS]) == len(self.entries)
            expect(fits, "STATEMENT", f"a statement on block {self.number} is about another block")
            signer = self._stating_peer(config, statement)
            expect(signer.msp_id not in found, "STATEMENT", f"two statements are by {signer.msp_id}")
            found[signer.msp_id] = slots[_FLAGS]
            commit_hashes.add(slots[_COMMIT_HASH])
        agree = len(set(found.values())) <= 1 and len(commit_hashes) <= 1
        expect(agree, "STATEMENT", f"the peers disagree on block {self.number}: {', '.join(sorted(found))}")
        return Attestation(tuple(sorted(found)), next(iter(found.values()), b""))

    def _orderer(self, config: Configuration, value: bytes, entry: Fields) -> Signer:
        header, identifier = one(entry, 1), one(entry, 3)
        if header or not identifier:
            identity = one(read_fields(header), 1)
        else:
            number = one_number(read_fields(identifier), 1)
            expect(number in config.consenters, "MEMBERSHIP", f"the channel has no ordering node {number}")
            identity = config.consenters[number]
        return self._signer(config, identity, value + (header or identifier) + self._der, one(entry, 2))

    def _stating_peer(self, config: Configuration, statement: Statement) -> Signer:
        block = write_bytes(1, self._header) + write_bytes(2, self._data) + write_bytes(3, statement.metadata)
        response = write_number(1, _OK) + write_bytes(3, block)
        chaincode = write_bytes(2, b"qscc") + write_bytes(3, b"syscc")
        action = write_bytes(3, response) + write_bytes(4, chaincode)
        answer = write_bytes(1, statement.proposal_hash) + write_bytes(2, action)
        signer = self._signer(config, statement.endorser, answer + statement.endorser, statement.signature)
        is_peer = "peer" in signer.roles and signer.msp_id in config.members
        expect(is_peer, "STATEMENT", f"{signer.msp_id}: only a statement by a member's peer counts")
        return signer

    def _signer(self, config: Configuration, identity: bytes, signed: bytes, signature: bytes) -> Signer:
        try:
            return config.signer(identity, signed, signature)
        except ProofRefused as refusal:
            raise ProofRefused(refusal.code, f"block {self.number}: {refusal}") from None
