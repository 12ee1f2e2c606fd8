from __future__ import annotations

from pathlib import Path

import pytest

from fabric_shim import ConfigurationError, Settings
from fabric_shim.peer_settings import peer_address, peer_tls

LAUNCHED = {"CORE_CHAINCODE_ID_NAME": "notes:1"}


@pytest.mark.parametrize(
    ("environment", "arguments", "address"),
    [
        ({}, ["--peer.address", "p:1"], "p:1"),
        ({}, ["-peer.address=p:1"], "p:1"),
        ({}, ["start", "--peer.address=p:1", "x"], "p:1"),
        ({"CORE_PEER_ADDRESS": "p:1"}, [], "p:1"),
        ({"CORE_PEER_ADDRESS": "p:1"}, ["--peer.address", "q:1"], "q:1"),
        ({"CORE_PEER_ADDRESS": "p:1", "CHAINCODE_SERVER_ADDRESS": "0:1"}, [], None),
        ({"CHAINCODE_SERVER_ADDRESS": "0:1"}, ["--peer.address", "q:1"], "q:1"),
        ({}, ["peer.address", "p:1"], None),
        ({}, [], None),
    ],
)
def test_whom_to_dial(environment: dict[str, str], arguments: list[str], address: str | None) -> None:
    assert peer_address(environment, arguments) == address


def test_a_launched_chaincode_dials() -> None:
    settings = Settings.from_environment(LAUNCHED, ["--peer.address", "localhost:7052"])
    assert (settings.package_id, settings.address, settings.dials) == ("notes:1", "localhost:7052", True)
    assert (settings.peer_tls, settings.reconnect_seconds) == (None, 60)


@pytest.mark.parametrize("arguments", [["--peer.address"], ["--peer.address", "nowhere"]])
def test_an_address_that_is_none_is_refused(arguments: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"the peer's address is '.*', expected host:port"):
        Settings.from_environment(LAUNCHED, arguments)


def test_tls_without_a_key_checks_the_peer_alone(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"-----BEGIN CERTIFICATE-----")
    roots = {"CORE_PEER_TLS_ENABLED": "true", "CORE_PEER_TLS_ROOTCERT_FILE": str(tmp_path / "ca.pem")}
    tls = peer_tls(roots)
    assert tls is not None
    assert (tls.root_certificates, tls.key, tls.certificate) == (b"-----BEGIN CERTIFICATE-----", None, None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"CORE_PEER_TLS_ENABLED": "yes"}, "CORE_PEER_TLS_ENABLED is 'yes', expected true or false"),
        ({"CORE_PEER_TLS_ROOTCERT_FILE": ""}, "CORE_PEER_TLS_ROOTCERT_FILE is not set"),
        ({"CORE_PEER_TLS_ROOTCERT_FILE": "/none"}, "CORE_PEER_TLS_ROOTCERT_FILE names /none: No such file"),
        ({"CORE_TLS_CLIENT_KEY_FILE": "{pem}"}, "mutual TLS needs"),
        ({"CORE_TLS_CLIENT_KEY_FILE": "{text}"}, "holds no PEM text"),
        ({"CORE_TLS_CLIENT_CERT_PATH": "{text}"}, "holds no"),
    ],
)
def test_tls_files_that_do_not_fit_are_refused(tmp_path: Path, change: dict[str, str], words: str) -> None:
    files = {"pem": tmp_path / "pem", "text": tmp_path / "text"}
    files["pem"].write_bytes(b"-----BEGIN X-----")
    files["text"].write_bytes(b"x")
    environment = {"CORE_PEER_TLS_ENABLED": "true", "CORE_PEER_TLS_ROOTCERT_FILE": str(files["pem"])}
    environment |= {name: value.format(**files) for name, value in change.items()}
    with pytest.raises(ConfigurationError, match=words):
        peer_tls(environment)
