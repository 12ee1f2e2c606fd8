"""Methods that a server does not have, and the health service that orderers have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from fabric_embedded.services.handlers import ServiceError
from fabric_embedded.services.serving import ServingService
from fabric_embedded.services.status import StatusCode
from fabric_embedded.services.unknown_methods import UnknownMethods

pytestmark = pytest.mark.unit


class Call:
    """What a refused call is told."""

    def __init__(self, path: str) -> None:
        self.path = path

    def end(self, status: StatusCode, message: str) -> None:
        self.answer = (status, message)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("/a.Service/Nothing", "unknown method Nothing for service a.Service"),
        ("/b.Service/Method", "unknown service b.Service"),
        ("/odd/a.Service/Method", "unknown service odd/a.Service"),
        ("/Method", 'malformed method name: "/Method"'),
    ],
)
async def test_calls_of_unknown_methods_are_refused_in_go_s_words(method: str, message: str) -> None:
    call: Any = Call(method)
    await UnknownMethods(["a.Service"]).refuse(call)
    assert call.answer == (StatusCode.UNIMPLEMENTED, message)


async def test_the_server_as_a_whole_serves() -> None:
    serving = ServingService()
    assert serving.handler().name == "grpc.health.v1.Health"
    assert (await serving.check(SimpleNamespace(value=""))).SerializeToString() == b"\x08\x01"
    with pytest.raises(ServiceError) as refusal:
        await serving.check(SimpleNamespace(value="orderer.AtomicBroadcast"))
    assert (refusal.value.status, refusal.value.message) == (StatusCode.NOT_FOUND, "unknown service")


@asynccontextmanager
async def watched(service: str) -> AsyncIterator[Any]:
    answers = ServingService().watch(SimpleNamespace(value=service))
    try:
        yield await anext(answers)
    finally:
        await answers.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("service", "state"), [("", 1), ("other", 3)])
async def test_whoever_watches_is_told_at_once(service: str, state: int) -> None:
    async with watched(service) as answer:
        assert answer.value == state
