"""A gateway behind a real socket that can lie: an honest one in memory, its answers altered on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from support.fake_gateway import FakeGateway

from fabric_gateway import Gateway, Timeouts
from fabric_gateway.failures import StatusFailure
from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_authority, new_private_key
from fabric_protocol.signatures import key_signer

Lie = Callable[[Any], Any]
"""Takes the honest answer and returns another one, raises a grpc.StatusCode's `Refusal`, or never returns."""

_UNARY = {
    "Evaluate": ("evaluate", gateway_pb2.EvaluateRequest),
    "Endorse": ("endorse", gateway_pb2.EndorseRequest),
    "Submit": ("submit", gateway_pb2.SubmitRequest),
    "CommitStatus": ("commit_status", gateway_pb2.SignedCommitStatusRequest),
}


class Refusal(Exception):
    """Ends a call with a status."""

    def __init__(self, code: grpc.StatusCode, message: str = "no") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass
class HostileGateway:
    """A server over TLS; `lies` by method name, `requests` as they arrived, `stall` ends stalled calls."""

    honest: FakeGateway
    lies: dict[str, Lie] = field(default_factory=dict)
    requests: list[tuple[str, Any]] = field(default_factory=list)
    stall: threading.Event = field(default_factory=threading.Event)
    address: str = ""
    roots: bytes = b""

    def gateway(self, **options: Any) -> Gateway:
        """A client's connection, with short timeouts."""
        client = self.honest.client
        timeouts = Timeouts(evaluate=2.0, endorse=2.0, submit=2.0, commit_status=1.0)
        return Gateway.connect(
            self.address,
            identity=client.serialized,
            signer=key_signer(client.key),
            tls_roots=self.roots,
            **{"timeouts": timeouts, **options},
        )

    def never_answer(self, answer: Any) -> Any:
        """A lie that stalls until the test is over."""
        self.stall.wait()
        raise Refusal(grpc.StatusCode.CANCELLED)

    def called(self, method: str) -> int:
        """How often a method was called."""
        return sum(name == method for name, _ in self.requests)

    def unary(self, method: str) -> Callable[[Any, Any], Any]:
        """The handler of one of Gateway's methods."""
        name, kind = _UNARY[method]

        def handle(data: bytes, context: grpc.ServicerContext) -> bytes:
            request = kind.FromString(data)
            self.requests.append((method, request))
            try:
                answer = getattr(self.honest, name)(request, 5.0)
                answer = self.lies.get(method, lambda honest: honest)(answer)
            except StatusFailure as failure:
                context.abort(grpc.StatusCode[failure.code], failure.message)
            except Refusal as refusal:
                context.abort(refusal.code, refusal.message)
            return answer if isinstance(answer, bytes) else bytes(answer.SerializeToString())

        return handle

    def stream(self, method: str) -> Callable[[Any, Any], Iterator[bytes]]:
        """The handler of a stream: what the lie makes of nothing."""

        def handle(requests: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
            data = requests if isinstance(requests, bytes) else next(requests)
            self.requests.append((method, data))
            try:
                yield from self.lies[method](None)
            except Refusal as refusal:
                context.abort(refusal.code, refusal.message)

        return handle


@contextmanager
def hostile_gateway(honest: FakeGateway) -> Iterator[HostileGateway]:
    """Serve on a free port of the loopback until the block is left."""
    start = datetime.now(UTC) - timedelta(hours=1)
    authority = new_authority("tls.example", start=start)
    key = new_private_key()
    certificate = issue(
        authority,
        common_name="gateway",
        public_key=key.public_key(),
        start=start,
        ip_addresses=["127.0.0.1"],
    )
    hostile = HostileGateway(honest, roots=authority.pem)
    server = grpc.server(ThreadPoolExecutor(max_workers=16))
    unary = {name: grpc.unary_unary_rpc_method_handler(hostile.unary(name)) for name in _UNARY}
    unary["ChaincodeEvents"] = grpc.unary_stream_rpc_method_handler(hostile.stream("ChaincodeEvents"))
    deliver = {"Deliver": grpc.stream_stream_rpc_method_handler(hostile.stream("Deliver"))}
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler("gateway.Gateway", unary),
            grpc.method_handlers_generic_handler("protos.Deliver", deliver),
        )
    )
    credentials = grpc.ssl_server_credentials([(key_pem(key), certificate_pem(certificate))])
    hostile.address = f"127.0.0.1:{server.add_secure_port('127.0.0.1:0', credentials)}"
    server.start()
    try:
        yield hostile
    finally:
        hostile.stall.set()
        server.stop(None).wait()


def altered_payload(answer: Any, change: Callable[[Any], None]) -> Any:
    """An endorsement's answer whose payload (common.Payload) was changed."""
    payload = common_pb2.Payload.FromString(answer.prepared_transaction.payload)
    change(payload)
    answer.prepared_transaction.payload = payload.SerializeToString(deterministic=True)
    return answer
