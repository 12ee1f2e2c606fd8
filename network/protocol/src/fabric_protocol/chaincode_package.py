"""The chaincode package of one organization: type ccaas, deterministic bytes, package id `label:sha256`.

Source: `ccaas_builder`, `core/chaincode/persistence/persistence.go · PackageID`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

from fabric_protocol.errors import EncodingError

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


@dataclass(frozen=True)
class ChaincodeConnection:
    """`connection.json` of a ccaas package: how the peer dials the service, with mutual TLS (PEM texts).

    A dial that failed waits longer each time before it is tried again, so that a long limit keeps a service
    that is back from being used; three seconds are Fabric's own.
    """

    address: str
    client_key: str
    client_certificate: str
    root_certificate: str
    dial_timeout: str = "3s"

    def to_dict(self) -> dict[str, object]:
        """As Fabric's external builder reads it."""
        return {
            "address": self.address,
            "client_auth_required": True,
            "client_cert": self.client_certificate,
            "client_key": self.client_key,
            "dial_timeout": self.dial_timeout,
            "root_cert": self.root_certificate,
            "tls_required": True,
        }


@dataclass(frozen=True)
class ChaincodePackage:
    """Bytes of a package (.tar.gz) and its label."""

    label: str
    data: bytes

    @property
    def package_id(self) -> str:
        """`label:` and the lower-case hex SHA-256 of the package's bytes."""
        return f"{self.label}:{hashlib.sha256(self.data).hexdigest()}"


def build_package(label: str, connection: ChaincodeConnection) -> ChaincodePackage:
    """Build a ccaas package; the same input gives the same bytes, on every machine and at every time.

    Raises:
        EncodingError: PACKAGE_LABEL_INVALID.
    """
    if not _LABEL.fullmatch(label):
        raise EncodingError(
            "PACKAGE_LABEL_INVALID",
            f"got chaincode label {label!r}, expected letters, digits and any of _ . + -",
        )
    code = _archive({"connection.json": _json(connection.to_dict())})
    metadata = _json({"label": label, "path": "", "type": "ccaas"})
    return ChaincodePackage(label, _archive({"code.tar.gz": code, "metadata.json": metadata}))


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("utf-8")


def _archive(files: Mapping[str, bytes]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o600
            archive.addfile(entry, io.BytesIO(files[name]))
    packed = io.BytesIO()
    # Level 0 stores: compressors differ from one zlib to the next, and the package id hashes these bytes.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=0, fileobj=packed, mtime=0) as compressed:
        compressed.write(plain.getvalue())
    return packed.getvalue()
