"""The transaction that a proof file is about, and the record that it wrote.

Source: protos ``common.Payload``, ``protos.Transaction``, ``rwset.TxReadWriteSet``, ``kvrwset.KVRWSet``.
"""

import hashlib
from dataclasses import dataclass

from .configuration import Configuration
from .refusal import ProofRefused, expect
from .wire import many, one, one_number, one_text, read_fields

_ENDORSER_TRANSACTION = 3


@dataclass(frozen=True)
class Claim:
    """What the file says it proves.

    Attributes:
        channel: channel id.
        block: block number.
        transaction: index in the block, from 0.
        transaction_id: hex.
        namespace: the chaincode's name.
        key: the key that was written.
    """

    channel: str
    block: int
    transaction: int
    transaction_id: str
    namespace: str
    key: str


@dataclass(frozen=True)
class Writing:
    """What the transaction wrote, and who signed it.

    Attributes:
        value: the written value; None for a deletion.
        signed_by: MSP ids of creator and endorsers whose signatures hold, sorted.
    """

    value: bytes | None
    signed_by: tuple[str, ...]


def read_writing(entries: list[bytes], claim: Claim, config: Configuration) -> Writing:
    """Find the claimed write.

    Raises:
        ProofRefused: CLAIM, ENCODING.
    """
    expect(claim.transaction < len(entries), "CLAIM", f"the block has {len(entries)} transactions")
    envelope = read_fields(entries[claim.transaction])
    payload = read_fields(one(envelope, 1))
    header = read_fields(one(payload, 1))
    channel, signature = read_fields(one(header, 1)), read_fields(one(header, 2))
    creator = one(signature, 1)
    identifier = hashlib.sha256(one(signature, 2) + creator).hexdigest()
    found = (one_number(channel, 1), one_text(channel, 4), one_text(channel, 5), identifier)
    wanted = (_ENDORSER_TRANSACTION, config.channel, claim.transaction_id, claim.transaction_id)
    expect(found == wanted, "CLAIM", f"transaction {claim.transaction} of the block is another one")
    action = read_fields(one(read_fields(one(read_fields(one(payload, 2)), 1)), 2))
    endorsed = read_fields(one(action, 2))
    response = one(endorsed, 1)
    signatures = [(creator, one(envelope, 1), one(envelope, 2))]
    for endorsement in map(read_fields, many(endorsed, 2)):
        endorser = one(endorsement, 1)
        signatures.append((endorser, response + endorser, one(endorsement, 2)))
    signed_by = {_holder(config, *entry) for entry in signatures} - {""}
    results = one(read_fields(one(read_fields(response), 2)), 1)
    return Writing(_written(results, claim), tuple(sorted(signed_by)))


def _holder(config: Configuration, identity: bytes, signed: bytes, signature: bytes) -> str:
    try:
        return config.signer(identity, signed, signature).msp_id
    except ProofRefused:
        return ""


def _written(results: bytes, claim: Claim) -> bytes | None:
    for space in map(read_fields, many(read_fields(results), 2)):
        if one_text(space, 1) != claim.namespace:
            continue
        for write in map(read_fields, many(read_fields(one(space, 2)), 3)):
            if one_text(write, 1) == claim.key:
                return None if one_number(write, 2) else one(write, 3)
    raise ProofRefused("CLAIM", f"the transaction does not write {claim.key!r} of {claim.namespace}")
