"""What Fabric's peers tell of themselves by gossip, signed: discovery hands these messages on.

The embedded engine has no gossip; each of its peers signs the same statements with its own key.
Source: `gossip/discovery/discovery_impl.go`, `gossip/gossip/channel/channel.go`, `internal/pkg/peer/gossip`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fabric_protos.gossip import message_pb2
from fabric_protos.msp import identities_pb2

if TYPE_CHECKING:
    from fabric_protocol.identities import Identity
    from fabric_protocol.signatures import Signer


@dataclass(frozen=True)
class AdvertisedPeer:
    """A peer with what its statements need.

    Parameters:
        identity: of the peer.
        signer: its key.
        endpoint: host:port at which it is reached.
        started: nanoseconds since 1970 at which it began to serve.
    """

    identity: Identity
    signer: Signer
    endpoint: str
    started: int

    @property
    def pki_id(self) -> bytes:
        """Gossip's name of the peer (`mcs.go · GetPKIidOfCert`)."""
        content = self.identity.msp_id.encode() + _certificate(self.identity)
        return hashlib.sha256(content).digest()

    def alive(self, sequence: int, *, to_itself: bool) -> Any:
        """`Envelope` of an `AliveMessage`: the peer exists, at this endpoint.

        Parameters:
            sequence: greater than of all statements before.
            to_itself: whether the peer tells it of itself; its own view has no signature of its own.
        """
        message = message_pb2.GossipMessage(tag=message_pb2.GossipMessage.EMPTY)
        message.alive_msg.membership.endpoint = self.endpoint
        message.alive_msg.membership.pki_id = self.pki_id
        message.alive_msg.timestamp.inc_num = self.started
        message.alive_msg.timestamp.seq_num = sequence
        if to_itself:
            return message_pb2.Envelope(payload=message.SerializeToString())
        return self._signed(message)

    def state(self, channel_id: str, height: int, chaincodes: Mapping[str, str], sequence: int) -> Any:
        """`Envelope` of a `StateInfo`: how far the peer is on a channel, and what it can endorse.

        Parameters:
            channel_id: of the channel.
            height: of its ledger.
            chaincodes: names with versions.
            sequence: greater than of all statements before.
        """
        message = message_pb2.GossipMessage(tag=message_pb2.GossipMessage.CHAN_OR_ORG)
        info = message.state_info
        info.pki_id = self.pki_id
        info.channel_MAC = hashlib.sha256(self.pki_id + channel_id.encode()).digest()
        info.timestamp.inc_num, info.timestamp.seq_num = self.started, sequence
        info.properties.ledger_height = height
        for name, version in sorted(chaincodes.items()):
            info.properties.chaincodes.add(name=name, version=version)
        return self._signed(message)

    def _signed(self, message: Any) -> Any:
        payload = message.SerializeToString()
        signature = self.signer(hashlib.sha256(payload).digest())
        return message_pb2.Envelope(payload=payload, signature=signature)


def _certificate(identity: Identity) -> bytes:
    content: bytes = identities_pb2.SerializedIdentity.FromString(identity.serialized).id_bytes
    return content
