"""fabric_gateway beside the official Node.js client: rate on a null gateway, CPU on an engine.

Both clients run as processes of their own, interleaved, on the same gateway, with the same number in
flight; CPU is the client process's, all threads. Ours runs a second time with gRPC's older event loop, which
programs that do not fork may choose (docs/decisions/0030); no bar rests on that.
Run it alone: ``python -m benchmarks.client_submit``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.embedded import two_organizations
from benchmarks.results import Measurement
from consentry.ca_client import CaClient, new_enrolment_id
from consentry.profile import NetworkProfile
from fabric_embedded import EmbeddedNetwork

ROUNDS = 3
SUBMITS = 1_000
IN_FLIGHT = 100
_HERE = Path(__file__).parent
_START_SECONDS = 60
_OLDER_LOOP = "-event_engine_listener,-event_engine_client"


def measure(directory: Path) -> Iterator[Measurement]:
    """Run both clients; nothing where Node.js or its packages are not there, with a line that says so."""
    packages = next(iter(sorted((_HERE.parent / ".tools").glob("node-packages-*/node_modules"))), None)
    if shutil.which("node") is None or packages is None:
        print("clients: not run; they need Node.js, and its packages, which `make test` installs")
        return
    directory.mkdir(parents=True, exist_ok=True)
    null = directory / "null"
    null.mkdir()
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.null_gateway", str(null)])  # noqa: S603
    try:
        _wait_for(null / "settings.json", server)
        ours, node = _compare(null / "settings.json", packages, "null gateway")
    finally:
        server.terminate()
        server.wait(20)
    rate = ours["rate"] / node["rate"]
    yield Measurement("client on a null gateway, our submits a second / Node's", rate, "×", 1.5)
    network = EmbeddedNetwork.create(directory / "engine", two_organizations())
    try:
        network.up()
        ours, node = _compare(_user(network, directory), packages, "embedded engine")
    finally:
        network.down()
    share = ours["cpu"] / node["cpu"]
    yield Measurement("client on an engine, our CPU a submit / Node's", share, "×", 0.3, more_is_better=False)


def _compare(settings: Path, packages: Path, what: str) -> tuple[dict[str, float], dict[str, float]]:
    own = [sys.executable, "-m", "benchmarks.client_load"]
    commands = {
        "ours": own,
        "ours on the older loop": own,
        "node": ["node", str(_HERE / "node_client" / "submit.js")],
    }
    environment = {**os.environ, "NODE_PATH": str(packages)}
    environment.pop("GRPC_EXPERIMENTS", None)
    environments = {"ours on the older loop": {**environment, "GRPC_EXPERIMENTS": _OLDER_LOOP}}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            done = subprocess.run(  # noqa: S603
                [*command, str(settings), str(SUBMITS), str(IN_FLIGHT)],
                check=True,
                capture_output=True,
                text=True,
                env=environments.get(name, environment),
            )
            found[name].append(json.loads(done.stdout))
    medians = {
        name: {
            "rate": SUBMITS / median(run["seconds"] for run in runs),
            "cpu": median(run["cpu"] for run in runs) / SUBMITS * 1000,
        }
        for name, runs in found.items()
    }
    for name, values in medians.items():
        print(f"client, {what}, {name}: {values['rate']:,.0f}/s, {values['cpu']:.2f} ms of CPU a submit")
    return medians["ours"], medians["node"]


def _user(network: EmbeddedNetwork, directory: Path) -> Path:
    """A newly enrolled user's files and what clients need to know of the network."""
    profile = NetworkProfile.load(network.directory)
    member = next(iter(profile.organizations.values()))
    assert member.ca is not None
    with CaClient(member.ca, member.msp_id) as ca:
        registrar = ca.enroll(*network.registrar(member.name), attributes=())
        enrolment_id = new_enrolment_id()
        user = ca.enroll(enrolment_id, ca.register(registrar, enrolment_id, {}))
    peer, place = member.peers[0], directory / "user"
    place.mkdir(mode=0o700)
    (place / "roots.pem").write_bytes(peer.read_tls_roots())
    (place / "user.pem").write_bytes(user.certificate_pem)
    (place / "user.key").touch(0o600)
    (place / "user.key").write_bytes(user.private_key_pem)
    settings = {
        "endpoint": peer.endpoint,
        "server_name": peer.server_name,
        "msp_id": member.msp_id,
        "channel": profile.channel,
        "chaincode": profile.chaincode,
        "function": "bench:put",
    }
    (place / "settings.json").write_text(json.dumps(settings))
    return place / "settings.json"


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError("the null gateway did not start")
        time.sleep(0.02)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for measurement in measure(Path(place) / "clients"):
            reached = "reached" if measurement.holds else "missed"
            print(f"{measurement.what}: {measurement.measured:.2f}; {reached}")
