"""Private values of consents: encrypted by the client under the subject's key before they leave it.

A value is 12 bytes of nonce ‖ AES-256-GCM(canonical JSON), with its key in the collection as associated data,
so that values cannot be swapped. Destroying the subject's key makes every copy unreadable (DESIGN §8; GDPR
Art. 17).

The nonce is a keyed BLAKE2b (RFC 7693), under the subject's key, of place and document: another value has
another nonce (NIST SP 800-38D demands that none comes twice), and the same value the same bytes, so that an
import that was interrupted can make its batches again. It tells nothing to whoever has no key.
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentry.errors import ConsentryError
from consentry_records import canonical

_NONCE_BYTES = 12
_NONCE_LABEL = b"consentry/nonce/"  # the 16 bytes of BLAKE2b's personalization


def seal(key: bytes, collection_key: str, document: bytes) -> bytes:
    """Encrypt a document (canonical JSON) under its subject's key (32 bytes) for its place in the
    collection.
    """
    place = collection_key.encode()
    # No place has a zero in it, so that place and document cannot be taken for another pair.
    message = place + b"\0" + document
    nonce = hashlib.blake2b(message, digest_size=_NONCE_BYTES, key=key, person=_NONCE_LABEL).digest()
    return nonce + AESGCM(key).encrypt(nonce, document, place)


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
