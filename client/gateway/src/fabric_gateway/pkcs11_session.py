"""Sessions with a PKCS#11 token, and keys made and destroyed on it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from fabric_gateway.errors import SigningError

if TYPE_CHECKING:
    import pkcs11

_CURVE = "secp256r1"


class TokenSession:
    """A session with a token, logged in as its user; a context manager that closes it.

    PKCS#11 knows one login a token and process, which all sessions share and which ends with any of them that
    logs out: so the login has a session of its own here, open for as long as one of the others is.
    """

    def __init__(self, library: str, token_label: str, pin: str, *, writing: bool = False) -> None:
        """Open a session; `writing` for keys that are to be made or destroyed.

        Raises:
            SigningError: HSM_UNAVAILABLE, no such library or token, or a wrong PIN.
        """
        self._place = (library, token_label)
        with _translated(library, token_label), _lock:
            login = _logins.get(self._place) or _Login.open(library, token_label, pin)
            login.check(pin)
            try:
                self.session = login.token.open(rw=writing)
            except BaseException:
                login.close_unused()
                raise
            login.users += 1
            _logins[self._place] = login
        self._is_open = True

    def close(self) -> None:
        """Close the session; the last one logs out."""
        with _lock:
            if not self._is_open:
                return
            self._is_open = False
            self.session.close()
            login = _logins[self._place]
            login.users -= 1
            if login.close_unused():
                del _logins[self._place]

    def __enter__(self) -> pkcs11.Session:
        return self.session

    def __exit__(self, *exception: object) -> None:
        self.close()


@dataclass
class _Login:
    token: Any
    session: Any
    salt: bytes
    pin_digest: bytes
    users: int = 0

    @classmethod
    def open(cls, library: str, token_label: str, pin: str) -> _Login:
        import pkcs11

        token = pkcs11.lib(library).get_token(token_label=token_label)
        salt = secrets.token_bytes(16)
        return cls(token, token.open(user_pin=pin), salt, _pin_digest(salt, pin))

    def check(self, pin: str) -> None:
        """Refuse another PIN than the one of the login; the token itself is not asked again."""
        if not hmac.compare_digest(self.pin_digest, _pin_digest(self.salt, pin)):
            raise _Refused("another PIN than the one in use")

    def close_unused(self) -> bool:
        if self.users == 0:
            self.session.close()
        return self.users == 0


class _Refused(RuntimeError):
    """The PIN is not the one that the token was opened with."""


_lock = threading.RLock()
_logins: dict[tuple[str, str], _Login] = {}


def _pin_digest(salt: bytes, pin: str) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=2**10, r=8, p=1)


@contextmanager
def _translated(library: str, token_label: str) -> Iterator[None]:
    try:
        import pkcs11
    except ImportError as error:
        raise SigningError(
            "the library python-pkcs11 is not installed: pip install 'fabric-gateway-python[pkcs11]'",
            code="HSM_UNAVAILABLE",
        ) from error
    try:
        yield
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        # The PIN is in neither the library's words nor ours.
        raise SigningError(
            f"no session with token {token_label!r} through {library} ({type(error).__name__}): "
            "check the library's path, the token's label and the PIN",
            code="HSM_UNAVAILABLE",
        ) from error


def new_pkcs11_key(
    library: str | Path, token_label: str, pin: str, *, key_label: str
) -> ec.EllipticCurvePublicKey:
    """Make a P-256 key pair on a token under a label that is new there; return the public key.

    The private key cannot leave the token (CKA_SENSITIVE, not CKA_EXTRACTABLE).

    Raises:
        SigningError: HSM_UNAVAILABLE, no session, or the token makes no such keys; HSM_LABEL_TAKEN.
    """
    with TokenSession(str(library), token_label, pin, writing=True) as session:
        import pkcs11
        from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

        if any(session.get_objects({pkcs11.Attribute.LABEL: key_label})):
            raise SigningError(
                f"the token has an object labelled {key_label!r} already", code="HSM_LABEL_TAKEN"
            )
        curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVE)}
        kept = {pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False}
        try:
            parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
            public, _ = parameters.generate_keypair(
                store=True, label=key_label, id=key_label.encode(), private_template=kept
            )
        except pkcs11.PKCS11Error as error:
            raise SigningError(
                f"the token made no key ({type(error).__name__})", code="HSM_UNAVAILABLE"
            ) from error
        encoded: bytes = encode_ec_public_key(public)
    made = load_der_public_key(encoded)
    assert isinstance(made, ec.EllipticCurvePublicKey), "that is what was asked for"  # noqa: S101
    return made


def destroy_pkcs11_key(library: str | Path, token_label: str, pin: str, *, key_label: str) -> None:
    """Destroy the keys of a label on a token.

    Raises:
        SigningError: HSM_UNAVAILABLE, no session, or the token refused.
    """
    with TokenSession(str(library), token_label, pin, writing=True) as session:
        import pkcs11

        try:
            for found in list(session.get_objects({pkcs11.Attribute.LABEL: key_label})):
                found.destroy()
        except pkcs11.PKCS11Error as error:
            raise SigningError(
                f"the token did not destroy {key_label!r} ({type(error).__name__})", code="HSM_UNAVAILABLE"
            ) from error
