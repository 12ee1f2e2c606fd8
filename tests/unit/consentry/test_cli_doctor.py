"""`consentry doctor`, --quiet and completion."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.sample_organizations import SampleOrganization

from consentry.cli.main import run
from consentry.errors import ConfigurationError
from consentry.gate.compute.isolation import Isolation
from consentry.identity import WalletIdentity
from consentry.wallet import Wallet
from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_private_key

MSP = "NorthgateMSP"


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network whose peer is not there, with a steward and a service."""
    organization = SampleOrganization(MSP)
    (tmp_path / "tls.pem").write_bytes(organization.authority.pem)
    peers = [{"endpoint": "127.0.0.1:1", "tls_roots": "tls.pem"}]
    members = {MSP: {"name": "northgate", "kind": "hospital", "peers": peers}}
    profile = {"version": 1, "engine": "fabric", "channel": "c", "chaincode": "consentry"}
    document = {**profile, "organizations": members, "orderers": []}
    (tmp_path / "network.json").write_text(json.dumps(document))
    for role in ("steward", "service"):
        key = new_private_key()
        certificate = issue(
            organization.authority,
            common_name="a1b2",
            public_key=key.public_key(),
            attributes={"consentry.role": role},
            start=datetime.now(UTC) - timedelta(days=1),
            valid_days=60,
        )
        identity = WalletIdentity(MSP, certificate_pem(certificate), key_pem(key))
        Wallet(tmp_path / "wallets" / "northgate").put(role, identity)
    return tmp_path


def examined(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str]]:
    status = run([*arguments, "doctor", "--json"])
    items = json.loads(capsys.readouterr().out)["items"]
    return status, {item["check"]: item["state"] for item in items}


def test_what_is_wrong_is_told_check_by_check(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, found = examined(capsys, "--network", str(network), "--as", "northgate/steward")
    assert status == 1
    assert found == {
        "network": "ok",
        "TLS roots of 127.0.0.1:1": "ok",
        "identity": "ok",
        "certificate": "warning",
        "key": "warning",
        "peer and clock": "failed",
        "outbox": "ok",
    }


def test_what_rests_on_a_failed_check_is_left_out(
    network: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert examined(capsys, "--network", str(tmp_path / "none")) == (1, {"network": "failed"})
    assert examined(capsys, "--network", str(network))[1]["identity"] == "warning"
    assert examined(capsys, "--network", str(network), "--as", "northgate/nobody")[1]["identity"] == "failed"


@pytest.mark.parametrize("holds", [True, False])
def test_a_service_learns_whether_functions_are_run(
    network: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, holds: bool
) -> None:
    def sandbox(_isolation: Isolation) -> object:
        if not holds:
            raise ConfigurationError("ISOLATION_UNAVAILABLE", "functions are not run here: no bubblewrap")
        return SimpleNamespace(environment=SimpleNamespace(executable="/usr/bin/python3"))

    monkeypatch.setattr(Isolation, "sandbox", sandbox)
    _, found = examined(capsys, "--network", str(network), "--as", "northgate/service")
    assert found["functions"] == ("ok" if holds else "warning")


def test_quiet_prints_answers_only(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--network", str(network), "wallet", "list"]
    assert run(arguments) == 0
    assert "expires on" in capsys.readouterr().err
    assert run(["--quiet", *arguments]) == 0
    captured = capsys.readouterr()
    assert (captured.err, "northgate/steward" in captured.out) == ("", True)


def test_a_shell_can_complete(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "--install-completion" in capsys.readouterr().out
