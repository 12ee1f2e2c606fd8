"""A change of the configuration that one ordering node does not bring into force is given to the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.orderer import ab_pb2

from fabric_operator import reconfiguration
from fabric_operator.errors import NetworkError
from fabric_operator.reconfiguration import OrderingNode, submit_update
from fabric_protocol.config_signing import ConfigSigner

NODES = [OrderingNode(f"orderer-{name}:7050", b"roots", "orderer") for name in ("a", "b", "c")]
SENDER = ConfigSigner(b"identity", lambda digest: b"signature")
UPDATE = configtx_pb2.ConfigUpdate(channel_id="channel").SerializeToString()


class Silence(grpc.RpcError):
    """What a stream that brings nothing ends with."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.DEADLINE_EXCEEDED

    def details(self) -> str:
        return "Deadline Exceeded"


class Orderers:
    """Ordering nodes whose channel changes once the right one of them was given the change.

    `leader`: which; None: nobody orders. `answer`: what each says to the change.
    """

    def __init__(self, leader: str | None, answer: int = common_pb2.SUCCESS) -> None:
        self.leader = leader
        self.answer = answer
        self.given: list[str] = []
        self.now = 0.0

    def connected(self, node: OrderingNode) -> Any:
        def broadcast(envelopes: Iterator[Any], timeout: float) -> Iterator[Any]:
            assert next(envelopes).payload
            self.given.append(node.endpoint)
            yield ab_pb2.BroadcastResponse(status=self.answer, info="because")  # type: ignore[arg-type]

        return nullcontext(SimpleNamespace(Broadcast=broadcast, Deliver=self._deliver))

    def _deliver(self, envelopes: Iterator[Any], timeout: float) -> Iterator[Any]:
        seek = ab_pb2.SeekInfo.FromString(common_pb2.Payload.FromString(next(envelopes).payload).data)
        if seek.start.WhichOneof("Type") == "newest":
            yield ab_pb2.DeliverResponse(block=configuration_block(6))
        elif self.leader in self.given:
            yield ab_pb2.DeliverResponse(block=configuration_block(7))
        else:
            self.now += timeout
            raise Silence


def configuration_block(number: int) -> Any:
    header = common_pb2.ChannelHeader(type=common_pb2.CONFIG, channel_id="channel")
    payload = common_pb2.Payload(header=common_pb2.Header(channel_header=header.SerializeToString()))
    envelope = common_pb2.Envelope(payload=payload.SerializeToString())
    return common_pb2.Block(
        header=common_pb2.BlockHeader(number=number),
        data=common_pb2.BlockData(data=[envelope.SerializeToString()]),
    )


@pytest.fixture
def submitted(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sends a change to nodes; the number of its block."""

    def submit(orderers: Orderers) -> int:
        def sleep(seconds: float) -> None:
            orderers.now += seconds

        clock = SimpleNamespace(monotonic=lambda: orderers.now, sleep=sleep)
        monkeypatch.setattr(reconfiguration, "time", clock)
        monkeypatch.setattr(reconfiguration, "_connected", orderers.connected)
        return submit_update(NODES, "channel", UPDATE, [], SENDER)

    return submit


def test_a_change_that_comes_at_once_is_given_to_one_node(submitted) -> None:
    orderers = Orderers("orderer-a:7050")
    assert submitted(orderers) == 7
    assert orderers.given == ["orderer-a:7050"]


def test_the_next_nodes_are_given_a_change_that_does_not_come(submitted) -> None:
    orderers = Orderers("orderer-c:7050")
    assert submitted(orderers) == 7
    assert orderers.given == ["orderer-a:7050", "orderer-b:7050", "orderer-c:7050"]


def test_a_change_that_never_comes_is_an_outcome_that_nobody_knows(submitted) -> None:
    orderers = Orderers(None)
    with pytest.raises(NetworkError, match="look whether it has come into force") as caught:
        submitted(orderers)
    assert caught.value.code == "CONFIG_CHANGE_UNSEEN"
    assert len(orderers.given) == len(NODES)


def test_a_refusal_is_the_first_nodes(submitted) -> None:
    orderers = Orderers("orderer-a:7050", common_pb2.BAD_REQUEST)
    with pytest.raises(NetworkError, match="because") as caught:
        submitted(orderers)
    assert caught.value.code == "CONFIG_CHANGE_REFUSED"
    assert orderers.given == ["orderer-a:7050"]
