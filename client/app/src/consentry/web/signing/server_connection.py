"""The signer's connection to the server: signed requests over TLS, and the gateway's calls made of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
from fabric_protos.gateway import gateway_pb2
from google.protobuf.message import DecodeError

from consentry.errors import ConsentryError
from consentry.identity import WalletIdentity
from consentry.request_signatures import WEB_SIGN, signed_headers
from consentry.web.actions import Action, ActionRefused, visible
from consentry.web.signing import wire
from consentry.web.signing.address import WebAddress
from fabric_gateway import Clock
from fabric_gateway.failures import Outcome, StatusFailure
from fabric_gateway.transport import Method, Stream

_CONNECT_SECONDS = 10.0
_MARGIN_SECONDS = 15.0
_ANSWER_SECONDS = 30.0
_LONGEST_ANSWER = 16 * 1024 * 1024


class WebUnreachable(ConsentryError):
    """The server gave no answer, or none that can be read: WEB_UNREACHABLE."""


class ServerConnection:
    """Requests to one server by one identity; closed by whoever opened it."""

    def __init__(
        self,
        address: WebAddress,
        msp_id: str,
        identity: WalletIdentity,
        clock: Clock,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._msp_id = msp_id
        self._identity = identity
        self._clock = clock
        timeout = httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        verify = address.tls() if transport is None else True
        # A proxy's environment variables are for the outside; the server is the own organization's.
        self._client = httpx.Client(
            base_url=address.url, verify=verify, timeout=timeout, trust_env=False, transport=transport
        )

    def close(self) -> None:
        """Close it."""
        self._client.close()

    def fetch(self, code: str) -> tuple[Action, int]:
        """Return the action of a code and how many of its transactions are done.

        Raises:
            ActionRefused: CODE_UNKNOWN, ACTION_ENDED, ACTION_MALFORMED, …
            WebUnreachable
        """
        action, step = wire.document(self.ask("action", {"code": code}), "action", "step")
        if type(step) is not int:
            raise wire.invalid()
        return Action.from_bytes(wire.decoded(action)), step

    def decline(self, code: str, *, is_refused: bool = False) -> None:
        """Say that nothing more is signed: by the officer's word, or because the ledger refused."""
        self.ask("decline", {"code": code, "refused": is_refused})

    def ask(self, name: str, body: dict[str, Any], seconds: float = _ANSWER_SECONDS) -> bytes:
        """Make one signed request; return the answer's bytes.

        Raises:
            ActionRefused: with the server's code.
            WebUnreachable
        """
        path, data = f"{wire.PREFIX}/{name}", json.dumps(body).encode()
        created = int(self._clock().timestamp())
        headers = signed_headers(self._identity, self._msp_id, "POST", path, data, created, tag=WEB_SIGN)
        try:
            with self._client.stream(
                "POST", path, content=data, headers=headers, timeout=seconds
            ) as response:
                answer = _limited(response)
                status = response.status_code
        except (httpx.HTTPError, OSError) as error:
            raise WebUnreachable(
                "WEB_UNREACHABLE", f"the server gave no answer ({type(error).__name__})"
            ) from error
        if status != httpx.codes.OK:
            raise _refusal(answer, status)
        return answer


class NoTransport:
    """The calls of a gateway that nobody answers: for signing without a connection."""

    def endorse(self, request: gateway_pb2.EndorseRequest, timeout: float) -> gateway_pb2.EndorseResponse:
        """Nobody answers."""
        raise _not_relayed()

    def submit(self, request: gateway_pb2.SubmitRequest, timeout: float) -> gateway_pb2.SubmitResponse:
        """Nobody answers."""
        raise _not_relayed()

    def commit_status(
        self, request: gateway_pb2.SignedCommitStatusRequest, timeout: float
    ) -> gateway_pb2.CommitStatusResponse:
        """Nobody answers."""
        raise _not_relayed()

    def start(
        self, method: Method, request: Any, timeout: float, answered: Callable[[Outcome], None]
    ) -> None:
        """Make a call; its outcome is handed over before this returns."""
        outcome: Outcome
        try:
            outcome = getattr(self, method)(request, timeout)
        except StatusFailure as failure:
            outcome = failure
        answered(outcome)

    def evaluate(self, request: gateway_pb2.EvaluateRequest, timeout: float) -> gateway_pb2.EvaluateResponse:
        """Nobody answers."""
        raise _not_relayed()

    def chaincode_events(self, request: gateway_pb2.SignedChaincodeEventsRequest) -> Stream:
        """Nobody answers."""
        raise _not_relayed()

    def deliver(self, envelope: Any) -> Stream:
        """Nobody answers."""
        raise _not_relayed()

    def deliver_filtered(self, envelope: Any) -> Stream:
        """Nobody answers."""
        raise _not_relayed()

    def deliver_with_private_data(self, envelope: Any) -> Stream:
        """Nobody answers."""
        raise _not_relayed()

    def close(self) -> None:
        """There is no connection."""


class RelayTransport(NoTransport):
    """The three calls of a submission for `fabric_gateway`, each passed on by the server for one code."""

    def __init__(self, connection: ServerConnection, code: str) -> None:
        self._connection = connection
        self._code = code

    def endorse(self, request: gateway_pb2.EndorseRequest, timeout: float) -> gateway_pb2.EndorseResponse:
        """Gateway.Endorse."""
        return self._call("endorse", request, timeout, gateway_pb2.EndorseResponse)

    def submit(self, request: gateway_pb2.SubmitRequest, timeout: float) -> gateway_pb2.SubmitResponse:
        """Gateway.Submit."""
        return self._call("submit", request, timeout, gateway_pb2.SubmitResponse)

    def commit_status(
        self, request: gateway_pb2.SignedCommitStatusRequest, timeout: float
    ) -> gateway_pb2.CommitStatusResponse:
        """Gateway.CommitStatus."""
        return self._call("commit_status", request, timeout, gateway_pb2.CommitStatusResponse)

    def _call(self, name: str, request: Any, timeout: float, answer: Any) -> Any:
        body = {"code": self._code, "request": wire.encoded(request.SerializeToString(deterministic=True))}
        try:
            data = self._connection.ask(name, body, timeout + _MARGIN_SECONDS)
        except WebUnreachable as error:
            raise StatusFailure("UNAVAILABLE", error.message) from error
        if b'"failure"' in data[:16]:
            (failure,) = wire.document(data, "failure")
            raise wire.failure_of(failure)
        (response,) = wire.document(data, "response")
        try:
            return answer.FromString(wire.decoded(response))
        except DecodeError as error:
            raise wire.invalid() from error


def _limited(response: httpx.Response) -> bytes:
    data = b""
    for part in response.iter_bytes():
        data += part
        if len(data) > _LONGEST_ANSWER:
            raise WebUnreachable("WEB_UNREACHABLE", "the server's answer is too long")
    return data


def _refusal(answer: bytes, status: int) -> ConsentryError:
    try:
        code, message = wire.document(answer, "code", "message")
        return ActionRefused(visible(str(code)), visible(str(message)))
    except ActionRefused:
        return WebUnreachable("WEB_UNREACHABLE", f"the server answered with status {status}")


def _not_relayed() -> StatusFailure:
    return StatusFailure("UNIMPLEMENTED", "a signer asks for nothing but the steps of its action")
