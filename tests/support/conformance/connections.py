"""Fabric's services over plain gRPC stubs: a test of answers must not lean on a client's own judgement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.discovery import protocol_pb2_grpc
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from fabric_protos.orderer import ab_pb2, ab_pb2_grpc
from fabric_protos.peer import events_pb2_grpc, peer_pb2_grpc, proposal_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_status import rpc_status

from consentry.profile import Endpoint, NetworkProfile
from consentry.wallet import WalletIdentity
from fabric_protocol.certificates import key_pem
from fabric_protocol.proposals import Proposal, new_proposal, transaction_id
from fabric_protocol.signatures import sign

SECONDS = 60.0
_LARGEST = 100 << 20


@dataclass(frozen=True)
class Client:
    """Somebody who signs."""

    identity: WalletIdentity

    @property
    def msp_id(self) -> str:
        """His organization."""
        return self.identity.msp_id

    def sign(self, message: bytes) -> bytes:
        """His signature."""
        return sign(self.identity.private_key, message)

    def propose(
        self,
        channel: str,
        chaincode: str,
        arguments: list[bytes],
        *,
        transient: Mapping[str, bytes] | None = None,
        time: datetime | None = None,
        is_init: bool = False,
    ) -> Proposal:
        """A new proposal of his."""
        return new_proposal(
            channel_id=channel,
            chaincode=chaincode,
            arguments=arguments,
            creator=self.identity.serialized,
            transient=transient,
            timestamp=time,
            is_init=is_init,
        )

    def signed(self, proposal: Proposal) -> Any:
        """peer.SignedProposal."""
        return proposal_pb2.SignedProposal(proposal_bytes=proposal.data, signature=self.sign(proposal.data))

    def seek(self, channel: str, seek: Any) -> Any:
        """A signed request for blocks."""
        nonce, timestamp = b"n" * 24, Timestamp()
        timestamp.GetCurrentTime()
        header = common_pb2.ChannelHeader(
            type=common_pb2.DELIVER_SEEK_INFO,
            channel_id=channel,
            tx_id=transaction_id(nonce, self.identity.serialized),
            timestamp=timestamp,
        )
        creator = common_pb2.SignatureHeader(creator=self.identity.serialized, nonce=nonce)
        payload = common_pb2.Payload(
            header=common_pb2.Header(
                channel_header=header.SerializeToString(), signature_header=creator.SerializeToString()
            ),
            data=seek.SerializeToString(),
        ).SerializeToString()
        return common_pb2.Envelope(payload=payload, signature=self.sign(payload))


@dataclass
class Connections:
    """Channels to every peer and orderer of a network."""

    profile: NetworkProfile
    _channels: dict[tuple[str, bytes | None], grpc.Channel] = field(default_factory=dict)

    def endorser(self, msp_id: str) -> Any:
        """An organization's Endorser service."""
        return peer_pb2_grpc.EndorserStub(self.peer(msp_id))

    def gateway(self, msp_id: str) -> Any:
        """An organization's Gateway service."""
        return gateway_pb2_grpc.GatewayStub(self.peer(msp_id))

    def deliver(self, msp_id: str) -> Any:
        """An organization's Deliver service."""
        return events_pb2_grpc.DeliverStub(self.peer(msp_id))

    def orderer(self) -> Any:
        """The first orderer's AtomicBroadcast service."""
        return ab_pb2_grpc.AtomicBroadcastStub(self.ordering())

    def discovery(self, msp_id: str, client: Client) -> Any:
        """An organization's Discovery service, for which a client presents his certificate to TLS too."""
        endpoint = self.profile.organization(msp_id).peers[0]
        return protocol_pb2_grpc.DiscoveryStub(self._channel(endpoint, client))

    def peer(self, msp_id: str) -> grpc.Channel:
        """The channel to an organization's peer."""
        return self._channel(self.profile.organization(msp_id).peers[0])

    def ordering(self) -> grpc.Channel:
        """The channel to the first orderer."""
        return self._channel(self.profile.orderers[0])

    def close(self) -> None:
        """Close them all."""
        for channel in self._channels.values():
            channel.close()

    def _channel(self, endpoint: Endpoint, client: Client | None = None) -> grpc.Channel:
        name = endpoint.endpoint, client and client.identity.serialized
        if name not in self._channels:
            pair = (None, None)
            if client is not None:
                pair = (key_pem(client.identity.private_key), client.identity.certificate_pem)
            self._channels[name] = grpc.secure_channel(
                endpoint.endpoint,
                grpc.ssl_channel_credentials(endpoint.read_tls_roots(), *pair),
                [
                    ("grpc.ssl_target_name_override", endpoint.server_name),
                    ("grpc.max_receive_message_length", _LARGEST),
                ],
            )
        return self._channels[name]


def refusal(error: grpc.RpcError) -> dict[str, Any]:
    """A gRPC status with what each node said."""
    details = []
    status = rpc_status.from_call(error)
    for packed in status.details if status is not None else ():
        detail = gateway_pb2.ErrorDetail()
        if packed.Unpack(detail):
            details.append([detail.msp_id, detail.message])
    return {"code": error.code().name, "message": error.details(), "details": sorted(details)}


def seek_info(start: int | None, stop: int | None) -> Any:
    """SeekInfo; None is the newest block, and a stop of None the newest too."""
    return ab_pb2.SeekInfo(
        start=_position(start), stop=_position(stop), behavior=ab_pb2.SeekInfo.FAIL_IF_NOT_READY
    )


def _position(number: int | None) -> Any:
    if number is None:
        return ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())
    return ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=number))


def blocks(connections: Connections, client: Client, channel: str, start: int, stop: int) -> Iterator[Any]:
    """Blocks from the client's own peer."""
    envelope = client.seek(channel, seek_info(start, stop))
    for answer in connections.deliver(client.msp_id).Deliver(iter([envelope]), timeout=SECONDS):
        if answer.WhichOneof("Type") == "block":
            yield answer.block
