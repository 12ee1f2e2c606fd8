"""How a caller's messages are signed: what the signer is given, and what of its answer goes on the wire.

Fabric checks ECDSA signatures over the SHA-256 of the message, whatever the curve, and only in their low-S
form; Ed25519 signatures over the message itself (`fabric_protocol.signatures`).
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from fabric_gateway.errors import SigningError, UnsignedError
from fabric_protocol.errors import IdentityError, SignatureError
from fabric_protocol.identities import parse_identity
from fabric_protocol.signatures import Signer, curve_order, to_low_s


class Signing:
    """The signatures of one identity; its certificate's key says which kind they are."""

    def __init__(self, identity: bytes, signer: Signer | None) -> None:
        """Prepare for an identity (serialized); without a signer, signatures are made elsewhere.

        Raises:
            ValueError: the identity is none, or its key is neither ECDSA (P-256, P-384, …) nor Ed25519.
        """
        self._signer = signer
        try:
            key = parse_identity(identity).public_key
            self._curve = key.curve if isinstance(key, ec.EllipticCurvePublicKey) else None
            if self._curve is not None:
                curve_order(self._curve)
            elif not isinstance(key, ed25519.Ed25519PublicKey):
                raise ValueError(
                    "identity: got a certificate of another kind of key, expected ECDSA or Ed25519"
                )
        except (IdentityError, SignatureError) as error:
            raise ValueError(f"identity: expected a serialized identity ({error})") from error

    @property
    def can_sign(self) -> bool:
        """Whether there is a signer."""
        return self._signer is not None

    def to_sign(self, message: bytes) -> bytes:
        """Return what a signer of this identity is given: a SHA-256 digest, or for Ed25519 the message."""
        return message if self._curve is None else hashlib.sha256(message).digest()

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`; of ECDSA in its low-S form.

        Raises:
            UnsignedError: there is no signer.
            SigningError: the signer failed, or returned what is no signature.
        """
        if self._signer is None:
            raise UnsignedError(
                "this gateway has no signer; sign `to_sign` elsewhere, and pass bytes and signature back",
                code="NOT_SIGNED",
            )
        try:
            signature = self._signer(self.to_sign(message))
        except Exception as error:
            raise SigningError(f"the signer failed ({type(error).__name__})", code="SIGNER_FAILED") from error
        return self.checked(signature)

    def checked(self, signature: bytes) -> bytes:
        """Return a signature that was made elsewhere as it goes on the wire.

        Raises:
            SigningError: it is no signature of this kind of key.
        """
        if not isinstance(signature, bytes) or not signature:
            raise SigningError("got no bytes, expected a signature", code="SIGNATURE_INVALID")
        if self._curve is None:
            return signature
        try:
            return to_low_s(signature, self._curve)
        except SignatureError as error:
            raise SigningError(str(error), code="SIGNATURE_INVALID") from error
