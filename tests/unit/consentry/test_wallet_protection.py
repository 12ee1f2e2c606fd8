"""Keys that are encrypted, certificates that end, and renewal."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest
from support.sample_organizations import SampleOrganization
from support.wallet_authority import reenrolling

from consentry.acting import wallet_identity
from consentry.enrolment import kept_enrolled, renew
from consentry.errors import ConfigurationError, EnrolmentError, InputRejected
from consentry.identity import WalletIdentity
from consentry.ledger import connect
from consentry.profile import AuthorityEndpoint, Endpoint, NetworkProfile, OrganizationProfile
from consentry.secret_input import PASSPHRASE_FILE, secret
from consentry.wallet import Wallet
from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_private_key

MSP = "NorthgateMSP"
ORGANIZATION = SampleOrganization(MSP)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PASSPHRASE = "correct horse"


def identity(days: int = 200) -> WalletIdentity:
    key = new_private_key()
    certificate = issue(
        ORGANIZATION.authority,
        common_name="a1b2",
        public_key=key.public_key(),
        attributes={"consentry.role": "steward"},
        start=NOW - timedelta(days=100),
        valid_days=100 + days,
    )
    return WalletIdentity(MSP, certificate_pem(certificate), key_pem(key))


def wallet(directory: Path, passphrase: str | None = PASSPHRASE) -> Wallet:
    return Wallet(directory, passphrase=(lambda: passphrase) if passphrase is not None else None)


@pytest.fixture
def profile(tmp_path: Path) -> NetworkProfile:
    roots = tmp_path / "tls.pem"
    roots.write_bytes(ORGANIZATION.authority.pem)
    ca = AuthorityEndpoint("https://ca.example", "northgate-ca", roots)
    peers = tuple(Endpoint(f"peer{number}:7051", roots, f"peer{number}") for number in range(2))
    organization = OrganizationProfile(MSP, "northgate", "hospital", peers, ca)
    return NetworkProfile(
        tmp_path, "fabric", "channel", "consentry", MappingProxyType({MSP: organization}), ()
    )


def test_an_encrypted_key_comes_back_by_its_passphrase(tmp_path: Path) -> None:
    steward = identity()
    wallet(tmp_path / "w").put("steward", steward, encrypt=True)
    stored = json.loads((tmp_path / "w" / "steward.json").read_text())
    assert stored["private_key"].startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert wallet(tmp_path / "w").protection("steward") == "encrypted"
    assert wallet(tmp_path / "w").get("steward").private_key.private_numbers() == (
        steward.private_key.private_numbers()
    )


@pytest.mark.parametrize("passphrase", ["wrong", "", None])
def test_without_its_passphrase_a_key_is_locked(tmp_path: Path, passphrase: str | None) -> None:
    wallet(tmp_path / "w").put("steward", identity(), encrypt=True)
    with pytest.raises(ConfigurationError) as caught:
        wallet(tmp_path / "w", passphrase).get("steward")
    assert caught.value.code == "WALLET_LOCKED"
    assert PASSPHRASE not in str(caught.value)


def test_an_encrypted_key_stays_encrypted_when_it_is_replaced(tmp_path: Path) -> None:
    kept = wallet(tmp_path / "w")
    kept.put("steward", identity(), encrypt=True)
    kept.put("steward", identity(), replace=True)
    assert kept.protection("steward") == "encrypted"


@pytest.mark.parametrize(
    ("days", "words"),
    [(200, None), (90, None), (89, "90 days"), (29, "30 days"), (6, "7 days"), (-1, "expired")],
)
def test_a_certificate_that_ends_is_warned_of(days: int, words: str | None) -> None:
    warning = identity(days).expiry_warning(NOW)
    assert (warning is None) if words is None else (words in str(warning))


authority = reenrolling(ORGANIZATION, NOW)


def refusing(request: httpx.Request) -> httpx.Response:
    errors = [{"code": 20, "message": "Authentication failure"}]
    return httpx.Response(401, json={"result": "", "errors": errors, "messages": [], "success": False})


@pytest.mark.parametrize("encrypt", [False, True])
def test_an_identity_is_renewed_before_it_ends(
    profile: NetworkProfile, tmp_path: Path, encrypt: bool
) -> None:
    kept, old = wallet(tmp_path / "w"), identity(29)
    kept.put("steward", old, encrypt=encrypt)
    new = kept_enrolled(profile, kept, "steward", NOW, transport=httpx.MockTransport(authority))
    assert new.certificate.public_key() != old.certificate.public_key()
    assert (new.enrolment_id, new.roles) == (old.enrolment_id, old.roles)
    assert new.expires_at - NOW > timedelta(days=300)
    assert kept.get("steward").certificate_pem == new.certificate_pem
    assert kept.protection("steward") == ("encrypted" if encrypt else "plain")


def never(request: httpx.Request) -> httpx.Response:
    raise AssertionError("nobody asked")


@pytest.mark.parametrize("days", [31, 200, -1])
def test_an_identity_with_time_left_or_none_is_left_alone(
    profile: NetworkProfile, tmp_path: Path, days: int
) -> None:
    kept, old = wallet(tmp_path / "w"), identity(days)
    kept.put("steward", old)
    assert kept_enrolled(profile, kept, "steward", NOW, transport=httpx.MockTransport(never)) == old


def test_a_renewal_that_fails_leaves_the_identity_and_says_so(
    profile: NetworkProfile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept, old = wallet(tmp_path / "w"), identity(10)
    kept.put("steward", old)
    with caplog.at_level(logging.WARNING):
        transport = httpx.MockTransport(refusing)
        assert kept_enrolled(profile, kept, "steward", NOW, transport=transport) == old
    assert "was not renewed" in caplog.text
    assert "in less than 30 days" in caplog.text
    with pytest.raises(EnrolmentError):
        renew(profile, kept, "steward", transport=httpx.MockTransport(refusing))
    assert kept.get("steward") == old


def test_who_acts_comes_from_the_wallet_beside_the_profile(profile: NetworkProfile, tmp_path: Path) -> None:
    steward = identity()
    Wallet(profile.wallet_directory("northgate")).put("steward", steward)
    assert wallet_identity(profile, "northgate/steward", NOW, {}) == steward
    for who, error in (
        ("", InputRejected),
        ("northgate", InputRejected),
        ("/steward", InputRejected),
        ("northgate/other", InputRejected),
        ("nowhere/steward", ConfigurationError),
    ):
        with pytest.raises(error):
            wallet_identity(profile, who, NOW, {})


def test_connect_takes_everything_from_the_environment(profile: NetworkProfile, tmp_path: Path) -> None:
    Wallet(profile.wallet_directory("northgate")).put("steward", identity())
    written = {
        "version": 1,
        "engine": "fabric",
        "channel": "channel",
        "chaincode": "consentry",
        "orderers": [],
        "organizations": {
            MSP: {
                "name": "northgate",
                "kind": "hospital",
                "peers": [{"endpoint": f"peer{n}:7051", "tls_roots": "tls.pem"} for n in range(2)],
            }
        },
    }
    (tmp_path / "network.json").write_text(json.dumps(written))
    environment = {"CONSENTRY_NETWORK": str(tmp_path), "CONSENTRY_AS": "northgate/steward"}
    with connect(environment=environment, clock=lambda: NOW) as ledger:
        assert (ledger.identity.enrolment_id, ledger.profile.channel) == ("a1b2", "channel")
    with connect(profile, "northgate/steward", environment={}, clock=lambda: NOW) as ledger:
        assert ledger.identity.msp_id == MSP
    for environment in ({}, {"CONSENTRY_NETWORK": str(tmp_path / "none")}):
        with pytest.raises(ConfigurationError) as caught:
            connect(environment=environment)
        assert caught.value.code == "NETWORK_MISSING"


def read_secret(environment: dict[str, str]) -> Callable[[], str]:
    return secret(PASSPHRASE_FILE, "Passphrase", environment)


def test_a_secret_is_the_first_line_of_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "passphrase"
    path.touch(0o600)
    path.write_text(f"{PASSPHRASE}\nrest\n")
    assert read_secret({PASSPHRASE_FILE: str(path)})() == PASSPHRASE
    path.chmod(0o644)
    with pytest.raises(ConfigurationError) as caught:
        read_secret({PASSPHRASE_FILE: str(path)})()
    assert caught.value.code == "PATH_EXPOSED"


@pytest.mark.parametrize("content", [None, "", "\n", b"\xff"])
def test_a_secret_that_is_not_there_is_told(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "passphrase"
    if content is not None:
        path.touch(0o600)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError) as caught:
        read_secret({PASSPHRASE_FILE: str(path)})()
    assert caught.value.code == "SECRET_MISSING"


def test_without_a_terminal_a_file_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ConfigurationError) as caught:
        read_secret({})()
    assert PASSPHRASE_FILE in str(caught.value)
