"""Calls of methods that a server does not have, refused in the words of grpc-go, which Fabric serves with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc


class UnknownMethods(grpc.GenericRpcHandler):  # type: ignore[misc]
    """The last handler of a server: takes every call that no service has taken.

    Parameters:
        services: names of the server's services.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(services)

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler:
        """A handler that refuses the call: UNIMPLEMENTED."""
        text = self._refusal(handler_call_details.method)

        async def refuse(_requests: object, context: Any) -> None:
            context.set_code(grpc.StatusCode.UNIMPLEMENTED)
            context.set_details(text)

        return grpc.stream_unary_rpc_method_handler(refuse, None, _nothing)

    def _refusal(self, method: str) -> str:
        service, separator, name = method.removeprefix("/").rpartition("/")
        if not separator:
            return f'malformed method name: "{method}"'
        if service in self._services:
            return f"unknown method {name} for service {service}"
        return f"unknown service {service}"


def _nothing(_message: object) -> bytes:
    return b""
