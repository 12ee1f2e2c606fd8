"""Signatures by a key that never leaves its hardware security module, over PKCS#11 (v2.40 and 3.0).

Needs the extra `fabric-gateway-python[pkcs11]`, which brings the library python-pkcs11.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from fabric_gateway.errors import SigningError
from fabric_gateway.pkcs11_session import TokenSession


class Pkcs11Signer:
    """A signer over one session with a token; a context manager that closes it. Usable by many threads.

    Example:
        with Pkcs11Signer("/usr/lib/softhsm/libsofthsm2.so", "hospital", pin, key_label="steward") as signer:
            gateway = Gateway.connect("peer:7051", identity=identity, signer=signer, tls_roots=pem)
    """

    def __init__(
        self,
        library: str | Path,
        token_label: str,
        pin: str,
        *,
        key_label: str | None = None,
        key_id: bytes | None = None,
    ) -> None:
        """Log in to the token (PIN of its user) and find the private key by label (CKA_LABEL) or id (CKA_ID).

        Raises:
            ValueError: neither label nor id was given.
            SigningError: HSM_UNAVAILABLE (no such library or token, wrong PIN), HSM_KEY_NOT_FOUND.
        """
        if key_label is None and key_id is None:
            raise ValueError("key_label, key_id: got none, expected one of them at least")
        self._lock = threading.Lock()
        self._opened = TokenSession(str(library), token_label, pin)
        try:
            self._key = _find_key(self._opened.session, key_label, key_id)
        except BaseException:
            self._opened.close()
            raise
        self._mechanism, self._is_ecdsa = _mechanism(self._key)

    def __call__(self, content: bytes) -> bytes:
        """Sign a SHA-256 digest (ECDSA, result in DER) or, with an Ed25519 key, a message.

        Raises:
            SigningError: HSM_UNAVAILABLE, the token refused.
        """
        import pkcs11

        # A PKCS#11 session does one operation at a time.
        with self._lock:
            try:
                signature: bytes = self._key.sign(content, mechanism=self._mechanism)
            except pkcs11.PKCS11Error as error:
                raise SigningError(
                    f"the token did not sign ({type(error).__name__})", code="HSM_UNAVAILABLE"
                ) from error
        if not self._is_ecdsa:
            return signature
        half = len(signature) // 2
        return encode_dss_signature(
            int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        )

    def close(self) -> None:
        """Close the session with the token."""
        with self._lock:
            self._opened.close()

    def __enter__(self) -> Pkcs11Signer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _find_key(session: Any, label: str | None, identifier: bytes | None) -> Any:
    import pkcs11

    named = {"label": label} if label is not None else {}
    if identifier is not None:
        named["id"] = identifier  # type: ignore[assignment]
    try:
        return session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, **named)
    except pkcs11.PKCS11Error as error:
        raise SigningError(
            f"the token has no single private key of {named} ({type(error).__name__})",
            code="HSM_KEY_NOT_FOUND",
        ) from error


def _mechanism(key: Any) -> tuple[Any, bool]:
    import pkcs11

    if key.key_type == pkcs11.KeyType.EC:
        return pkcs11.Mechanism.ECDSA, True
    if key.key_type == pkcs11.KeyType.EC_EDWARDS:
        return pkcs11.Mechanism.EDDSA, False
    raise SigningError(
        f"got a key of type {key.key_type.name}, expected EC or EC_EDWARDS", code="HSM_KEY_NOT_FOUND"
    )
