"""Private values of consents: encrypted by the client under the subject's key before they leave it.

A value is 12 random nonce bytes ‖ AES-256-GCM(canonical JSON), with its key in the collection as associated
data, so that values cannot be swapped. Destroying the subject's key makes every copy unreadable (DESIGN §8;
GDPR Art. 17).
"""

from __future__ import annotations

import secrets
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.errors import ConsentryError
from consentry_records import canonical

_NONCE_BYTES = 12


def seal(key: bytes, collection_key: str, document: bytes) -> bytes:
    """Encrypt a document (canonical JSON) under its subject's key (32 bytes) for its place in the
    collection.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, document, collection_key.encode())


def unseal(key: bytes, collection_key: str, data: bytes) -> dict[str, Any]:
    """Decrypt a document.

    Raises:
        ConsentryError: VALUE_UNREADABLE, another key, another place, or altered bytes.
    """
    try:
        plain = AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], collection_key.encode())
    except (InvalidTag, ValueError) as error:
        raise ConsentryError(
            "VALUE_UNREADABLE", "the private value does not decrypt under the subject's key at this place"
        ) from error
    document: dict[str, Any] = canonical.decode(plain)
    return document
