"""fabric-sdk-py 1.0.0, in an environment of its own, queries and invokes on both engines."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.embedded import enrolled_user, two_organizations
from support.engines import engine_parameters
from support.fabric_sdk import fabric_sdk_python
from support.native import native_network, native_topology

from consentry.errors import InputRejected
from consentry.identity import WalletIdentity
from consentry.profile import NetworkProfile
from consentry.sdk_profile import export_sdk_profile
from fabric_embedded.network import EmbeddedNetwork
from fabric_native import NativeNetwork
from fabric_protocol.certificates import key_pem

PROJECT = Path(__file__).with_name("fabric_sdk_py")


@pytest.fixture(scope="module", params=engine_parameters())
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedNetwork | NativeNetwork]:
    place = tmp_path_factory.mktemp("sdk")
    made = (
        two_organizations(place) if request.param == "embedded" else native_network(place, native_topology())
    )
    with made as network:
        yield network


@pytest.fixture
def exported(network: EmbeddedNetwork | NativeNetwork, tmp_path: Path) -> Path:
    user = enrolled_user(network, "alpha", f"user-of-{tmp_path.name}"[:60])
    identity = WalletIdentity("AlphaMSP", user.certificate, key_pem(user.key))  # type: ignore[arg-type]
    directory = tmp_path / "sdk"
    export_sdk_profile(NetworkProfile.load(network.directory), identity, directory)
    with pytest.raises(InputRejected) as caught:
        export_sdk_profile(NetworkProfile.load(network.directory), identity, directory)
    assert caught.value.code == "FILE_EXISTS"
    return directory


def test_the_profile_is_for_its_owner_and_never_without_tls(exported: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in exported.iterdir()} == {0o600}
    profile = json.loads((exported / "fabric-sdk-py.json").read_text())
    nodes = [*profile["peers"].values(), *profile["orderers"].values()]
    assert len(profile["peers"]) == 2
    assert profile["orderers"]
    for node in nodes:
        assert Path(node["tlsCACerts"]["path"]).is_file()
        assert node["grpcOptions"]["grpc.ssl_target_name_override"]


@pytest.mark.optional_tool("python3.11")
@pytest.mark.timeout(300)
def test_it_queries_and_invokes(exported: Path) -> None:
    request = {
        "directory": str(exported),
        "channel": "testing",
        "chaincode": "basic",
        "peers": ["peer0.alpha", "peer0.beta"],
        "calls": [
            ["invoke", "basic:put", ["colour", "blue"]],
            ["query", "basic:get", ["colour"]],
        ],
    }
    done = subprocess.run(
        [fabric_sdk_python(), str(PROJECT / "drive.py")],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == ["blue", "blue"]
