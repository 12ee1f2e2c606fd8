"""Commands on a wallet."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.sample_organizations import SampleOrganization

from consentry.cli.main import run
from consentry.identity import WalletIdentity
from consentry.wallet import Wallet
from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_private_key

MSP = "NorthgateMSP"


@pytest.fixture
def network(tmp_path: Path) -> Path:
    organization = SampleOrganization(MSP)
    (tmp_path / "tls.pem").write_bytes(organization.authority.pem)
    peers = [{"endpoint": "peer:7051", "tls_roots": "tls.pem"}]
    members = {MSP: {"name": "northgate", "kind": "hospital", "peers": peers}}
    profile = {"version": 1, "engine": "fabric", "channel": "c", "chaincode": "consentry"}
    (tmp_path / "network.json").write_text(json.dumps({**profile, "organizations": members, "orderers": []}))
    for label, days in (("steward", 200), ("dpo", 20)):
        key = new_private_key()
        certificate = issue(
            organization.authority,
            common_name="a1b2",
            public_key=key.public_key(),
            attributes={"consentry.role": label},
            start=datetime.now(UTC) - timedelta(days=1),
            valid_days=days,
        )
        identity = WalletIdentity(MSP, certificate_pem(certificate), key_pem(key))
        Wallet(tmp_path / "wallets" / "northgate").put(label, identity)
    return tmp_path


def command(network: Path, *arguments: str) -> int:
    return run(["--network", str(network), "--as", "northgate/steward", *arguments])


def test_identities_are_listed_with_what_is_due(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(network, "wallet", "list", "--json") == 0
    items = {item["identity"]: item for item in json.loads(capsys.readouterr().out)["items"]}
    assert (items["northgate/steward"]["roles"], items["northgate/steward"]["key"]) == ("steward", "plain")
    assert items["northgate/steward"]["warning"] == ""
    assert "30 days" in items["northgate/dpo"]["warning"]
    assert command(network, "wallet", "list", "northgate") == 0
    assert "northgate/dpo: the certificate expires" in capsys.readouterr().err


def test_a_key_is_encrypted_once(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text("correct horse\n")
    monkeypatch.setenv("CONSENTRY_PASSPHRASE_FILE", str(passphrase))
    assert command(network, "wallet", "encrypt") == 0
    stored = (network / "wallets" / "northgate" / "steward.json").read_text()
    assert "BEGIN ENCRYPTED PRIVATE KEY" in stored
    assert command(network, "wallet", "encrypt") == 1
    captured = capsys.readouterr()
    assert "KEY_PROTECTED" in captured.err
    assert "correct horse" not in captured.out + captured.err


def test_renewing_without_an_authority_is_refused(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(network, "wallet", "renew") == 1
    assert "CA_MISSING" in capsys.readouterr().err


def test_a_token_that_is_not_there_is_refused(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pin = tmp_path / "pin"
    pin.touch(0o600)
    pin.write_text("12345678\n")
    monkeypatch.setenv("CONSENTRY_PIN_FILE", str(pin))
    arguments = ["--library", str(tmp_path / "none.so"), "--token", "t", "--key", "k"]
    assert command(network, "wallet", "add-token", str(network / "tls.pem"), *arguments) == 1
    captured = capsys.readouterr()
    assert "WALLET_LOCKED" in captured.err
    assert "12345678" not in captured.err
