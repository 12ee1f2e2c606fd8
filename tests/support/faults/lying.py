"""Put an ordering node that lies in the place of an honest one, and take it away again."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from support.faults.consortium import TWIN, FaultyConsortium
from support.faults.lying_orderer import LIE
from support.faults.plan import ORGANIZATIONS, TWINNED

from fabric_native.nodes import orderer
from fabric_native.paths import NetworkPaths, NodePaths
from fabric_operator.ports import read_ports

_TESTS = Path(__file__).parents[2]


@contextlib.contextmanager
def lying_orderer(consortium: FaultyConsortium, organization: str) -> Iterator[None]:
    """An organization's ordering node lies to clients and peers; see `support.faults.lying_orderer`."""
    name, liar = f"orderer-{organization}", f"liar-{organization}"
    paths = NetworkPaths(consortium.network.directory)
    ports = read_ports(paths.ports)
    honest = ORGANIZATIONS[ORGANIZATIONS.index(organization) - 1]
    tls = _files(consortium, organization).tls
    command = (
        sys.executable,
        "-m",
        "support.faults.lying_orderer",
        f"127.0.0.1:{ports[name]}",
        str(tls.certificate),
        str(tls.key),
        f"127.0.0.1:{ports[f'orderer-{honest}']}",
        str(paths.organization(honest).tls_ca.certificate),
    )
    consortium.kill(name)
    consortium.keeper.start(liar, command, {"PYTHONPATH": str(_TESTS)})
    _wait(consortium, liar, organization, ports[name])
    # Peers look for a source of blocks again, and find the liar as often as another.
    consortium.switchboard.disconnect({ports[f"orderer-{item}"] for item in ORGANIZATIONS})
    try:
        yield
    finally:
        consortium.keeper.stop([liar])
        consortium.network.start_node(name)


@contextlib.contextmanager
def two_faced_orderer(consortium: FaultyConsortium, callers: Collection[str]) -> Iterator[None]:
    """An ordering node runs twice, from one ledger on; some organizations reach the one, some the other.

    Both speak to everybody: they vote twice, and what one says the other does not say, or says otherwise.
    Source: Bano et al., Twins: BFT Systems Made Robust, 2021.
    """
    name = f"orderer-{TWINNED}"
    honest = _files(consortium, TWINNED)
    twin = NodePaths(honest.directory.with_name(f"{TWIN}-{name}"))
    consortium.kill(name)
    shutil.rmtree(twin.directory, ignore_errors=True)
    shutil.copytree(honest.directory, twin.directory)
    settings = twin.directory / "orderer.yaml"
    settings.write_text(settings.read_text().replace(str(honest.data), str(twin.data)))
    consortium.network.start_node(name)
    program = consortium.network.binaries / "orderer"
    consortium.keeper.start(TWIN, (str(program),), {"FABRIC_CFG_PATH": str(twin.directory)})
    _wait(consortium, TWIN, TWIN, read_ports(NetworkPaths(consortium.network.directory).ports)[name])
    consortium.switchboard.divert(callers, TWIN)
    try:
        yield
    finally:
        consortium.keeper.kill(TWIN)
        consortium.keeper.forget(TWIN)
        consortium.switchboard.divert((), TWIN)
        shutil.rmtree(twin.directory)


def lies_told(consortium: FaultyConsortium) -> dict[str, int]:
    """Each lie of all ordering nodes that lied, and how often it was told."""
    logs = consortium.keeper.logs.glob("liar-*.log")
    lies = [line for log in logs for line in log.read_text().splitlines() if line.startswith(LIE)]
    return dict(Counter(re.sub(r"block \d+", "a block", line.removeprefix(LIE)) for line in lies))


def _wait(consortium: FaultyConsortium, name: str, place: str, port: int) -> None:
    consortium.keeper.wait_until_ready(name, lambda: consortium.switchboard.listens(place, port), 30.0)


def _files(consortium: FaultyConsortium, organization: str) -> NodePaths:
    node = orderer(consortium.network.topology.organization(organization))
    return NetworkPaths(consortium.network.directory).node(node)
