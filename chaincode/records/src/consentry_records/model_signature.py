"""The signature of a model's manifest as the ledger keeps it (OpenSSF Model Signing 1.0: DSSE, ECDSA P-256).

The bundle itself names files and stays outside; the ledger has its digest, and what is needed to verify the
signature again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from .digest import sha256_digest
from .kinds import DIGEST, Text
from .record import Record

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PUBLIC_KEY = Text(
    re.compile(r"(?:[A-Za-z0-9+/]{4}){20,40}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    "base64 of a public key (SubjectPublicKeyInfo, DER)",
)
SIGNATURE = Text(
    re.compile(r"(?:[A-Za-z0-9+/]{4}){2,24}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
    "base64 of an ECDSA signature (DER)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestSignature(Record):
    """A signed manifest: `manifest_digest` is SHA-256 of the signed statement's DSSE encoding
    (`signed_bytes`), `bundle_digest` that of the bundle's file; `public_key` and `signature` are base64
    (DER).

    The contract verifies the signature; whose key it is, the organization that registers it answers for.
    """

    manifest_digest: Annotated[str, DIGEST]
    bundle_digest: Annotated[str, DIGEST]
    public_key: Annotated[str, PUBLIC_KEY]
    signature: Annotated[str, SIGNATURE]


def signed_bytes(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """What is signed of a statement: the pre-authentication encoding of DSSE 1.0."""
    name = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def manifest_digest(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> str:
    """`sha256:` of what is signed of a statement: the digest that ECDSA signs."""
    return sha256_digest(signed_bytes(payload, payload_type))
