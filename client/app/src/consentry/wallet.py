"""A wallet: identities (certificate and private key) as files that only their owner can read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from consentry.documents import read_json_object
from consentry.errors import ConfigurationError, InputRejected
from consentry.private_files import make_private_directory, refuse_exposed, write_private
from fabric_protocol.identities import certificate_attributes, serialize_identity
from fabric_protocol.signatures import Signer, sign_digest

ROLE_ATTRIBUTE = "consentry.role"
_CODE = "WALLET_INVALID"
_VERSION = 1
_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SUFFIX = ".json"


@dataclass(frozen=True)
class WalletIdentity:
    """Who acts: MSP id, certificate and private key (PEM). The key is left out of `repr`."""

    msp_id: str
    certificate_pem: bytes
    private_key_pem: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a key that is not the certificate's: every signature with it would be refused.

        Raises:
            ConfigurationError: WALLET_INVALID.
        """
        if not self.msp_id:
            raise ConfigurationError(_CODE, "an identity's MSP id is empty")
        if _public_bytes(self.private_key.public_key()) != _public_bytes(self.certificate.public_key()):
            raise ConfigurationError(_CODE, "the private key does not belong to the certificate")

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The certificate, parsed."""
        try:
            return x509.load_pem_x509_certificate(self.certificate_pem)
        except ValueError as error:
            raise ConfigurationError(_CODE, "the certificate is no PEM certificate") from error

    @cached_property
    def private_key(self) -> ec.EllipticCurvePrivateKey:
        """The private key (ECDSA)."""
        try:
            key = load_pem_private_key(self.private_key_pem, None)
        except (ValueError, TypeError) as error:
            raise ConfigurationError(_CODE, "the private key is no unencrypted PEM key") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ConfigurationError(_CODE, "the private key is not an elliptic-curve key")
        return key

    @property
    def enrolment_id(self) -> str:
        """The certificate's common name: a random id that only the employer can resolve."""
        names = self.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(names[0].value) if names else ""

    @property
    def roles(self) -> frozenset[str]:
        """The roles named by the certificate's attribute `consentry.role` (a comma list)."""
        listed = certificate_attributes(self.certificate).get(ROLE_ATTRIBUTE, "")
        return frozenset(role.strip() for role in listed.split(",") if role.strip())

    @cached_property
    def serialized(self) -> bytes:
        """Fabric's msp.SerializedIdentity: who signs, on the wire."""
        return serialize_identity(self.msp_id, self.certificate_pem)

    @cached_property
    def signer(self) -> Signer:
        """Signs SHA-256 digests with the private key (DER, low-S)."""
        key = self.private_key
        return lambda digest: sign_digest(key, digest)


class Wallet:
    """Identities by label in one directory (0700), a file each (0600).

    Labels are 1 to 64 lower-case letters, digits and dashes.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put(self, label: str, identity: WalletIdentity, *, replace: bool = False) -> None:
        """Store an identity.

        Raises:
            InputRejected: LABEL_INVALID; or LABEL_TAKEN, unless `replace` is set.
            ConfigurationError: PATH_EXPOSED, others may enter the directory.
        """
        path = self._path(label)
        make_private_directory(self.directory)
        document = {
            "version": _VERSION,
            "msp_id": identity.msp_id,
            "certificate": identity.certificate_pem.decode(),
            "private_key": identity.private_key_pem.decode(),
        }
        try:
            write_private(path, json.dumps(document, indent=2).encode() + b"\n", replace=replace)
        except FileExistsError as error:
            raise InputRejected(
                "LABEL_TAKEN", f"the wallet {self.directory} has an identity {label!r} already"
            ) from error

    def get(self, label: str) -> WalletIdentity:
        """Return an identity.

        Raises:
            InputRejected: LABEL_INVALID, or IDENTITY_NOT_FOUND with the labels that there are.
            ConfigurationError: PATH_EXPOSED or WALLET_INVALID.
        """
        path = self._path(label)
        if not path.is_file():
            known = ", ".join(self.labels()) or "none"
            raise InputRejected(
                "IDENTITY_NOT_FOUND",
                f"the wallet {self.directory} has no identity {label!r}; it has: {known}",
            )
        refuse_exposed(path)
        document = read_json_object(path, _CODE)
        version = document.take("version", int)
        if version != _VERSION:
            raise document.error(f"version: got {version}, expected {_VERSION}")
        identity = WalletIdentity(
            document.take_text("msp_id"),
            document.take_text("certificate").encode(),
            document.take_text("private_key").encode(),
        )
        document.finish()
        return identity

    def labels(self) -> tuple[str, ...]:
        """Return the labels of all identities, sorted."""
        if not self.directory.is_dir():
            return ()
        names = (path.name.removesuffix(_SUFFIX) for path in self.directory.glob(f"*{_SUFFIX}"))
        return tuple(sorted(name for name in names if _LABEL.fullmatch(name)))

    def _path(self, label: str) -> Path:
        if not _LABEL.fullmatch(label):
            raise InputRejected(
                "LABEL_INVALID",
                f"got label {label!r}, expected 1 to 64 lower-case letters, digits and dashes",
            )
        return self.directory / f"{label}{_SUFFIX}"


def _public_bytes(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ConfigurationError(_CODE, "the certificate's key is not an elliptic-curve key")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
