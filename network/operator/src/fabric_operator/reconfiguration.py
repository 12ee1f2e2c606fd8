"""Changing the configuration of a running network, as administrators do with Fabric's command line.

Source: fabric-behaviour §6.1, §8, §11.4.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2, ab_pb2_grpc
from google.protobuf.timestamp_pb2 import Timestamp

from fabric_operator.errors import NetworkError
from fabric_protocol.blocks import is_config_block, last_config_index
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_signing import ConfigSigner, sign_update, update_envelope
from fabric_protocol.errors import ProtocolError

_NEWEST = ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())
_LARGEST_NUMBER = 2**63 - 1
_SECONDS = 30.0
# Ordering nodes that agree on who they are anew may need a change of their leader for it.
_CHANGE_SECONDS = 120.0
# After so long without the change, another ordering node is given it, too.
_HANDED_ON_SECONDS = 10.0
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class OrderingNode:
    """How an ordering node is reached: "host:port", TLS roots (PEM), the name in its certificate."""

    endpoint: str
    roots: bytes
    server_name: str


def read_ordering_nodes(directory: Path) -> list[OrderingNode]:
    """The ordering nodes that a network's `network.json` names."""
    return [
        OrderingNode(item["endpoint"], (directory / item["tls_roots"]).read_bytes(), item["server_name"])
        for item in json.loads((directory / "network.json").read_bytes())["orderers"]
    ]


def change_configuration(
    nodes: Sequence[OrderingNode],
    channel_id: str,
    signers: Sequence[ConfigSigner],
    change: Callable[[Any], Any],
) -> int:
    """Change a channel's configuration, and wait until the change is in force.

    Parameters:
        nodes: asked in turn until one answers; it must be up, and so must a quorum of all.
        channel_id: of the channel.
        signers: administrators who sign; the first one sends the update.
        change: makes the wanted tree (ConfigGroup) of the one in force, see `fabric_protocol.config_editing`.

    Returns:
        Number of the block that brought the configuration.

    Raises:
        NetworkError: CONFIG_CHANGE_REFUSED, with the ordering node's words; ORDERER_UNREACHABLE;
            CONFIG_CHANGE_UNSEEN, it was sent and is not in force yet; or why the change cannot be made, e.g.
            CONFIG_UNCHANGED.
    """
    number: int = _first_answer(nodes, channel_id, signers, lambda admins: admins.change(change))
    return number


def propose_change(
    nodes: Sequence[OrderingNode], channel_id: str, reader: ConfigSigner, change: Callable[[Any], Any]
) -> bytes:
    """M(ConfigUpdate) that makes a change to the configuration in force; raises as `change_configuration`.

    Parameters:
        nodes: asked in turn until one answers.
        channel_id: of the channel.
        reader: who may read the channel's blocks.
        change: as for `change_configuration`.
    """
    update: bytes = _first_answer(nodes, channel_id, [reader], lambda admins: admins.update(change)[1])
    return update


def submit_update(
    nodes: Sequence[OrderingNode],
    channel_id: str,
    update: bytes,
    signatures: Sequence[Any],
    sender: ConfigSigner,
) -> int:
    """Send an update that others have signed; returns and raises as `change_configuration`.

    Parameters:
        nodes: asked in turn until one answers.
        channel_id: of the channel.
        update: M(ConfigUpdate).
        signatures: ConfigSignature of each who consents.
        sender: who sends it; may write to the channel.
    """
    number: int = _first_answer(
        nodes, channel_id, [sender], lambda admins: admins.send(admins.newest_block(), update, signatures)
    )
    return number


def read_configuration(
    nodes: Sequence[OrderingNode], channel_id: str, signer: ConfigSigner, *, must_order: bool = False
) -> common_pb2.Block:
    """The newest configuration block of a channel; raises as `change_configuration`.

    With `must_order` a node that does not take part in consensus, as without a Raft leader, does not count.
    """
    return _first_answer(nodes, channel_id, [signer], lambda admins: admins.newest(must_order))


def _first_answer(
    nodes: Sequence[OrderingNode],
    channel_id: str,
    signers: Sequence[ConfigSigner],
    ask: Callable[[_Administration], Any],
) -> Any:
    reasons = []
    for node in nodes:
        try:
            with _connected(node) as stub:
                others = [other for other in nodes if other != node]
                return ask(_Administration(stub, channel_id, signers, others))
        except ProtocolError as error:
            raise NetworkError(error.code, error.message) from error
        except grpc.RpcError as error:
            reasons.append(f"{node.endpoint}: {error.details()}")
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                break
    raise NetworkError("ORDERER_UNREACHABLE", f"no ordering node gave an answer: {'; '.join(reasons)}")


class _Administration:
    """Administrators with a connection to an ordering node, and others that they know of."""

    def __init__(
        self,
        stub: Any,
        channel_id: str,
        signers: Sequence[ConfigSigner],
        others: Sequence[OrderingNode],
    ) -> None:
        self._stub = stub
        self._channel_id = channel_id
        self._signers = signers
        self._others = others

    def newest(self, must_order: bool) -> Any:
        return self._configuration_of(self.newest_block(must_order))

    def newest_block(self, must_order: bool = False) -> Any:
        return next(self._blocks(_NEWEST, _NEWEST, must_order))

    def change(self, change: Callable[[Any], Any]) -> int:
        newest, update = self.update(change)
        return self.send(newest, update, [sign_update(update, signer) for signer in self._signers])

    def update(self, change: Callable[[Any], Any]) -> tuple[Any, bytes]:
        newest = self.newest_block()
        current = ChannelConfig.from_block(self._configuration_of(newest))
        update = compute_update(self._channel_id, current.group, change(current.group))
        return newest, update.SerializeToString()

    def send(self, newest: Any, update: bytes, signatures: Sequence[Any]) -> int:
        envelope = update_envelope(self._channel_id, update, signatures, self._signers[0])
        answer = _broadcast(self._stub, envelope)
        if answer.status != common_pb2.SUCCESS:
            raise NetworkError(
                "CONFIG_CHANGE_REFUSED", f"the ordering node refused the change: {answer.info}"
            )
        return self._in_force(newest.header.number + 1, envelope)

    def _in_force(self, start: int, envelope: Any) -> int:
        """Wait for the next configuration; the other ordering nodes are given the change meanwhile.

        A node that does not lead hands it on to the one that does and to nobody else: where their connection
        has just broken, nobody orders it. Given twice, it is in force once: it fits one configuration only.
        """
        end = time.monotonic() + _CHANGE_SECONDS
        others = iter(self._others)
        while True:
            try:
                return self._next_configuration(start)
            except grpc.RpcError as error:
                if time.monotonic() > end:
                    raise NetworkError(
                        "CONFIG_CHANGE_UNSEEN",
                        f"the change was sent and is not in force after {_CHANGE_SECONDS:g} s; look whether "
                        "it has come into force before you send it again",
                    ) from error
            if (node := next(others, None)) is not None:
                with suppress(grpc.RpcError), _connected(node) as stub:
                    _broadcast(stub, envelope)
            time.sleep(_PAUSE_SECONDS)

    def _configuration_of(self, newest: Any) -> Any:
        index = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=last_config_index(newest)))
        return next(self._blocks(index, index))

    def _next_configuration(self, start: int) -> int:
        following = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=start))
        for_ever = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=_LARGEST_NUMBER))
        return next(
            int(block.header.number)
            for block in self._blocks(following, for_ever, seconds=_HANDED_ON_SECONDS)
            if is_config_block(block)
        )

    def _blocks(
        self, start: Any, stop: Any, must_order: bool = False, seconds: float = _SECONDS
    ) -> Iterator[Any]:
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
            data=ab_pb2.SeekInfo(
                start=start,
                stop=stop,
                # A change of Raft's nodes may leave them without a leader until one of them is restarted.
                error_response=ab_pb2.SeekInfo.STRICT if must_order else ab_pb2.SeekInfo.BEST_EFFORT,
            ).SerializeToString(),
        ).SerializeToString()
        envelope = common_pb2.Envelope(payload=payload, signature=signer.signer(sha256(payload).digest()))
        for answer in self._stub.Deliver(iter([envelope]), timeout=seconds):
            if answer.WhichOneof("Type") == "status":
                status = common_pb2.Status.Name(answer.status)
                raise NetworkError("ORDERER_UNREACHABLE", f"the ordering node gave no blocks: {status}")
            yield answer.block


def _broadcast(stub: Any, envelope: Any) -> Any:
    (answer,) = stub.Broadcast(iter([envelope]), timeout=_SECONDS)
    return answer


@contextmanager
def _connected(node: OrderingNode) -> Iterator[Any]:
    options = [
        ("grpc.ssl_target_name_override", node.server_name),
        ("grpc.max_receive_message_length", -1),
        ("grpc.enable_http_proxy", 0),
    ]
    credentials = grpc.ssl_channel_credentials(node.roots)
    with grpc.secure_channel(node.endpoint, credentials, options) as channel:
        yield ab_pb2_grpc.AtomicBroadcastStub(channel)
