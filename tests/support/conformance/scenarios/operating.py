"""Operations endpoints of peers, and methods that no service has."""

from __future__ import annotations

from typing import Any

import grpc
import httpx
from support.conformance.bench import Bench
from support.conformance.connections import SECONDS
from support.conformance.engines import ALPHA

_HEADERS = ("content-type", "allow")


def operations(bench: Bench) -> None:
    """Paths and methods of the operations endpoint; metrics and log levels are behind settings."""
    url, context = bench.engine.operations(ALPHA)
    with httpx.Client(base_url=url, verify=context, trust_env=False, timeout=SECONDS) as http:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            for path in ("/", "/healthz", "/healthz/", "/healthz?x=y", "/version", "/version/", "/nothing"):
                answer = http.request(method, path, content=b"" if method in ("GET", "HEAD") else b"{}")
                bench.observe(f"{method} {path}", _seen(path, answer))


def _seen(path: str, answer: httpx.Response) -> list[Any]:
    headers = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
    text: Any = answer.text
    if path.startswith("/healthz") and answer.status_code == 200 and answer.content:
        document = answer.json()
        text = [sorted(document), document["status"]]
    elif path == "/version" and answer.status_code == 200 and answer.content:
        text = [sorted(answer.json()), answer.json()["Version"]]
    return [answer.status_code, headers, text]


def unknown_methods(bench: Bench) -> None:
    """Methods that a peer and an orderer do not have."""
    for node, channel in (("peer", bench.connections.peer(ALPHA)), ("orderer", bench.connections.ordering())):
        for method in (
            "/nothing.Nothing/Nothing",
            "/gateway.Gateway/Nothing",
            "/protos.Endorser/Nothing",
            "/protos.Deliver/Nothing",
            "/discovery.Discovery/Nothing",
            "/orderer.AtomicBroadcast/Nothing",
            "/grpc.health.v1.Health/Check",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            "/nothing",
            "/protos.Endorser/processProposal",
        ):
            call = channel.unary_unary(method)
            try:
                call(b"", timeout=SECONDS)
            except grpc.RpcError as error:
                bench.observe(f"{node}: {method}", bench.refused(error))
            else:
                bench.observe(f"{node}: {method}", "answered")


def malformed_messages(bench: Bench) -> None:
    """Bytes that are no message of the method's, and calls without any."""
    peer, orderer = bench.connections.peer(ALPHA), bench.connections.ordering()
    for channel, method in (
        (peer, "/protos.Endorser/ProcessProposal"),
        (peer, "/gateway.Gateway/Evaluate"),
        (peer, "/gateway.Gateway/Endorse"),
        (peer, "/gateway.Gateway/Submit"),
        (peer, "/gateway.Gateway/CommitStatus"),
        (peer, "/gateway.Gateway/ChaincodeEvents"),
        (peer, "/protos.Deliver/Deliver"),
        (peer, "/protos.Deliver/DeliverFiltered"),
        (peer, "/protos.Deliver/DeliverWithPrivateData"),
        (orderer, "/orderer.AtomicBroadcast/Broadcast"),
        (orderer, "/orderer.AtomicBroadcast/Deliver"),
        (orderer, "/grpc.health.v1.Health/Check"),
    ):
        for label, sent in {
            "garbage": [b"\xff\xff\xff"],
            "nothing": [b""],
            "no message": [],
            "a text": [b"\x0a\x01x"],
        }.items():
            try:
                answers = list(channel.stream_stream(method)(iter(sent), timeout=SECONDS))
            except grpc.RpcError as error:
                bench.observe(f"{label}: {method}", bench.refused(error))
            else:
                bench.observe(f"{label}: {method}", [answer.hex() for answer in answers])


SCENARIOS = (operations, unknown_methods, malformed_messages)
