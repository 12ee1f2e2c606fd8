"""Kill the engine with kill -9 at random instants under load, and show that nothing told was untrue.

python -m benchmarks.durability --kills 200 --seed 1

After each restart: every transaction that a client was told of stands on the ledger as told, none twice;
unknown outcomes are found out by transaction id; the chain is proved from its genesis; public and private
state of every organization agree with what was acknowledged.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clients import enrolled_gateway
from benchmarks.durability_chaincode import COLLECTION
from benchmarks.durability_check import Checker
from benchmarks.durability_load import RESOLVER, Load, Told
from fabric_embedded import EmbeddedNetwork
from fabric_gateway import Network
from fabric_protocol.topology import ChaincodeDefinition, CollectionDefinition, Organization, Topology

COUNTERS = ("one", "two", "three", "four", "five", "six", "purging-seven", "purging-eight")
_ORGANIZATIONS = {"alpha": "AlphaMSP", "beta": "BetaMSP"}
_LONGEST_LIFE_SECONDS = 0.5
_LONGEST_START_SECONDS = 0.6
_KILLED_WHILE_STARTING = 0.2
"""Share of the kills that fall into the recovery from the kill before."""


@dataclass(frozen=True)
class Summary:
    """What a run showed; it would have raised if anything told had been untrue."""

    kills: int
    acknowledged: int
    resolved: int
    blocks: int

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.acknowledged} transactions acknowledged, none lost, none doubled;"
            f" {self.resolved} unknown outcomes found on the ledger; {self.blocks} blocks proved"
        )


def run(directory: Path, kills: int, seed: int) -> Summary:
    """Kill the engine of a new network in `directory` so many times.

    Parameters:
        directory: for the network; must not exist.
        kills: how many times.
        seed: of the instants. Which transactions a kill hits is up to the machine.

    Raises:
        DurabilityError: a client was told something that is not so.
        Finding: a block cannot be proved.
    """
    instants = random.Random(seed)
    network = EmbeddedNetwork.create(directory, _topology())
    told, checker = Told(), Checker(network.anchor(), (*COUNTERS, RESOLVER))
    try:
        network.up()
        with _connected(network) as networks:
            done = 0
            while done < kills:
                done += _kill_under_load(network, networks, told, instants)
                told.resolve(networks["AlphaMSP"].contract("counters"))
                checker.check(networks, told)
    finally:
        network.down()
    acknowledged = sum(answer.code == "VALID" for answer in told.answers.values())
    return Summary(done, acknowledged, told.resolved, checker.blocks)


def _kill_under_load(
    network: EmbeddedNetwork, networks: Mapping[str, Network], told: Told, instants: random.Random
) -> int:
    """Load the engine, kill it, maybe kill it once more while it recovers, and bring it up; the kills."""
    load = Load(networks["AlphaMSP"].contract("counters"), COUNTERS, told)
    time.sleep(instants.uniform(0, _LONGEST_LIFE_SECONDS))
    record = json.loads((network.directory / "run" / "engine.json").read_bytes())
    os.kill(int(record["pid"]), signal.SIGKILL)
    load.stop()
    kills = 1
    while instants.random() < _KILLED_WHILE_STARTING:
        command = [sys.executable, "-m", "fabric_embedded", "serve", str(network.directory)]
        engine = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        time.sleep(instants.uniform(0, _LONGEST_START_SECONDS))
        engine.kill()
        engine.wait()
        kills += 1
    network.up()
    return kills


@contextmanager
def _connected(network: EmbeddedNetwork) -> Iterator[dict[str, Network]]:
    """The channel as a client of each organization sees it; the connections outlive the engine."""
    with ExitStack() as stack:
        yield {
            msp_id: stack.enter_context(enrolled_gateway(network, name)).network("durability")
            for name, msp_id in _ORGANIZATIONS.items()
        }


def _topology() -> Topology:
    return Topology(
        channel="durability",
        organizations=tuple(
            Organization(name, msp_id, "hospital") for name, msp_id in _ORGANIZATIONS.items()
        ),
        chaincode=ChaincodeDefinition(
            name="counters",
            policy="OutOf(2, 'AlphaMSP.peer', 'BetaMSP.peer')",
            collections=(CollectionDefinition(COLLECTION, "OR('AlphaMSP.member', 'BetaMSP.member')"),),
            command=(sys.executable, str(Path(__file__).with_name("durability_chaincode.py"))),
        ),
    )


def main() -> int:
    """Run as a command; prints a summary, or the first thing that was untrue."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durability", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20_261)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="consentry-durability-") as place:
        print(run(Path(place) / "network", options.kills, options.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
