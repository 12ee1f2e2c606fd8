"""An ordering node that lies, in place of the one whose name, address and certificates it has.

It says SUCCESS of every transaction and orders none; it takes the other ordering nodes' messages and answers
none; to whoever asks for blocks it hands honest ones of another node, every other one altered. Each lie is a
line of its output.

PYTHONPATH=tests python -m support.faults.lying_orderer ADDRESS CERTIFICATE KEY HONEST ROOTS
"""

from __future__ import annotations

import hashlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2, ab_pb2_grpc

LIE = "lie: "
"""How a line that tells of a lie begins."""
_BROADCAST, _DELIVER = "/orderer.AtomicBroadcast/Broadcast", "/orderer.AtomicBroadcast/Deliver"
_THREADS = 200
_SEND_ALL = ("grpc.max_receive_message_length", -1)


def another_transaction(block: common_pb2.Block) -> None:
    """The last transaction is another one; hash and signatures stay."""
    block.data.data[-1] = bytes([block.data.data[-1][0] ^ 1]) + block.data.data[-1][1:]


def another_transaction_and_hash(block: common_pb2.Block) -> None:
    """As before, with the hash that fits; signatures stay."""
    another_transaction(block)
    block.header.data_hash = hashlib.sha256(b"".join(block.data.data)).digest()


def no_signatures(block: common_pb2.Block) -> None:
    """Nobody signed it."""
    block.metadata.metadata[common_pb2.SIGNATURES] = b""


def another_chain(block: common_pb2.Block) -> None:
    """It follows another block than the one before it."""
    block.header.previous_hash = bytes(32)


def nothing_ordered(block: common_pb2.Block) -> None:
    """It has no transactions."""
    del block.data.data[:]
    block.header.data_hash = hashlib.sha256(b"").digest()


LIES: tuple[Callable[[common_pb2.Block], None], ...] = (
    another_transaction,
    another_transaction_and_hash,
    no_signatures,
    another_chain,
    nothing_ordered,
)


class LyingOrderer(grpc.GenericRpcHandler):
    """Answers every method of an ordering node.

    Parameters:
        honest: connection to another ordering node.
        tell: told each lie.
    """

    def __init__(self, honest: grpc.Channel, tell: Callable[[str], None]) -> None:
        self._honest = ab_pb2_grpc.AtomicBroadcastStub(honest)
        self._tell = tell
        self._numbers = count()

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Who answers: a listener that says nothing for whatever ordering nodes ask one another."""
        if details.method == _BROADCAST:
            return grpc.stream_stream_rpc_method_handler(
                self._broadcast,
                request_deserializer=common_pb2.Envelope.FromString,
                response_serializer=ab_pb2.BroadcastResponse.SerializeToString,
            )
        if details.method == _DELIVER:
            return grpc.stream_stream_rpc_method_handler(
                self._deliver,
                request_deserializer=common_pb2.Envelope.FromString,
                response_serializer=ab_pb2.DeliverResponse.SerializeToString,
            )
        return grpc.stream_stream_rpc_method_handler(self._listen)

    def _broadcast(self, envelopes: Iterator[common_pb2.Envelope], _: Any) -> Iterator[Any]:
        for _envelope in envelopes:
            self._tell("said SUCCESS of a transaction and dropped it")
            yield ab_pb2.BroadcastResponse(status=common_pb2.SUCCESS)

    def _deliver(self, envelopes: Iterator[common_pb2.Envelope], context: Any) -> Iterator[Any]:
        stream = self._honest.Deliver(envelopes)
        context.add_callback(stream.cancel)
        try:
            for answer in stream:
                if answer.WhichOneof("Type") == "block" and next(self._numbers) % 2:
                    self._alter(answer.block)
                yield answer
        except grpc.RpcError as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))

    def _alter(self, block: common_pb2.Block) -> None:
        # Headers alone are asked for by whoever watches whether blocks are held back.
        lies = LIES if block.data.data else (no_signatures, another_chain)
        lie = lies[block.header.number % len(lies)]
        lie(block)
        self._tell(f"altered block {block.header.number}: {lie.__name__}")

    @staticmethod
    def _listen(messages: Iterator[bytes], _: Any) -> Iterator[bytes]:
        for _message in messages:
            pass
        yield from ()


def main(address: str, certificate: str, key: str, honest: str, roots: str) -> None:
    """Serve until SIGTERM."""
    trusted = grpc.ssl_channel_credentials(Path(roots).read_bytes())
    channel = grpc.secure_channel(honest, trusted, [_SEND_ALL])
    pair = (Path(key).read_bytes(), Path(certificate).read_bytes())
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=[_SEND_ALL])
    server.add_generic_rpc_handlers((LyingOrderer(channel, lambda lie: print(LIE + lie, flush=True)),))
    server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    server.start()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()
    server.stop(0).wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
