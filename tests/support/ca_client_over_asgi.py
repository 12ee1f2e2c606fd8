"""A CA in memory over its ASGI application, and a client that knows nothing of its code."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from support.ca_requests import basic, certificate_request, signer, token

from fabric_embedded.ca.http import ca_application
from fabric_embedded.ca.service import CaService, bootstrap_registrar
from fabric_embedded.ca.store import IdentityStore
from fabric_protocol.certificates import new_authority, new_private_key

START = datetime(2026, 1, 1, tzinfo=UTC)
REGISTRAR_SECRET = "registrar-secret"


class Clock:
    """A clock that tests set."""

    time = START + timedelta(days=2)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **distance: int) -> None:
        self.time += timedelta(**distance)


class Client:
    """A CA client that knows nothing of the service's code."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.key = new_private_key()
        self.certificate = b""

    async def enroll(self, identity: str, secret: str, **fields: object) -> httpx.Response:
        body = {"certificate_request": certificate_request(identity, self.key, unit="admin"), **fields}
        answer = await self.http.post("/api/v1/enroll", json=body, headers=basic(identity, secret))
        if answer.status_code == 201:
            self.certificate = base64.b64decode(answer.json()["result"]["Cert"])
        return answer

    async def call(self, method: str, uri: str, fields: object = None) -> httpx.Response:
        body = b"" if fields is None else json.dumps(fields).encode()
        headers = token(method, uri, body, self.certificate, signer(self.key))
        return await self.http.request(method, uri, content=body, headers=headers)

    async def register(self, **fields: object) -> httpx.Response:
        return await self.call("POST", "/api/v1/register", fields)


@asynccontextmanager
async def ca_over_asgi(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    """A CA with its registrar; its store is the client's attribute `store`."""
    store = IdentityStore(None)
    bootstrap_registrar(store, "registrar", REGISTRAR_SECRET)
    service = CaService("northgate-ca", new_authority("ca.northgate", start=START), store, clock)
    transport = httpx.ASGITransport(app=ca_application(service))
    async with httpx.AsyncClient(transport=transport, base_url="https://ca") as client:
        client.store = store  # type: ignore[attr-defined]
        yield client
    store.close()


def refused(answer: httpx.Response, status: int, code: int) -> str:
    envelope: dict[str, Any] = answer.json()
    assert (answer.status_code, envelope["success"], envelope["result"]) == (status, False, "")
    assert envelope["errors"][0]["code"] == code
    return str(envelope["errors"][0]["message"])
