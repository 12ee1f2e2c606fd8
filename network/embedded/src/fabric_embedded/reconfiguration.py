"""Changing the configuration of a running network, as administrators do with Fabric's command line.

Source: fabric-behaviour §6.1, §8, §11.4.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2, ab_pb2_grpc
from google.protobuf.timestamp_pb2 import Timestamp

from fabric_embedded.paths import NetworkPaths
from fabric_operator.errors import NetworkError
from fabric_protocol.blocks import is_config_block, last_config_index
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_signing import ConfigSigner, sign_update, update_envelope
from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import serialize_identity
from fabric_protocol.signatures import key_signer
from fabric_protocol.topology import Topology

_NEWEST = ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())
_LARGEST_NUMBER = 2**63 - 1
_SECONDS = 30.0


def change_configuration(directory: Path, organizations: Sequence[str], change: Callable[[Any], Any]) -> int:
    """Change the channel's configuration, and wait until the change is in force.

    Parameters:
        directory: of a network that is up.
        organizations: names of those whose administrators sign; the first one sends the update.
        change: makes the wanted tree (ConfigGroup) of the one in force, see `fabric_protocol.config_editing`.

    Returns:
        Number of the block that brought the configuration.

    Raises:
        NetworkError: CONFIG_CHANGE_REFUSED, with the ordering node's words; ORDERER_UNREACHABLE; or why the
            change cannot be made, e.g. CONFIG_UNCHANGED.
    """
    paths = NetworkPaths(directory)
    try:
        topology = Topology.from_json(paths.topology.read_bytes())
        signers = [_administrator(paths, topology, name) for name in organizations]
        with _ordering_node(directory) as stub:
            return _Administration(stub, topology.channel, signers).change(change)
    except ProtocolError as error:
        raise NetworkError(error.code, error.message) from error
    except grpc.RpcError as error:
        raise NetworkError(
            "ORDERER_UNREACHABLE", f"the ordering node of {directory} gave no answer: {error.details()}"
        ) from error


class _Administration:
    """Administrators with a connection to the ordering node."""

    def __init__(self, stub: Any, channel_id: str, signers: Sequence[ConfigSigner]) -> None:
        self._stub = stub
        self._channel_id = channel_id
        self._signers = signers

    def change(self, change: Callable[[Any], Any]) -> int:
        newest = next(self._blocks(_NEWEST, _NEWEST))
        index = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=last_config_index(newest)))
        current = ChannelConfig.from_block(next(self._blocks(index, index)))
        update = compute_update(self._channel_id, current.group, change(current.group)).SerializeToString()
        signatures = [sign_update(update, signer) for signer in self._signers]
        envelope = update_envelope(self._channel_id, update, signatures, self._signers[0])
        (answer,) = self._stub.Broadcast(iter([envelope]), timeout=_SECONDS)
        if answer.status != common_pb2.SUCCESS:
            raise NetworkError(
                "CONFIG_CHANGE_REFUSED", f"the ordering node refused the change: {answer.info}"
            )
        return self._next_configuration(newest.header.number + 1)

    def _next_configuration(self, start: int) -> int:
        following = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=start))
        for_ever = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=_LARGEST_NUMBER))
        return next(
            int(block.header.number) for block in self._blocks(following, for_ever) if is_config_block(block)
        )

    def _blocks(self, start: Any, stop: Any) -> Iterator[Any]:
        signer = self._signers[0]
        timestamp = Timestamp()
        timestamp.GetCurrentTime()
        header = common_pb2.ChannelHeader(
            type=common_pb2.DELIVER_SEEK_INFO, channel_id=self._channel_id, timestamp=timestamp
        )
        payload = common_pb2.Payload(
            header=common_pb2.Header(
                channel_header=header.SerializeToString(), signature_header=signer.signature_header()
            ),
            data=ab_pb2.SeekInfo(start=start, stop=stop).SerializeToString(),
        ).SerializeToString()
        envelope = common_pb2.Envelope(payload=payload, signature=signer.signer(sha256(payload).digest()))
        for answer in self._stub.Deliver(iter([envelope]), timeout=_SECONDS):
            if answer.WhichOneof("Type") == "status":
                status = common_pb2.Status.Name(answer.status)
                raise NetworkError("ORDERER_UNREACHABLE", f"the ordering node gave no blocks: {status}")
            yield answer.block


def _administrator(paths: NetworkPaths, topology: Topology, name: str) -> ConfigSigner:
    pair = paths.organization(name).admin
    key = load_pem_private_key(pair.key.read_bytes(), None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise NetworkError("CONFIG_CHANGE_REFUSED", f"expected an ECDSA key in {pair.key}")
    identity = serialize_identity(topology.organization(name).msp_id, pair.certificate.read_bytes())
    return ConfigSigner(identity, key_signer(key))


@contextmanager
def _ordering_node(directory: Path) -> Iterator[Any]:
    profile = json.loads((directory / "network.json").read_bytes())["orderers"][0]
    credentials = grpc.ssl_channel_credentials((directory / profile["tls_roots"]).read_bytes())
    options = [
        ("grpc.ssl_target_name_override", profile["server_name"]),
        ("grpc.max_receive_message_length", -1),
    ]
    with grpc.secure_channel(profile["endpoint"], credentials, options) as channel:
        yield ab_pb2_grpc.AtomicBroadcastStub(channel)
