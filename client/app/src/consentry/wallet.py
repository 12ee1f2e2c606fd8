"""A wallet: identities as files that only their owner can read; keys plain, encrypted, or on a token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from consentry.documents import Document, read_json_object
from consentry.errors import ConfigurationError, InputRejected
from consentry.identity import ROLE_ATTRIBUTE, WALLET_INVALID, WalletIdentity
from consentry.private_files import make_private_directory, refuse_exposed, write_private
from fabric_gateway import Pkcs11Signer, SigningError

__all__ = ["ROLE_ATTRIBUTE", "TokenKey", "Wallet", "WalletIdentity"]

_VERSION = 1
_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SUFFIX = ".json"
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"

Secret = Callable[[], str]
"""Gets a passphrase or PIN when it is needed, from a file or by asking; raises ConfigurationError."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A private key on a PKCS#11 token: the library's path, the token's label, the key's label."""

    library: str
    token_label: str
    key_label: str


class Wallet:
    """Identities by label in one directory (0700), a file each (0600).

    Labels are 1 to 64 lower-case letters, digits and dashes. With a `passphrase` keys are stored encrypted
    (PKCS#8, AES-256) and encrypted ones can be read; `pin` opens tokens.
    """

    def __init__(
        self, directory: Path, *, passphrase: Secret | None = None, pin: Secret | None = None
    ) -> None:
        self.directory = directory
        self._passphrase = passphrase
        self._pin = pin

    def put(
        self, label: str, identity: WalletIdentity, *, replace: bool = False, encrypt: bool = False
    ) -> None:
        """Store an identity; with `encrypt` its key is encrypted under the wallet's passphrase.

        An encrypted key that is replaced stays encrypted.

        Raises:
            InputRejected: LABEL_INVALID; or LABEL_TAKEN, unless `replace` is set.
            ConfigurationError: PATH_EXPOSED, others may enter the directory; WALLET_LOCKED, no passphrase.
        """
        was_encrypted = replace and self.protection(label) == "encrypted"
        key = identity.private_key_pem
        if encrypt or was_encrypted:
            key = _encrypted(identity, self._asked(self._passphrase, "passphrase"))
        self._write(label, identity, {"private_key": key.decode()}, replace)

    def put_token(
        self, label: str, msp_id: str, certificate_pem: bytes, key: TokenKey, *, replace: bool = False
    ) -> WalletIdentity:
        """Store an identity whose key is on a token, once the token has signed with it; return it.

        Raises:
            ConfigurationError: WALLET_INVALID, another key; WALLET_LOCKED, no PIN, or the token refused.
            InputRejected: LABEL_INVALID, LABEL_TAKEN.
        """
        identity = WalletIdentity(msp_id, certificate_pem, token_signer=self._token_signer(key))
        self._write(label, identity, {"token": _fields(key)}, replace)
        return identity

    def get(self, label: str) -> WalletIdentity:
        """Return an identity.

        Raises:
            InputRejected: LABEL_INVALID, or IDENTITY_NOT_FOUND with the labels that there are.
            ConfigurationError: PATH_EXPOSED, WALLET_INVALID; WALLET_LOCKED, no passphrase or PIN, or a wrong
                one.
        """
        document = self._read(label)
        msp_id = document.take_text("msp_id")
        certificate = document.take_text("certificate").encode()
        if "token" in document.names():
            key = _token_key(document.take_object("token"))
            document.finish()
            return WalletIdentity(msp_id, certificate, token_signer=self._token_signer(key))
        private_key = document.take_text("private_key").encode()
        document.finish()
        if private_key.startswith(_ENCRYPTED):
            private_key = _decrypted(private_key, self._asked(self._passphrase, "passphrase"), label)
        return WalletIdentity(msp_id, certificate, private_key)

    def token_key(self, label: str) -> TokenKey:
        """Return where the key of an identity is that is on a token.

        Raises:
            InputRejected: LABEL_INVALID, IDENTITY_NOT_FOUND; KEY_NOT_ON_TOKEN.
        """
        document = self._read(label)
        if "token" not in document.names():
            raise InputRejected("KEY_NOT_ON_TOKEN", f"the key of {label!r} is in the wallet, on no token")
        return _token_key(document.take_object("token"))

    def token_pin(self) -> str:
        """Return the PIN of tokens; raises ConfigurationError WALLET_LOCKED where there is none."""
        return self._asked(self._pin, "PIN")

    def protection(self, label: str) -> str:
        """Return how an identity's key is kept: `plain`, `encrypted` or `token`; empty if there is none."""
        if not self._path(label).is_file():
            return ""
        document = self._read(label)
        if "token" in document.names():
            return "token"
        return "encrypted" if document.take_text("private_key").encode().startswith(_ENCRYPTED) else "plain"

    def labels(self) -> tuple[str, ...]:
        """Return the labels of all identities, sorted."""
        if not self.directory.is_dir():
            return ()
        names = (path.name.removesuffix(_SUFFIX) for path in self.directory.glob(f"*{_SUFFIX}"))
        return tuple(sorted(name for name in names if _LABEL.fullmatch(name)))

    def certificate(self, label: str) -> tuple[str, bytes]:
        """Return an identity's MSP id and certificate (PEM), without needing its key."""
        document = self._read(label)
        return document.take_text("msp_id"), document.take_text("certificate").encode()

    def _read(self, label: str) -> Document:
        path = self._path(label)
        if not path.is_file():
            known = ", ".join(self.labels()) or "none"
            raise InputRejected(
                "IDENTITY_NOT_FOUND",
                f"the wallet {self.directory} has no identity {label!r}; it has: {known}",
            )
        refuse_exposed(path)
        document = read_json_object(path, WALLET_INVALID)
        version = document.take("version", int)
        if version != _VERSION:
            raise document.error(f"version: got {version}, expected {_VERSION}")
        return document

    def _write(self, label: str, identity: WalletIdentity, key: dict[str, Any], replace: bool) -> None:
        path = self._path(label)
        make_private_directory(self.directory)
        document = {
            "version": _VERSION,
            "msp_id": identity.msp_id,
            "certificate": identity.certificate_pem.decode(),
            **key,
        }
        try:
            write_private(path, json.dumps(document, indent=2).encode() + b"\n", replace=replace)
        except FileExistsError as error:
            raise InputRejected(
                "LABEL_TAKEN", f"the wallet {self.directory} has an identity {label!r} already"
            ) from error

    def _path(self, label: str) -> Path:
        if not _LABEL.fullmatch(label):
            raise InputRejected(
                "LABEL_INVALID",
                f"got label {label!r}, expected 1 to 64 lower-case letters, digits and dashes",
            )
        return self.directory / f"{label}{_SUFFIX}"

    def _token_signer(self, key: TokenKey) -> Pkcs11Signer:
        try:
            return Pkcs11Signer(
                key.library, key.token_label, self._asked(self._pin, "PIN"), key_label=key.key_label
            )
        except SigningError as error:
            raise ConfigurationError("WALLET_LOCKED", error.message, {"reason": error.code}) from error

    def _asked(self, secret: Secret | None, what: str) -> str:
        if secret is None:
            raise ConfigurationError("WALLET_LOCKED", f"the wallet {self.directory} needs a {what}")
        return secret()


def _token_key(document: Document) -> TokenKey:
    key = TokenKey(*(document.take_text(name) for name in ("library", "token_label", "key_label")))
    document.finish()
    return key


def _fields(key: TokenKey) -> dict[str, str]:
    return {"library": key.library, "token_label": key.token_label, "key_label": key.key_label}


def _encrypted(identity: WalletIdentity, passphrase: str) -> bytes:
    if not passphrase:
        raise ConfigurationError("WALLET_LOCKED", "got an empty passphrase, expected one")
    encryption = BestAvailableEncryption(passphrase.encode())
    return identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def _decrypted(key: bytes, passphrase: str, label: str) -> bytes:
    with _locked(label):
        found = load_pem_private_key(key, passphrase.encode())
        return found.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@contextmanager
def _locked(label: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            "WALLET_LOCKED", f"the key of {label!r} does not decrypt; is the passphrase the right one?"
        ) from error
