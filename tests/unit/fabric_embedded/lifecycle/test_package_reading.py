"""Chaincode packages: what a peer accepts, and what it says of the rest."""

from __future__ import annotations

import gzip
import tarfile
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.packages import archive, package

from fabric_embedded.chaincode.stream import ServiceAddress
from fabric_embedded.errors import ChaincodeError
from fabric_embedded.lifecycle.package_reading import BUILDER_CONFIGURATION, read_package
from fabric_protocol.chaincode_package import ChaincodeConnection, build_package

METADATA = b'{"type": "ccaas", "path": "", "label": "other"}'
TLS = {"address": "cc.example:9999", "tls_required": True, "root_cert": "ROOT"}


def test_the_networks_own_package_names_its_service_and_both_proofs() -> None:
    built = build_package("basic_1.0", ChaincodeConnection("127.0.0.1:9", "KEY", "CERT", "ROOT"))
    read = read_package(built.data)
    assert (read.label, read.package_id) == ("basic_1.0", built.package_id)
    assert read.address == ServiceAddress("127.0.0.1:9", b"ROOT", b"CERT", b"KEY")


def test_id_is_the_label_and_the_hash_of_the_bytes() -> None:
    data = package(label="a.b+c-1")
    assert read_package(data).package_id == f"a.b+c-1:{sha256(data).hexdigest()}"


@pytest.mark.parametrize(
    ("connection", "address"),
    [
        ({"address": "a:1"}, ServiceAddress("a:1")),
        ({**TLS, "tls_required": False}, ServiceAddress("cc.example:9999")),
        (TLS, ServiceAddress("cc.example:9999", b"ROOT")),
        ({**TLS, "client_key": "K", "client_cert": "C"}, ServiceAddress("cc.example:9999", b"ROOT")),
        (
            {**TLS, "client_auth_required": True, "client_key": "K", "client_cert": "C"},
            ServiceAddress("cc.example:9999", b"ROOT", b"C", b"K"),
        ),
    ],
)
def test_connections_are_plain_or_proved_by_one_or_both_sides(
    connection: dict[str, Any], address: ServiceAddress
) -> None:
    assert read_package(package(connection)).address == address


def test_templates_are_filled_from_the_builders_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BUILDER_CONFIGURATION, '{"peername": "peer0"}')
    data = package({"address": "{{.peername}}_basic:{{ .port }}"})
    assert read_package(data, {"peername": "x", "port": 9}).address.target == "x_basic:9"
    with pytest.raises(ChaincodeError, match='map has no entry for key "port"'):
        read_package(data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "could not parse as a chaincode install package: error reading as gzip stream: EOF"),
        (b"no gzip", "error reading as gzip stream: unexpected EOF"),
        (b"still no gzip", "error reading as gzip stream: gzip: invalid header"),
        (gzip.compress(b"not tar" * 99), "could not parse as a chaincode install package: error inspecting"),
        (package()[:-20], "could not parse as a chaincode install package: error inspecting"),
        (
            archive({"metadata.json": b""}, tarfile.DIRTYPE),
            "could not parse as a chaincode install package: tar entry metadata.json is not a regular file",
        ),
        (archive({"metadata.json": METADATA}), "did not find a code package inside the package"),
        (archive({"code.tar.gz": b"x"}), "did not find any package metadata (missing metadata.json)"),
        (archive({"code.tar.gz": b"x", "metadata.json": b"{"}), "could not unmarshal metadata.json as json"),
        (archive({"code.tar.gz": b"x", "metadata.json": b"[]"}), "could not unmarshal metadata.json as json"),
        (
            archive({"code.tar.gz": b"x", "metadata.json": b'{"label": 1}'}),
            "could not unmarshal metadata.json as json",
        ),
        (package(label=""), "invalid label ''. Label must be non-empty"),
        (package(label="../x"), "invalid label '../x'"),
        (package(kind="golang"), "could not build chaincode: chaincode type not supported: golang"),
        (
            archive({"code.tar.gz": b"x", "metadata.json": METADATA}),
            "could not build chaincode: error reading as gzip stream",
        ),
        (
            archive({"code.tar.gz": archive({"main.go": b""}), "metadata.json": METADATA}),
            "could not build chaincode: connection.json not found",
        ),
        (package([]), "could not build chaincode: connection.json is not a JSON object"),
        (package({"address": 5}), "could not build chaincode: connection.json: address is not a text"),
        (package({"address": "\ud800"}), "could not build chaincode: connection.json: address is not a text"),
        (
            archive({"a\udcff": b""}, tarfile.DIRTYPE),
            "could not parse as a chaincode install package: tar entry a? is not a regular file",
        ),
        (package({}), "could not build chaincode: chaincode address not provided"),
        (package({"address": "a", "tls_required": "yes"}), "tls_required is not true or false"),
        (package({**TLS, "root_cert": ""}), "chaincode tls root cert not provided"),
        (package({**TLS, "client_auth_required": True}), "chaincode tls key not provided"),
        (
            package({**TLS, "client_auth_required": True, "client_key": "K"}),
            "chaincode tls cert not provided",
        ),
        (package({"address": "{{ if .x }}a{{ end }}"}), "the template {{ if .x }} is not supported"),
    ],
    # Archives hold the time at which they were made, so that two processes would name them differently.
    ids=lambda value: value if isinstance(value, str) else "package",
)
def test_packages_that_cannot_be_run(data: bytes, text: str) -> None:
    with pytest.raises(ChaincodeError) as caught:
        read_package(data, {})
    assert text in caught.value.message
    assert caught.value.code in ("PACKAGE_MALFORMED", "PACKAGE_UNSUPPORTED")


def test_a_package_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fabric_embedded.lifecycle.package_reading._MOST_UNPACKED", 1000)
    with pytest.raises(ChaincodeError, match="too many bytes"):
        read_package(archive({"code.tar.gz": b"x" * 1001, "metadata.json": METADATA}))


@given(st.binary(max_size=200), st.integers(min_value=0))
def test_damaged_packages_never_surprise(noise: bytes, where: int) -> None:
    data = package()
    at = where % len(data)
    damaged = data[:at] + noise + data[at + len(noise) :]
    try:
        outcome = read_package(damaged, {}).package_id
    except ChaincodeError as error:
        outcome = error.code
    assert outcome in {"PACKAGE_MALFORMED", "PACKAGE_UNSUPPORTED"} or outcome.endswith(
        f":{sha256(damaged).hexdigest()}"
    )
