"""What a long ledger costs: restart, memory, and a submit with few and with many transactions behind it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.clients import enrolled_gateway
from benchmarks.embedded import two_organizations
from benchmarks.ledger_filling import LedgerFiller
from benchmarks.load import VALUE, measured, submits
from benchmarks.results import Measurement
from fabric_embedded import EmbeddedNetwork
from fabric_embedded.assembly import read_material
from fabric_embedded.paths import NetworkPaths

TRANSACTIONS = int(os.environ.get("CONSENTRY_BENCH_TRANSACTIONS", "50000"))
"""How many; 0 leaves this benchmark out. The bars are for 1000000: some minutes, 4 GB of disk."""

_FEW = 1_000
_ROUNDS = 5
_SUBMITS = 200


def measure(directory: Path) -> Iterator[Measurement]:
    """Create a small and a large network in `directory`, and measure them side by side."""
    if not TRANSACTIONS:
        return
    directory.mkdir()
    small, large = (EmbeddedNetwork.create(directory / name, two_organizations()) for name in ("few", "many"))
    try:
        large.up()
        large.down()
        LedgerFiller(read_material(NetworkPaths(large.directory)), VALUE).fill(TRANSACTIONS)
        began = time.perf_counter()
        large.up()
        size = f"with {TRANSACTIONS:,} transactions"
        yield Measurement(f"restart {size}", time.perf_counter() - began, "s", 2, False)
        small.up()
        few, many = _costs_of_submit(small, large)
        what = f"engine's CPU a submit {size} ({many:.2f} ms) beside {_FEW:,} ({few:.2f} ms)"
        yield Measurement(what, many / few, "×", 1.1, False)
        yield Measurement(f"memory of the engine {size}", _resident_megabytes(large), "MB", 300, False)
    finally:
        small.down()
        large.down()


def _costs_of_submit(small: EmbeddedNetwork, large: EmbeddedNetwork) -> list[float]:
    """Milliseconds of CPU that each engine spends on one transaction; turn by turn, as machines vary."""
    networks = (small, large)
    spent = [0.0, 0.0]
    with ExitStack() as stack:
        contracts = [
            stack.enter_context(enrolled_gateway(network, "alpha")).network("bench").contract("values")
            for network in networks
        ]
        for contract in contracts:
            submits(contract, "warm", _FEW)()
        for turn in range(_ROUNDS):
            for index, network in enumerate(networks):
                load = measured(network, _SUBMITS, submits(contracts[index], str(turn), _SUBMITS))
                spent[index] += load.milliseconds["engine"] / _ROUNDS
    return spent


def _engine(network: EmbeddedNetwork) -> Path:
    return Path(f"/proc/{next(node.pid for node in network.status() if node.name == 'engine')}")


def _resident_megabytes(network: EmbeddedNetwork) -> float:
    lines = (_engine(network) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
