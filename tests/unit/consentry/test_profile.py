"""network.json is read strictly: every fault is named with its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from consentry.errors import ConfigurationError
from consentry.profile import NetworkProfile


def document() -> dict[str, Any]:
    return {
        "version": 1,
        "engine": "embedded",
        "channel": "consentry",
        "chaincode": "consentry",
        "organizations": {
            "NorthgateMSP": {
                "name": "northgate",
                "kind": "hospital",
                "peers": [
                    {"endpoint": "127.0.0.1:41001", "tls_roots": "tls.pem", "server_name": "localhost"}
                ],
                "ca": {"url": "https://127.0.0.1:41002", "name": "northgate-ca", "tls_roots": "tls.pem"},
            },
            "RegulatorMSP": {
                "name": "regulator",
                "kind": "regulator",
                "peers": [{"endpoint": "peer.regulator:7051", "tls_roots": "/etc/tls.pem"}],
            },
        },
        "orderers": [{"endpoint": "127.0.0.1:41000", "tls_roots": "tls.pem", "server_name": "localhost"}],
    }


def write(tmp_path: Path, value: object) -> Path:
    path = tmp_path / "network.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_a_profile_is_read_from_the_file_or_its_directory(tmp_path: Path) -> None:
    path = write(tmp_path, document())
    profile = NetworkProfile.load(tmp_path)
    assert profile == NetworkProfile.load(path)
    northgate = profile.organization("NorthgateMSP")
    assert northgate == profile.organization_named("northgate")
    assert northgate.peers[0].server_name == "localhost"
    assert northgate.ca is not None
    assert northgate.ca.tls_roots == tmp_path / "tls.pem"
    regulator = profile.organization("RegulatorMSP")
    assert regulator.ca is None
    assert (regulator.peers[0].server_name, regulator.peers[0].tls_roots) == (
        "peer.regulator",
        Path("/etc/tls.pem"),
    )
    assert profile.subject_register("northgate") == tmp_path / "custody" / "northgate" / "subjects.sqlite"
    assert profile.wallet_directory("northgate") == tmp_path / "wallets" / "northgate"


def faulty(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    changed = document()
    inner: Any = changed
    for step in path[:-1]:
        inner = inner[step]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


NORTHGATE = ("organizations", "NorthgateMSP")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("version",), 2, "version: got 2, expected 1"),
        (("version",), True, "version: got bool, expected a whole number"),
        (("channel",), None, "channel is missing"),
        (("channel",), "", "channel is empty"),
        (("extra",), 1, "unknown fields: extra"),
        (("organizations",), {}, "got no organization"),
        (("organizations",), [], "organizations: got list, expected an object"),
        (("organizations", "no msp id!"), {}, "got MSP id"),
        ((*NORTHGATE, "peers"), [], "peers: got none"),
        ((*NORTHGATE, "peers"), ["x"], "expected a list of objects"),
        ((*NORTHGATE, "name"), "regulator", "two organizations have the same name"),
        ((*NORTHGATE, "peers", 0, "endpoint"), "127.0.0.1", "expected host:port"),
        ((*NORTHGATE, "peers", 0, "tls_roots"), None, "tls_roots is missing"),
        ((*NORTHGATE, "ca", "url"), "http://127.0.0.1", "expected https"),
        ((*NORTHGATE, "ca", "secret"), "x", "unknown fields: secret"),
        (("orderers", 0, "endpoint"), 1, "endpoint: got int, expected text"),
    ],
)
def test_every_fault_is_named(
    tmp_path: Path, path: tuple[str | int, ...], value: object, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        NetworkProfile.load(write(tmp_path, faulty(path, value)))
    assert caught.value.code == "PROFILE_INVALID"
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\udcff"])
def test_a_file_that_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "network.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigurationError) as caught:
        NetworkProfile.load(path)
    assert caught.value.code == "PROFILE_INVALID"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"network\.json cannot be read: No such file"):
        NetworkProfile.load(tmp_path)


def test_unknown_organizations_name_those_there_are(tmp_path: Path) -> None:
    profile = NetworkProfile.load(write(tmp_path, document()))
    for ask in (lambda: profile.organization("XMSP"), lambda: profile.organization_named("x")):
        with pytest.raises(ConfigurationError) as caught:
            ask()
        assert caught.value.code == "ORGANIZATION_UNKNOWN"


def test_missing_tls_roots_are_named(tmp_path: Path) -> None:
    profile = NetworkProfile.load(write(tmp_path, document()))
    with pytest.raises(ConfigurationError, match=r"tls\.pem .* cannot be read"):
        profile.orderers[0].read_tls_roots()
