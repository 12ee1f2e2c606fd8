"""The signatures of a block's transactions, checked apart from everything else, so that other processes can.

What is found holds of the bytes alone. Whether a signer counts, only an MSP and a policy say.
"""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256

from fabric_protos.common import common_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import Identity, parse_identity
from fabric_protocol.policies import SignedData
from fabric_protocol.signatures import verify
from fabric_protocol.transaction_stages import ENDORSER_TRANSACTION, SignedHeader, read_action, read_header
from fabric_protocol.transactions import signed_endorsements
from fabric_protocol.verified_signatures import signature_name

_LARGEST_CACHED = 16_384
_CACHED = 1_024


def held_signatures(data: bytes) -> tuple[bytes, ...]:
    """Check creators' and endorsers' signatures of a block's transactions.

    Parameters:
        data: M(Block), from anybody; what cannot be read is passed over, for others to name it.

    Returns:
        What `VerifiedSignatures.note` takes, for each signature that holds.
    """
    try:
        block = common_pb2.Block.FromString(data)
    except DecodeError:
        return ()
    found = (_held(item) for envelope in block.data.data for item in _signed(envelope))
    return tuple(name for name in found if name is not None)


def _signed(envelope: bytes) -> Iterator[SignedData]:
    try:
        header = read_header(envelope)
        yield SignedData(header.payload, header.creator, header.signature)
        yield from _endorsed(header)
    except ProtocolError:
        return


def _endorsed(header: SignedHeader) -> tuple[SignedData, ...]:
    if header.type != ENDORSER_TRANSACTION:
        return ()
    action = read_action(header)
    return signed_endorsements(action.response_payload, action.endorsements)


def _held(item: SignedData) -> bytes | None:
    try:
        identity = _identity(item.identity)
        digest = item.digest or sha256(item.data).digest()
        verify(identity.public_key, item.signature, item.data, digest)
    except ProtocolError:
        return None
    return signature_name(identity, item.signature, digest)


def _identity(serialized: bytes) -> Identity:
    return _cached(serialized) if len(serialized) <= _LARGEST_CACHED else parse_identity(serialized)


_cached = lru_cache(maxsize=_CACHED)(parse_identity)
