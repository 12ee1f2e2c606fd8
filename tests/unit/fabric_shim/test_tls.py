"""TLS contexts from PEM in memory; that they admit and refuse is tested over sockets in tests/integration."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_authority, new_private_key
from fabric_shim import TlsSettings
from fabric_shim.peer_settings import PeerTlsSettings
from fabric_shim.tls import peer_context, service_context

START = datetime.now(UTC) - timedelta(hours=1)
AUTHORITY = new_authority("tls-ca", start=START)
KEY = new_private_key()
CERTIFICATE = certificate_pem(
    issue(AUTHORITY, common_name="service", public_key=KEY.public_key(), start=START, server=True)
)
BROKEN = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_service_with_authorities_asks_peers_for_a_certificate(temporary: Path) -> None:
    tls = TlsSettings(key=key_pem(KEY), certificate=CERTIFICATE, client_authorities=AUTHORITY.pem)
    context = service_context(tls)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert [found["subject"] for found in context.get_ca_certs()] == [((("commonName", "tls-ca"),),)]
    assert list(temporary.iterdir()) == []


def test_a_service_without_authorities_takes_any_peer() -> None:
    tls = TlsSettings(key=key_pem(KEY), certificate=CERTIFICATE)
    assert service_context(tls).verify_mode is ssl.CERT_NONE


def test_who_dials_checks_the_peers_certificate_and_name() -> None:
    context = peer_context(PeerTlsSettings(root_certificates=AUTHORITY.pem))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    ("key", "certificate", "authorities"),
    [
        (key_pem(new_private_key()), CERTIFICATE, AUTHORITY.pem),
        (key_pem(KEY), BROKEN, AUTHORITY.pem),
        (BROKEN, CERTIFICATE, AUTHORITY.pem),
        (key_pem(KEY), CERTIFICATE, BROKEN),
        (key_pem(KEY), CERTIFICATE, b"\xff\xfe"),
    ],
)
def test_files_that_do_not_fit_are_refused_and_no_key_stays(
    key: bytes, certificate: bytes, authorities: bytes, temporary: Path
) -> None:
    with pytest.raises((ssl.SSLError, ValueError)):
        service_context(TlsSettings(key=key, certificate=certificate, client_authorities=authorities))
    with pytest.raises((ssl.SSLError, ValueError)):
        peer_context(PeerTlsSettings(root_certificates=authorities, key=key, certificate=certificate))
    assert list(temporary.iterdir()) == []
