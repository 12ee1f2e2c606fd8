"""Challenges: what an officer's wallet key signs to sign in, once, at one origin, within a minute.

What is signed begins with words that no protobuf message can begin with: a signed challenge is never a
transaction, a proposal or an endorsement, nor the other way round.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass

from consentry.errors import InputRejected
from consentry.identity import WalletIdentity
from consentry.web.errors import PageRefused
from consentry.web.officer import Officer, own_member
from consentry_records.digest import sha256_digest
from fabric_protocol.errors import ProtocolError
from fabric_protocol.msp import MspManager
from fabric_protocol.signatures import verify

SECONDS = 60
DOMAIN = b"consentry/web-sign-in/1\n"
_CODE, _ANSWER = "sign-in-1.", "signed-1."
_LONGEST = 20_000
_ORIGIN = re.compile(r"https://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:]{2,39}\])(?::[0-9]{1,5})?")
_CHANNEL = re.compile(r"[a-z][a-z0-9.-]{0,248}")
_NONCE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is signed: where one signs in, about which channel, a number used once, the end (Unix seconds)."""

    origin: str
    channel: str
    nonce: str
    expires_at: int

    @property
    def code(self) -> str:
        """The challenge as one types it."""
        return _CODE + _encoded(json.dumps(asdict(self), sort_keys=True).encode())

    @property
    def message(self) -> bytes:
        """The bytes that are signed."""
        return DOMAIN + json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def from_code(cls, code: str) -> Challenge:
        """Read a code.

        Raises:
            InputRejected: SIGN_IN_CODE_INVALID.
        """
        try:
            values = json.loads(_decoded(code, _CODE))
            challenge = cls(**values)
            fits = (
                _ORIGIN.fullmatch(challenge.origin)
                and _CHANNEL.fullmatch(challenge.channel)
                and _NONCE.fullmatch(challenge.nonce)
                and type(challenge.expires_at) is int
                and 0 < challenge.expires_at < 10**11
            )
        except (ValueError, TypeError, RecursionError, binascii.Error):
            fits = None
        if not fits:
            raise InputRejected(
                "SIGN_IN_CODE_INVALID", "got no sign-in code; expected the one that the sign-in page shows"
            )
        return challenge


def signed_answer(challenge: Challenge, identity: WalletIdentity) -> str:
    """Sign a challenge; return the answer that goes into the sign-in page."""
    parts = (identity.serialized, identity.sign(challenge.message))
    return _ANSWER + ".".join(_encoded(part) for part in parts)


class Challenges:
    """Challenges of one server, each tied to the session that asked for it; usable by many threads.

    Args:
        origin: where browsers reach the pages.
        channel: the channel that they are about.
        msp_id: MSP id of the organization whose members may sign in.
        members: gives the channel's MSPs now.
        keep: keeps what was signed.
        now: Unix seconds.
    """

    def __init__(
        self,
        origin: str,
        channel: str,
        msp_id: str,
        members: Callable[[], MspManager],
        keep: Callable[[bytes], object],
        now: Callable[[], float],
    ) -> None:
        self._origin = origin
        self._channel = channel
        self._msp_id = msp_id
        self._members = members
        self._keep = keep
        self._now = now
        self._open: dict[bytes, Challenge] = {}
        self._lock = threading.Lock()

    def make(self, session_key: bytes) -> Challenge:
        """Make a session's challenge; the one that it had before is void."""
        expires_at = int(self._now()) + SECONDS
        challenge = Challenge(self._origin, self._channel, secrets.token_urlsafe(32), expires_at)
        with self._lock:
            now = self._now()
            self._open = {key: kept for key, kept in self._open.items() if kept.expires_at > now}
            self._open[session_key] = challenge
        return challenge

    def answered(self, session_key: bytes, answer: str) -> Officer:
        """Return who answered a session's challenge; whatever comes out, the challenge is used up.

        Raises:
            PageRefused: CHALLENGE_EXPIRED, ANSWER_INVALID, CALLER_UNKNOWN, OTHER_ORGANIZATION.
        """
        with self._lock:
            challenge = self._open.pop(session_key, None)
        if challenge is None or challenge.expires_at <= self._now():
            raise PageRefused(401, "CHALLENGE_EXPIRED", "the challenge expired or was answered before")
        try:
            serialized, signature = (_unpacked(part) for part in _split(answer))
        except (ValueError, binascii.Error) as error:
            raise PageRefused(401, "ANSWER_INVALID", "the answer is not one of `web sign-in`") from error
        identity = own_member(self._members(), serialized, self._now(), self._msp_id)
        try:
            verify(identity.public_key, signature, challenge.message)
        except ProtocolError as error:
            raise PageRefused(401, "ANSWER_INVALID", "the signature is not over this challenge") from error
        proof = json.dumps({"code": challenge.code, "answer": answer.strip()}, sort_keys=True).encode()
        self._keep(proof)
        return Officer.of(identity, sha256_digest(proof))


def _split(answer: str) -> list[str]:
    parts = answer.strip().removeprefix(_ANSWER).split(".")
    if len(answer) > _LONGEST or not answer.strip().startswith(_ANSWER) or len(parts) != 2:
        raise ValueError("not an answer")
    return parts


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpacked(text: str) -> bytes:
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)


def _decoded(text: str, prefix: str) -> bytes:
    if len(text) > _LONGEST or not text.startswith(prefix):
        raise ValueError("another prefix")
    return _unpacked(text.removeprefix(prefix))
