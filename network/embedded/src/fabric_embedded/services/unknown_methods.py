"""Calls of methods that a server does not have, refused in the words of grpc-go, which Fabric serves with."""

from __future__ import annotations

from collections.abc import Iterable

from fabric_embedded.http2.server import ServerCall
from fabric_embedded.services.status import StatusCode


class UnknownMethods:
    """The handler of every call that no service has taken.

    Parameters:
        services: names of the server's services.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(services)

    async def refuse(self, call: ServerCall) -> None:
        """End a call: UNIMPLEMENTED."""
        call.end(StatusCode.UNIMPLEMENTED, self._refusal(call.path))

    def _refusal(self, method: str) -> str:
        service, separator, name = method.removeprefix("/").rpartition("/")
        if not separator:
            return f'malformed method name: "{method}"'
        if service in self._services:
            return f"unknown method {name} for service {service}"
        return f"unknown service {service}"
