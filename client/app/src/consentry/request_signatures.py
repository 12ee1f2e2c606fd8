"""Requests signed with the caller's ledger key, in the form of RFC 9421 (HTTP Message Signatures).

Each signature covers method, path, the body's digest (RFC 9530), the caller's identity, the time, a nonce,
and whose service of which kind is meant, so that it is good for one request at one service. It is the
ledger's kind of signature: ECDSA over SHA-256, DER, low-S.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from consentry.channel_members import current_member
from consentry.errors import ConsentryError
from consentry.identity import WalletIdentity
from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import Identity
from fabric_protocol.msp import MspManager
from fabric_protocol.signatures import verify

IDENTITY = "consentry-identity"
WINDOW_SECONDS = 30
_DIGEST, _INPUT, _SIGNATURE = "content-digest", "signature-input", "signature"
GATE = "consentry-gate/1"
"""Tag of requests to a data gate."""
WEB_SIGN = "consentry-web-sign/1"
"""Tag of a signer's requests to the pages' server."""
_COVERED = f'("@method" "@path" "{_DIGEST}" "{IDENTITY}")'
_PARAMETERS = re.compile(
    re.escape(_COVERED)
    + r';created=(\d{1,12});nonce="([0-9a-f]{32})";tag="([a-z0-9/-]{1,64} [A-Za-z0-9.-]{1,64})"'
)
_LONGEST_HEADER = 16_384


class RequestRefused(ConsentryError):
    """A service refused a request; `status` is the HTTP status of its answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code, message)
        self.status = status


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came: method, path without query, headers by lower-case name, body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def signed_headers(
    identity: WalletIdentity,
    organization: str,
    method: str,
    path: str,
    body: bytes,
    created: int,
    *,
    tag: str = GATE,
) -> dict[str, str]:
    """Return the headers that sign a request to a service of an organization (MSP id).

    `created` is the time in Unix seconds, `tag` says which service.
    """
    serialized = base64.b64encode(identity.serialized).decode()
    nonce = secrets.token_hex(16)
    parameters = f'{_COVERED};created={created};nonce="{nonce}";tag="{tag} {organization}"'
    digest = _digest(body)
    signature = identity.sign(_base(method, path, digest, serialized, parameters))
    return {
        IDENTITY: f":{serialized}:",
        _DIGEST: digest,
        _INPUT: f"gate={parameters}",
        _SIGNATURE: f"gate=:{base64.b64encode(signature).decode()}:",
    }


class RequestVerifier:
    """Says who made a request, or refuses it: unknown, revoked, altered, replayed, or of another time.

    Requests of before its own start are refused, because what it had seen then is not known any more.
    """

    def __init__(
        self,
        organization: str,
        members: Callable[[], MspManager],
        now: Callable[[], float],
        *,
        tag: str = GATE,
    ) -> None:
        self._audience = f"{tag} {organization}"
        self._members = members
        self._now = now
        self._started = int(now())
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def caller(self, request: SignedRequest) -> Identity:
        """Return the identity that signed a request.

        Raises:
            RequestRefused: SIGNATURE_MISSING, REQUEST_ALTERED, SIGNATURE_INVALID, REQUEST_TIME_REFUSED,
                REQUEST_REPLAYED, CALLER_UNKNOWN.
        """
        serialized, digest, parameters, signature = _parts(request.headers)
        match = _PARAMETERS.fullmatch(parameters)
        if match is None or match[3] != self._audience:
            raise _refused("SIGNATURE_INVALID", f"the signature is not one for {self._audience}")
        if digest != _digest(request.body):
            raise _refused("REQUEST_ALTERED", "the body is not the one that was signed")
        identity = self._member(serialized)
        try:
            message = _base(request.method, request.path, digest, serialized, parameters)
            verify(identity.public_key, signature, message)
        except ProtocolError as error:
            raise _refused(
                "SIGNATURE_INVALID", "the signature is not the caller's over this request"
            ) from error
        self._refuse_other_times(int(match[1]), match[2])
        return identity

    def _member(self, serialized: str) -> Identity:
        try:
            return current_member(self._members(), _decoded(serialized), self._now(), WINDOW_SECONDS)
        except RequestRefused:
            raise
        except ConsentryError as error:
            if error.code != "CALLER_UNKNOWN":
                raise
            raise _refused(error.code, error.message) from error

    def _refuse_other_times(self, created: int, nonce: str) -> None:
        now = self._now()
        if abs(now - created) > WINDOW_SECONDS:
            raise _refused(
                "REQUEST_TIME_REFUSED",
                f"the request's time is more than {WINDOW_SECONDS} s from the service's; check the clocks",
            )
        with self._lock:
            if created < self._started or nonce in self._seen:
                raise _refused("REQUEST_REPLAYED", "the request came before, or may have; sign it anew")
            self._seen = {known: end for known, end in self._seen.items() if end >= now}
            self._seen[nonce] = created + WINDOW_SECONDS


def _parts(headers: Mapping[str, str]) -> tuple[str, str, str, bytes]:
    found = [headers.get(name, "") for name in (IDENTITY, _DIGEST, _INPUT, _SIGNATURE)]
    if not all(found) or any(len(value) > _LONGEST_HEADER for value in found):
        raise _refused("SIGNATURE_MISSING", "the request is not signed")
    identity, digest, parameters, signature = found
    return (
        identity.strip(":"),
        digest,
        parameters.removeprefix("gate="),
        _decoded(signature.removeprefix("gate=").strip(":")),
    )


def _base(method: str, path: str, digest: str, serialized: str, parameters: str) -> bytes:
    """RFC 9421 §2.5: the lines that are signed."""
    return (
        f'"@method": {method}\n"@path": {path}\n"{_DIGEST}": {digest}\n"{IDENTITY}": :{serialized}:\n'
        f'"@signature-params": {parameters}'
    ).encode()


def _digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refused("SIGNATURE_INVALID", "a header is not base64") from error


def _refused(code: str, message: str) -> RequestRefused:
    return RequestRefused(401, code, message)
