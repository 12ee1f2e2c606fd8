"""A peer, as its organization's administrator speaks to it: proposals, transactions, discovery.

Source: fabric-behaviour §3, §9 (`peer/peer.proto`, `gateway/gateway.proto`, `discovery/protocol.proto`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import grpc
from fabric_protos.common import common_pb2, ledger_pb2
from fabric_protos.discovery import protocol_pb2, protocol_pb2_grpc
from fabric_protos.gateway import gateway_pb2, gateway_pb2_grpc
from fabric_protos.gossip import message_pb2
from fabric_protos.peer import peer_pb2_grpc, proposal_pb2, query_pb2, snapshot_pb2, snapshot_pb2_grpc

from fabric_native.errors import AdministrationError
from fabric_protocol.config_signing import ConfigSigner
from fabric_protocol.endorsements import assemble_transaction, signed_envelope
from fabric_protocol.network_profile import SERVER_NAME
from fabric_protocol.proposals import Proposal, new_proposal
from fabric_protocol.validation_codes import ValidationCode, code_name

_SECONDS = 60.0
_OPTIONS = (
    ("grpc.ssl_target_name_override", SERVER_NAME),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
)


@dataclass(frozen=True)
class Endorsed:
    """What a peer answered to a proposal."""

    response: Any
    proposal: Proposal


class PeerClient:
    """A connection to one peer; a context manager that closes it.

    Parameters:
        name: of the peer, for messages.
        address: "host:port".
        roots: TLS roots of its organization (PEM).
        administrator: who asks.
    """

    def __init__(self, name: str, address: str, roots: bytes, administrator: ConfigSigner) -> None:
        self.name = name
        self._administrator = administrator
        self._channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(roots), options=_OPTIONS)
        self._endorser = peer_pb2_grpc.EndorserStub(self._channel)
        self._gateway = gateway_pb2_grpc.GatewayStub(self._channel)
        self._discovery = protocol_pb2_grpc.DiscoveryStub(self._channel)

    @property
    def identity(self) -> bytes:
        """The administrator's serialized identity."""
        return self._administrator.identity

    def __enter__(self) -> PeerClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self._channel.close()

    def propose(
        self,
        channel: str,
        chaincode: str,
        arguments: Sequence[bytes],
        *,
        timestamp: datetime | None = None,
    ) -> Endorsed:
        """Have a proposal simulated; the answer may be a chaincode's refusal.

        Raises:
            AdministrationError: PEER_REFUSED, PEER_UNREACHABLE.
        """
        proposal = new_proposal(
            channel_id=channel,
            chaincode=chaincode,
            arguments=arguments,
            creator=self._administrator.identity,
            timestamp=timestamp,
        )
        return Endorsed(self.endorse(self.signed(proposal)), proposal)

    def signed(self, proposal: Proposal) -> Any:
        """SignedProposal, by the administrator."""
        signature = self._sign(proposal.data)
        return proposal_pb2.SignedProposal(proposal_bytes=proposal.data, signature=signature)

    def endorse(self, signed: Any) -> Any:
        """ProposalResponse to a signed proposal; raises as `propose`."""
        try:
            return self._endorser.ProcessProposal(signed, timeout=_SECONDS, wait_for_ready=True)
        except grpc.RpcError as error:
            raise self._failure(error) from error

    def ask(self, channel: str, chaincode: str, arguments: Sequence[bytes]) -> bytes:
        """What a system chaincode answers.

        Raises:
            AdministrationError: PEER_REFUSED, PEER_UNREACHABLE.
        """
        response = self.propose(channel, chaincode, arguments).response.response
        if response.status != 200:
            raise AdministrationError("PEER_REFUSED", f"{self.name} refused {chaincode}: {response.message}")
        return bytes(response.payload)

    def channels(self) -> set[str]:
        """The channels that the peer has joined; raises as `ask`."""
        answer = self.ask("", "cscc", [b"GetChannels"])
        return {item.channel_id for item in query_pb2.ChannelQueryResponse.FromString(answer).channels}

    def join(self, block: bytes) -> None:
        """Have the peer join a channel by its first block; raises as `ask`."""
        self.ask("", "cscc", [b"JoinChain", block])

    def height(self, channel: str) -> int:
        """How many blocks the peer has; raises as `ask`."""
        info = self.ask(channel, "qscc", [b"GetChainInfo", channel.encode()])
        return int(ledger_pb2.BlockchainInfo.FromString(info).height)

    def request_snapshot(self, channel: str) -> None:
        """Have the peer write a snapshot of its ledger as of its newest block; it does so by and by.

        Raises:
            AdministrationError: PEER_REFUSED, PEER_UNREACHABLE.
        """
        header = self._administrator.signature_header()
        request = snapshot_pb2.SnapshotRequest(
            signature_header=common_pb2.SignatureHeader.FromString(header), channel_id=channel
        ).SerializeToString()
        signed = snapshot_pb2.SignedSnapshotRequest(request=request, signature=self._sign(request))
        try:
            snapshot_pb2_grpc.SnapshotStub(self._channel).Generate(signed, timeout=_SECONDS)
        except grpc.RpcError as error:
            raise self._failure(error) from error

    def join_by_snapshot(self, directory: str) -> None:
        """Have the peer join a channel by a snapshot on its machine; by and by; raises as `ask`."""
        self.ask("", "cscc", [b"JoinChainBySnapshot", directory.encode()])

    def blocks(self, channel: str) -> Iterator[bytes]:
        """Every block that the peer has now, as it stores them; raises as `ask`."""
        for number in range(self.height(channel)):
            yield self.ask(channel, "qscc", [b"GetBlockByNumber", channel.encode(), str(number).encode()])

    def submit(self, channel: str, proposal: Proposal, responses: Sequence[Any]) -> None:
        """Order a transaction and wait until it is committed.

        Raises:
            AdministrationError: TRANSACTION_REFUSED, with the validation code or the ordering nodes' words.
        """
        content = assemble_transaction(
            proposal.data, responses[0].payload, [item.endorsement for item in responses]
        )
        envelope = signed_envelope(content, self._sign(content))
        request = gateway_pb2.SubmitRequest(
            transaction_id=proposal.transaction_id, channel_id=channel, prepared_transaction=envelope
        )
        try:
            self._gateway.Submit(request, timeout=_SECONDS)
        except grpc.RpcError as error:
            # A gateway may report a failure of what was ordered all the same; only the commit tells.
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise self._failure(error) from error
        code = self._commit_status(channel, proposal.transaction_id)
        if code != ValidationCode.VALID:
            raise AdministrationError("TRANSACTION_REFUSED", f"the transaction is invalid: {code_name(code)}")

    def chaincodes_by_organization(self, channel: str) -> dict[str, list[set[str]]]:
        """For each MSP id the chaincodes that each of its peers offers, as this peer knows by gossip.

        Raises:
            AdministrationError: PEER_REFUSED, PEER_UNREACHABLE.
        """
        query = protocol_pb2.Query(channel=channel, peer_query=protocol_pb2.PeerMembershipQuery())
        authentication = protocol_pb2.AuthInfo(client_identity=self._administrator.identity)
        payload = protocol_pb2.Request(authentication=authentication, queries=[query]).SerializeToString()
        request = protocol_pb2.SignedRequest(payload=payload, signature=self._sign(payload))
        try:
            (result,) = self._discovery.Discover(request, timeout=_SECONDS, wait_for_ready=True).results
        except grpc.RpcError as error:
            raise self._failure(error) from error
        if result.WhichOneof("result") != "members":
            raise AdministrationError(
                "PEER_REFUSED", f"{self.name} refused discovery: {result.error.content}"
            )
        found: Mapping[str, Any] = result.members.peers_by_org
        return {msp_id: [_chaincodes(peer) for peer in peers.peers] for msp_id, peers in found.items()}

    def _commit_status(self, channel: str, transaction_id: str) -> int:
        request = gateway_pb2.CommitStatusRequest(
            transaction_id=transaction_id, channel_id=channel, identity=self._administrator.identity
        ).SerializeToString()
        signed = gateway_pb2.SignedCommitStatusRequest(request=request, signature=self._sign(request))
        try:
            return int(self._gateway.CommitStatus(signed, timeout=_SECONDS).result)
        except grpc.RpcError as error:
            raise self._failure(error) from error

    def _sign(self, message: bytes) -> bytes:
        return self._administrator.signer(sha256(message).digest())

    def _failure(self, error: Any) -> AdministrationError:
        unreachable = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        code = "PEER_UNREACHABLE" if unreachable else "PEER_REFUSED"
        return AdministrationError(code, f"{self.name}: {error.details()}")


def _chaincodes(peer: Any) -> set[str]:
    message = message_pb2.GossipMessage.FromString(peer.state_info.payload)
    return {item.name for item in message.state_info.properties.chaincodes}
