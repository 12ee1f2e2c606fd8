"""Each organization of a network of real Fabric from its own bundle, in a network namespace of its own."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key
from support.compose import compose_faults
from support.consent_frames import END, consent_frame
from support.installed_command import CONSENTRY, run_consentry
from support.machines import Machines, machines
from support.optional_tools import find_optional_tool
from support.units import running_units, unit_faults

from fabric_native import NativeNetwork
from fabric_native.bundle import COMPOSE, UNITS
from fabric_operator.errors import NetworkError

pytestmark = [
    pytest.mark.timeout(500),
    pytest.mark.optional_tool("fabric-binaries"),
    pytest.mark.optional_tool("network-namespaces"),
]
KINDS = {"northgate": "hospital", "riverside": "hospital", "regulator": "regulator"}
_KEY = re.compile(rb"-----BEGIN (?:EC )?PRIVATE KEY-----(.+?)-----END", re.DOTALL)


@pytest.fixture(scope="module")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Machines]]:
    """Where the whole network was made, with the bundles beside it, and the machines for these."""
    find_optional_tool("fabric-binaries")
    find_optional_tool("network-namespaces")
    directory = tmp_path_factory.mktemp("bundles")
    with machines(list(KINDS)) as machines_:
        organizations = [
            {"name": name, "kind": kind, "host": machines_.addresses[name]} for name, kind in KINDS.items()
        ]
        (directory / "ours.yaml").write_text(yaml.safe_dump({"organizations": organizations}))
        whole = str(directory / "whole")
        run_consentry("--network", whole, "network", "create", "--topology", str(directory / "ours.yaml"))
        for name in KINDS:
            run_consentry("--network", whole, "network", "export", name, "--to", str(directory / name))
        yield directory, machines_


def contents(directory: Path) -> Iterator[bytes]:
    """Every file's bytes, with those of the files in archives."""
    for path in directory.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            yield data
            if path.suffix == ".gz":
                yield from archived(data)


def archived(data: bytes) -> Iterator[bytes]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            content = file.read()
            yield content
            if member.name.endswith(".gz"):
                yield from archived(content)


def private_keys(directory: Path) -> set[bytes]:
    """The scalars of all private keys in a directory, as any encoding of them holds them."""
    bodies = {body for data in contents(directory) for body in _KEY.findall(data.replace(rb"\n", b"\n"))}
    return {scalar(base64.b64decode(b"".join(body.split()))) for body in bodies}


def scalar(der: bytes) -> bytes:
    """The secret number of an elliptic curve's key."""
    key = load_der_private_key(der, None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key.private_numbers().private_value.to_bytes(key.curve.key_size // 8, "big")


@pytest.mark.parametrize("name", KINDS)
def test_no_bundle_has_anything_secret_of_another_organization(
    consortium: tuple[Path, Machines], name: str
) -> None:
    directory, _ = consortium
    organizations = directory / "whole" / "organizations"
    own = private_keys(organizations / name)
    found = b"\0".join(contents(directory / name))
    decoded = private_keys(directory / name)
    assert len(own) > 6
    assert decoded == own
    for other in KINDS.keys() - {name}:
        secrets = private_keys(organizations / other)
        registrar = json.loads((organizations / other / "registrar.json").read_text())["secret"].encode()
        assert len(secrets) > 6
        assert not [secret for secret in secrets if secret in found or secret in decoded]
        assert registrar not in found
        assert str(organizations).encode() not in found


def test_what_runs_elsewhere_is_not_started_here(consortium: tuple[Path, Machines]) -> None:
    directory, _ = consortium
    run_consentry("--network", str(directory / "whole"), "network", "up", status=1)
    with pytest.raises(NetworkError, match=r"northgate \(10\.231\.7\.10\)") as refusal:
        NativeNetwork.load(directory / "whole").up()
    assert refusal.value.code == "HOST_ELSEWHERE"


def test_a_bundle_lists_its_nodes_for_systemd_and_for_containers(consortium: tuple[Path, Machines]) -> None:
    directory, _ = consortium
    bundle = directory / "northgate"
    nodes = {"ca-northgate", "orderer-northgate", "peer-northgate"}
    units = {path.stem.removeprefix("consentry-") for path in (bundle / UNITS).iterdir()}
    assert units == {*nodes, "chaincode-northgate", "decide-northgate"}
    assert compose_faults((bundle / COMPOSE).read_text()) == []
    services = yaml.safe_load((bundle / COMPOSE).read_text())["services"]
    assert services.keys() == nodes
    images = {service["image"] for service in services.values()}
    assert images == {
        "hyperledger/fabric-ca:1.5.21",
        "hyperledger/fabric-orderer:3.1.5",
        "hyperledger/fabric-peer:3.1.5",
    }
    for service in services.values():
        assert service["volumes"] == [f"{bundle}:{bundle}"]
        named = [value for value in service["environment"].values() if value.startswith("/")]
        assert all(Path(value).exists() for value in named)


@pytest.mark.optional_tool("systemd-analyze")
def test_systemd_takes_the_units_of_a_bundle(consortium: tuple[Path, Machines]) -> None:
    directory, _ = consortium
    for name in KINDS:
        units = sorted((directory / name / UNITS).iterdir())
        assert unit_faults(find_optional_tool("systemd-analyze"), units) == ""


def test_organizations_on_their_own_machines_are_one_network(consortium: tuple[Path, Machines]) -> None:
    directory, machines_ = consortium

    def consentry(name: str, *arguments: str) -> str:
        return machines_.run(name, [CONSENTRY, "--network", str(directory / name), *arguments])

    files = sorted((directory / "riverside" / UNITS).glob("consentry-[!d]*.service"))
    units = [(path, machines_.inside("riverside")) for path in files]
    started = ("northgate", "regulator")
    try:
        # Riverside's processes are started as its units say, the others' by the command.
        with running_units(units, directory), ThreadPoolExecutor(len(KINDS)) as pool:
            coming = [pool.submit(consentry, name, "network", "up") for name in started]
            joining = pool.submit(consentry, "riverside", "network", "join")
            for future in [*coming, joining]:
                future.result()
            record_and_read(directory, consentry)
            # One that comes back finds the others as they are.
            consentry("northgate", "network", "down")
            consentry("northgate", "network", "up")
            assert "running" in consentry("northgate", "network", "status")
    finally:
        for name in started:
            consentry(name, "network", "down")


def record_and_read(directory: Path, consentry: Any) -> None:
    """Northgate records a consent, endorsed by two organizations; riverside reads it at its own peer."""
    frame = consent_frame(["patient-1"]).assign(not_after=END)
    lists = ["purposes", "restrictions", "categories", "recipients"]
    frame[lists] = frame[lists].map(";".join)
    frame.to_csv(directory / "consents.csv", index=False)
    consentry("northgate", "network", "enroll", "northgate", "steward", "--role", "steward")
    consentry("riverside", "network", "enroll", "riverside", "auditor", "--role", "auditor")
    consentry("northgate", "--as", "northgate/steward", "consents", "import", str(directory / "consents.csv"))
    listed = consentry("northgate", "--as", "northgate/steward", "consents", "list", "--json")
    (consent,) = json.loads(listed)["items"]
    shown = json.loads(
        consentry(
            "riverside", "--as", "riverside/auditor", "consents", "show", consent["consent_id"], "--json"
        )
    )
    assert shown["custodian"] == "NorthgateMSP"
