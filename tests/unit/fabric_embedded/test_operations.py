"""Health, access control, and the engine's command."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import httpx
import pytest
from support.sample_channel import CHANNEL, members, sample_config

from fabric_embedded import acl
from fabric_embedded.__main__ import main
from fabric_embedded.errors import AccessDenied
from fabric_embedded.operations import FABRIC_VERSION, operations_application

pytestmark = pytest.mark.unit

ALPHA = "AlphaMSP"


async def ask(failed: dict[str, str], path: str = "/healthz", method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(app=operations_application(lambda: failed))
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
        return await client.request(method, path)


async def test_health_names_what_is_missing() -> None:
    good = await ask({})
    assert good.status_code == 200
    assert good.json()["status"] == "OK"
    assert datetime.fromisoformat(good.json()["time"]).tzinfo is not None
    bad = await ask({"chaincode/b": "not connected", "chaincode/a": "not committed"})
    assert bad.status_code == 503
    assert bad.json()["failed_checks"] == [
        {"component": "chaincode/a", "reason": "not committed"},
        {"component": "chaincode/b", "reason": "not connected"},
    ]


async def test_the_version_says_what_runs_and_as_which_fabric() -> None:
    answer = await ask({}, "/version")
    assert answer.json()["Version"] == FABRIC_VERSION
    assert answer.json()["CommitSHA"].startswith("fabric-embedded ")


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("POST", "/healthz", 405, ""),
        ("POST", "/version", 400, '{"Error":"invalid request method: POST"}'),
        ("GET", "/healthz/", 404, "404 page not found\n"),
        ("DELETE", "/", 404, "404 page not found\n"),
    ],
)
async def test_other_requests_are_refused_as_fabric_does(
    method: str, path: str, status: int, text: str
) -> None:
    answer = await ask({}, path, method)
    assert (answer.status_code, answer.text) == (status, text)


@pytest.mark.parametrize(
    ("resource", "role", "allowed"),
    [
        (acl.PROPOSE, "client", True),
        (acl.PROPOSE, "peer", False),
        (acl.BLOCK_EVENTS, "peer", True),
        (acl.COMMIT_STATUS, "client", True),
        (acl.CHAINCODE_EVENTS, "orderer", False),
    ],
)
def test_default_policies_decide_by_role(resource: str, role: str, allowed: bool) -> None:
    signed = getattr(members(ALPHA), role).signed(b"data")
    if allowed:
        assert acl.check_access(sample_config(ALPHA), resource, signed) is None  # type: ignore[func-returns-value]
        return
    with pytest.raises(AccessDenied, match=rf"check policy on channel \[{CHANNEL}\] with policy"):
        acl.check_access(sample_config(ALPHA), resource, signed)


@pytest.mark.parametrize("name", ["Admins", "/Channel/Application/Admins"])
def test_a_channel_may_name_another_policy(name: str) -> None:
    config = dataclasses.replace(sample_config(ALPHA), acls={acl.PROPOSE: name})
    with pytest.raises(AccessDenied) as refusal:
        acl.check_access(config, acl.PROPOSE, members(ALPHA).client.signed(b"data"))
    assert refusal.value.message.startswith(
        f"failed evaluating policy on signed data during check policy [{name}]: ["
    )


@pytest.mark.parametrize("arguments", [[], ["serve"], ["serve", "a", "b"], ["stop", "a"]])
def test_the_command_explains_itself(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == (
        "usage: python -m fabric_embedded serve DIRECTORY\n       python -m fabric_embedded ca HOME\n"
    )


def test_an_unknown_log_level_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FABRIC_EMBEDDED_LOG", "LOUD")
    assert main(["serve", "."]) == 2
    assert "expected one of DEBUG, INFO, WARNING, ERROR, got 'LOUD'" in capsys.readouterr().err
