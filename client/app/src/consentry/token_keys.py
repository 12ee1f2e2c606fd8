"""New keys on a token: made there, certified, and put in the place of an identity's old one."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from consentry.errors import ConfigurationError
from consentry.identity import WalletIdentity
from consentry.wallet import Wallet
from fabric_gateway import Pkcs11Signer, SigningError, destroy_pkcs11_key, new_pkcs11_key

_LONGEST_LABEL = 64


class TokenPrivateKey(ec.EllipticCurvePrivateKey):
    """A key on a token as `cryptography` asks certificate requests' keys: it signs, and tells nothing."""

    def __init__(self, signer: Callable[[bytes], bytes], public_key: ec.EllipticCurvePublicKey) -> None:
        self._signer = signer
        self._public_key = public_key

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """Sign by ECDSA over SHA-256 (DER)."""
        if not isinstance(signature_algorithm.algorithm, hashes.SHA256):
            raise ConfigurationError("KEY_ON_TOKEN", "keys on tokens sign over SHA-256 only")
        return self._signer(hashlib.sha256(data).digest())

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public key."""
        return self._public_key

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve."""
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        """Bits of the curve."""
        return self._public_key.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        """Refuse: the key is for signatures."""
        raise _stays()

    def private_numbers(self) -> NoReturn:
        """Refuse: the key never leaves its token."""
        raise _stays()

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> NoReturn:
        """Refuse: the key never leaves its token."""
        raise _stays()

    def __copy__(self) -> TokenPrivateKey:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TokenPrivateKey:
        return self


def renew_on_token(
    wallet: Wallet, label: str, certify: Callable[[ec.EllipticCurvePrivateKey], bytes]
) -> WalletIdentity:
    """Make a new key on the token of an identity, have `certify` get a certificate (PEM) for it, and put both
    in the old ones' place; return the identity.

    The old key stays on the token, for its certificate is valid until it ends. Where anything fails the new
    key is destroyed and the identity stays as it was.

    Raises:
        ConfigurationError: WALLET_LOCKED, no PIN, or the token refused.
        What `certify` raises.
    """
    old, pin = wallet.token_key(label), wallet.token_pin()
    new = replace(old, key_label=_new_label(old.key_label))
    place = (new.library, new.token_label, pin)
    try:
        public_key = new_pkcs11_key(*place, key_label=new.key_label)
        with Pkcs11Signer(*place, key_label=new.key_label) as signer:
            certificate = certify(TokenPrivateKey(signer, public_key))
        msp_id, _ = wallet.certificate(label)
        return wallet.put_token(label, msp_id, certificate, new, replace=True)
    except BaseException as error:
        with suppress(SigningError):
            destroy_pkcs11_key(*place, key_label=new.key_label)
        if isinstance(error, SigningError):
            raise ConfigurationError("WALLET_LOCKED", error.message, {"reason": error.code}) from error
        raise


def _new_label(old: str) -> str:
    """The old label with another random end: labels name keys, so no two keys have one."""
    base, dash, end = old.rpartition("~")
    kept = base if dash and len(end) == 8 else old
    return f"{kept[: _LONGEST_LABEL - 9]}~{secrets.token_hex(4)}"


def _stays() -> ConfigurationError:
    return ConfigurationError("KEY_ON_TOKEN", "the private key never leaves its token")
