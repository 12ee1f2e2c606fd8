"""Tokens to go on with after a broken connection: good for one attempt, one caller, one place, one permit."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
from pathlib import Path
from typing import Any

from consentry.private_files import make_private_directory, refuse_exposed, write_private
from consentry.request_signatures import RequestRefused

_KEY_BYTES = 32
_TAG_BYTES = 32


class ResumeTokens:
    """Makes and reads tokens under a key of the gate's own, kept in a file (0600)."""

    def __init__(self, path: Path) -> None:
        """Read the key, or draw one.

        Raises:
            ConfigurationError: PATH_EXPOSED.
        """
        make_private_directory(path.parent)
        if not path.exists():
            write_private(path, secrets.token_bytes(_KEY_BYTES))
        refuse_exposed(path)
        self._key = path.read_bytes()

    def make(self, attempt_id: str, caller: str, row: int) -> str:
        """Return a token for the place before a row; `caller` is the key of the caller's identity.

        It holds no end of its own: the permit's is looked up with every use.
        """
        text = json.dumps([attempt_id, caller, row]).encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, text, "sha256") + text).decode()

    def read(self, token: str, attempt_id: str, caller: str) -> int:
        """Return the row to go on with.

        Raises:
            RequestRefused: TOKEN_INVALID, it is none of ours for this attempt and caller.
        """
        invalid = RequestRefused(
            403, "TOKEN_INVALID", "the token is not this gate's for this attempt and caller"
        )
        try:
            data = base64.urlsafe_b64decode(token.encode("ascii"))
        except (binascii.Error, ValueError):
            raise invalid from None
        tag, text = data[:_TAG_BYTES], data[_TAG_BYTES:]
        if not hmac.compare_digest(tag, hmac.digest(self._key, text, "sha256")):
            raise invalid
        content: list[Any] = json.loads(text)
        if content[:2] != [attempt_id, caller]:
            raise invalid
        return int(content[2])
