"""Reading what an administrator installs: a chaincode package, and the service that it names.

Source: Fabric `core/chaincode/persistence/chaincode_package.go`, `ccaas_builder`,
`core/container/externalbuilder/instance.go`.
"""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from gzip import GzipFile
from hashlib import sha256
from typing import Any, Final

from fabric_embedded.chaincode.stream import ServiceAddress
from fabric_embedded.errors import ChaincodeError

BUILDER_CONFIGURATION: Final = "CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG"
"""Variable with a JSON object: values for the templates in `connection.json`."""

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_TEMPLATE = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_FIELD = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)")
_MOST_UNPACKED = 200 * 2**20
_GZIP_DEFLATE, _GZIP_HEADER_BYTES = b"\x1f\x8b\x08", 10


@dataclass(frozen=True)
class ServicePackage:
    """A package of type ccaas.

    Parameters:
        label: chosen by who made it.
        package_id: `label:` and the lower-case hex SHA-256 of its bytes; what its service must REGISTER.
        address: where the peer dials the service, and how either proves itself.
    """

    label: str
    package_id: str
    address: ServiceAddress


def read_package(data: bytes, templates: Mapping[str, Any] | None = None) -> ServicePackage:
    """Read a package as a peer does that has Fabric's ccaas builder and no other.

    Parameters:
        data: the .tar.gz.
        templates: values for templates in `connection.json`; left out, those of `BUILDER_CONFIGURATION`.

    Raises:
        ChaincodeError: PACKAGE_MALFORMED, PACKAGE_UNSUPPORTED, with Fabric's text where it has one.
    """
    files = _unpack(data, "could not parse as a chaincode install package: ")
    if "code.tar.gz" not in files:
        raise _malformed("did not find a code package inside the package")
    if "metadata.json" not in files:
        raise _malformed("did not find any package metadata (missing metadata.json)")
    metadata = _json(files["metadata.json"], _malformed("could not unmarshal metadata.json as json"))
    label = _text(metadata, "label", _malformed("could not unmarshal metadata.json as json: label"))
    if not _LABEL.fullmatch(label):
        raise _malformed(
            f"invalid label '{label}'. Label must be non-empty, can only consist of alphanumerics, symbols "
            "from '.+-_', and can only begin with alphanumerics"
        )
    kind = _text(metadata, "type", _malformed("could not unmarshal metadata.json as json: type"))
    if kind.lower() != "ccaas":
        raise _unbuildable(
            f"chaincode type not supported: {kind}: this peer runs chaincode as a service only, install a "
            "package of type ccaas"
        )
    code = _unpack(files["code.tar.gz"], "could not build chaincode: ")
    if "connection.json" not in code:
        raise _unbuildable("connection.json not found in code.tar.gz")
    connection = _json(code["connection.json"], _unbuildable("connection.json is not a JSON object"))
    values = _configured() if templates is None else templates
    return ServicePackage(label, f"{label}:{sha256(data).hexdigest()}", _address(connection, values))


def _address(connection: Mapping[str, Any], templates: Mapping[str, Any]) -> ServiceAddress:
    def field(name: str) -> str:
        text = _text(connection, name, _unbuildable(f"connection.json: {name} is not a text"))
        return _filled(text, name, templates)

    target = field("address")
    if not target:
        raise _unbuildable("chaincode address not provided")
    if not _flag(connection, "tls_required"):
        return ServiceAddress(target)
    needs_client = _flag(connection, "client_auth_required")
    for name, what in (("client_key", "key"), ("client_cert", "cert"), ("root_cert", "root cert")):
        if not field(name) and (needs_client or name == "root_cert"):
            raise _unbuildable(f"chaincode tls {what} not provided")
    return ServiceAddress(
        target,
        root_certificate=field("root_cert").encode(),
        client_certificate=field("client_cert").encode() if needs_client else None,
        client_key=field("client_key").encode() if needs_client else None,
    )


def _filled(text: str, name: str, templates: Mapping[str, Any]) -> str:
    """Go's templates, as far as packages use them: `{{.field}}`."""

    def value(match: re.Match[str]) -> str:
        found = _FIELD.fullmatch(match[1])
        if found is None:
            raise _unbuildable(f"connection.json: {name}: the template {match[0]} is not supported")
        if found[1] not in templates:
            raise _unbuildable(
                f'connection.json: {name}: map has no entry for key "{found[1]}": set {BUILDER_CONFIGURATION}'
            )
        return str(templates[found[1]])

    return _TEMPLATE.sub(value, text)


def _configured() -> Mapping[str, Any]:
    text = os.environ.get(BUILDER_CONFIGURATION, "")
    if not text:
        return {}
    return _json(text.encode(), _unbuildable(f"{BUILDER_CONFIGURATION} is not a JSON object"))


def _unpack(data: bytes, prefix: str) -> dict[str, bytes]:
    """Regular files of a .tar.gz, by name; directories inside `code.tar.gz` are passed over."""
    fault = _gzip_fault(data)
    if fault:
        raise ChaincodeError("PACKAGE_MALFORMED", f"{prefix}error reading as gzip stream: {fault}")
    files: dict[str, bytes] = {}
    left = _MOST_UNPACKED
    try:
        with GzipFile(fileobj=io.BytesIO(data)) as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
            for entry in archive:
                if entry.isdir() and prefix.startswith("could not build"):
                    continue
                if not entry.isreg():
                    raise ChaincodeError(
                        "PACKAGE_MALFORMED",
                        f"{prefix}tar entry {_readable(entry.name)} is not a regular file",
                    )
                left -= entry.size
                content = archive.extractfile(entry) if left >= 0 else None
                if content is None:
                    raise ChaincodeError("PACKAGE_MALFORMED", f"{prefix}it unpacks to too many bytes")
                files[entry.name.removeprefix("./")] = content.read()
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        text = f"{prefix}error inspecting tar headers: {error}"
        raise ChaincodeError("PACKAGE_MALFORMED", text) from error
    return files


def _gzip_fault(data: bytes) -> str:
    """What Go's gzip library says of a beginning that is none; "" for one that it takes."""
    if not data:
        return "EOF"
    if len(data) < _GZIP_HEADER_BYTES:
        return "unexpected EOF"
    return "" if data.startswith(_GZIP_DEFLATE) else "gzip: invalid header"


def _json(data: bytes, problem: ChaincodeError) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise problem from None
    if not isinstance(value, dict):
        raise problem
    return value


def _text(fields: Mapping[str, Any], name: str, problem: ChaincodeError) -> str:
    value = fields.get(name, "")
    # JSON can escape what no UTF-8 can hold.
    if not isinstance(value, str) or _readable(value) != value:
        raise problem
    return value


def _readable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise _unbuildable(f"connection.json: {name} is not true or false")
    return value


def _malformed(reason: str) -> ChaincodeError:
    return ChaincodeError("PACKAGE_MALFORMED", f"could not parse as a chaincode install package: {reason}")


def _unbuildable(reason: str) -> ChaincodeError:
    return ChaincodeError("PACKAGE_UNSUPPORTED", f"could not build chaincode: {reason}")
