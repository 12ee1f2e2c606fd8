"""Messages that somebody hostile would send: valid ones, changed at any depth and signed again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.peer import proposal_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from support.embedded import User

from fabric_protocol.proposals import Proposal, new_proposal, transaction_id

Mutate = Callable[[bytes], bytes]
CHANNEL = "testing"
_LENGTH_DELIMITED = 2
_DEEPER = 0.85
_NASTY = (b"\xff\xfe\x80", b"\x00", b"\x0b" * 300, b"\xff" * 10, b"\x0a\xff\xff\xff\xff\x0f", b"")


def mutated(data: bytes, randomness: random.Random) -> bytes:
    """A message with something changed at some depth; lengths around it stay right."""
    fields = list(_fields(data))
    inner = [number for number, (_, value) in enumerate(fields) if value is not None]
    if not inner or randomness.random() > _DEEPER:
        return _damaged(data, randomness)
    chosen = randomness.choice(inner)
    whole = bytearray()
    for number, (head, value) in enumerate(fields):
        whole += head
        if value is not None:
            value = mutated(value, randomness) if number == chosen else value
            whole += _varint(len(value)) + value
    return bytes(whole)


def _damaged(data: bytes, randomness: random.Random) -> bytes:
    place = randomness.randint(0, len(data))
    rest = data[place:]
    return randomness.choice(
        [
            data[:place],
            data[:place] + randomness.randbytes(randomness.randint(1, 40)) + rest,
            data[:place] + bytes([randomness.randrange(256)]) + rest[1:],
            data[:place] + rest[randomness.randint(0, len(rest)) :],
            data + data,
            randomness.choice(_NASTY),
            randomness.randbytes(len(data)),
        ]
    )


def _fields(data: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    """Fields as (all bytes before a length, content); for other kinds, or what is no message, one rest."""
    place = 0
    while place < len(data):
        tag, after = _read_varint(data, place)
        length, start = _read_varint(data, after) if tag & 7 == _LENGTH_DELIMITED and tag > 7 else (-1, after)
        if length < 0 or start + length > len(data):
            yield data[place:], None
            return
        yield data[place:after], data[start : start + length]
        place = start + length


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    for position in range(place, min(len(data), place + 10)):
        value |= (data[position] & 0x7F) << shift
        shift += 7
        if data[position] < 0x80:
            return value, position + 1
    return 0, len(data)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


class Requests:
    """Requests of one user, each changed before it is signed."""

    def __init__(self, user: User, envelope: bytes, secret: str) -> None:
        self._user = user
        self._envelope = common_pb2.Envelope.FromString(envelope)
        self._secret = secret

    def of(self, user: User) -> Requests:
        """The same requests by another user."""
        return Requests(user, bytes(self._envelope.SerializeToString()), self._secret)

    def proposal(self, channel: str = CHANNEL) -> Proposal:
        """A proposal that carries the secret."""
        return new_proposal(
            channel_id=channel,
            chaincode="basic",
            arguments=[b"basic:put", b"key", self._secret.encode()],
            creator=self._user.identity,
            transient={"value": self._secret.encode()},
        )

    def signed(self, data: bytes) -> proposal_pb2.SignedProposal:
        """A proposal's bytes with the user's signature."""
        return proposal_pb2.SignedProposal(proposal_bytes=data, signature=self._sign(data))

    def envelope(self, payload: bytes) -> common_pb2.Envelope:
        """A payload with the user's signature."""
        return common_pb2.Envelope(payload=payload, signature=self._sign(payload))

    def _sign(self, data: bytes) -> bytes:
        return self._user.sign_digest(sha256(data).digest())

    def evaluate(self, mutate: Mutate) -> bytes:
        """Gateway.Evaluate."""
        asked = self.proposal()
        return bytes(
            gateway_pb2.EvaluateRequest(
                transaction_id=asked.transaction_id,
                channel_id=CHANNEL,
                proposed_transaction=self.signed(mutate(asked.data)),
            ).SerializeToString()
        )

    def endorse(self, mutate: Mutate) -> bytes:
        """Gateway.Endorse."""
        asked = self.proposal()
        return bytes(
            gateway_pb2.EndorseRequest(
                transaction_id=asked.transaction_id,
                channel_id=CHANNEL,
                proposed_transaction=self.signed(mutate(asked.data)),
                endorsing_organizations=["AlphaMSP", "BetaMSP"],
            ).SerializeToString()
        )

    def process(self, mutate: Mutate) -> bytes:
        """Endorser.ProcessProposal."""
        return bytes(self.signed(mutate(self.proposal().data)).SerializeToString())

    def broadcast(self, mutate: Mutate) -> bytes:
        """AtomicBroadcast.Broadcast."""
        return bytes(self.envelope(mutate(self._envelope.payload)).SerializeToString())

    def submit(self, mutate: Mutate) -> bytes:
        """Gateway.Submit."""
        envelope = self.envelope(mutate(self._envelope.payload))
        return bytes(
            gateway_pb2.SubmitRequest(
                transaction_id="0" * 64, channel_id=CHANNEL, prepared_transaction=envelope
            ).SerializeToString()
        )

    def commit_status(self, mutate: Mutate) -> bytes:
        """Gateway.CommitStatus."""
        request = gateway_pb2.CommitStatusRequest(
            transaction_id="0" * 64, channel_id=CHANNEL, identity=self._user.identity
        )
        data = mutate(request.SerializeToString())
        signed = gateway_pb2.SignedCommitStatusRequest(request=data, signature=self._sign(data))
        return bytes(signed.SerializeToString())

    def events(self, mutate: Mutate) -> bytes:
        """Gateway.ChaincodeEvents."""
        request = gateway_pb2.ChaincodeEventsRequest(
            channel_id=CHANNEL, chaincode_id="basic", identity=self._user.identity
        )
        data = mutate(request.SerializeToString())
        signed = gateway_pb2.SignedChaincodeEventsRequest(request=data, signature=self._sign(data))
        return bytes(signed.SerializeToString())

    def seek(self, mutate: Mutate) -> bytes:
        """Deliver, of peers and orderers: the newest block."""
        newest = ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())
        seek = ab_pb2.SeekInfo(start=newest, stop=newest, behavior=ab_pb2.SeekInfo.FAIL_IF_NOT_READY)
        return self._deliver(seek, mutate)

    def follow(self) -> bytes:
        """Deliver: every block, and those to come."""
        last = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=2**64 - 1))
        first = ab_pb2.SeekPosition(oldest=ab_pb2.SeekOldest())
        return self._deliver(ab_pb2.SeekInfo(start=first, stop=last), bytes)

    def _deliver(self, seek: ab_pb2.SeekInfo, mutate: Mutate) -> bytes:
        nonce, timestamp = random.randbytes(24), Timestamp()
        timestamp.GetCurrentTime()
        channel = common_pb2.ChannelHeader(
            type=common_pb2.DELIVER_SEEK_INFO,
            channel_id=CHANNEL,
            tx_id=transaction_id(nonce, self._user.identity),
            timestamp=timestamp,
        )
        signature = common_pb2.SignatureHeader(creator=self._user.identity, nonce=nonce)
        header = common_pb2.Header(
            channel_header=channel.SerializeToString(), signature_header=signature.SerializeToString()
        )
        payload = common_pb2.Payload(header=header, data=seek.SerializeToString()).SerializeToString()
        return bytes(self.envelope(mutate(payload)).SerializeToString())


@dataclass(frozen=True)
class Target:
    """One method, and how a request of it is made through a mutation."""

    method: str
    request: Callable[[Requests, Mutate], bytes]


TARGETS = (
    Target("/gateway.Gateway/Evaluate", Requests.evaluate),
    Target("/gateway.Gateway/Endorse", Requests.endorse),
    Target("/gateway.Gateway/Submit", Requests.submit),
    Target("/gateway.Gateway/CommitStatus", Requests.commit_status),
    Target("/gateway.Gateway/ChaincodeEvents", Requests.events),
    Target("/protos.Endorser/ProcessProposal", Requests.process),
    Target("/protos.Deliver/Deliver", Requests.seek),
    Target("/protos.Deliver/DeliverFiltered", Requests.seek),
    Target("/protos.Deliver/DeliverWithPrivateData", Requests.seek),
    Target("/orderer.AtomicBroadcast/Broadcast", Requests.broadcast),
    Target("/orderer.AtomicBroadcast/Deliver", Requests.seek),
)
"""Every method of a peer's and of the orderer's services."""
