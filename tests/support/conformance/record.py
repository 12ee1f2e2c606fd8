"""Record real Fabric: answers to every scenario, and the chains that came of them.

PATH=…:$PATH PYTHONPATH=tests .venv/bin/python -m support.conformance.record [SCENARIO …]

It takes some minutes, and writes tests/conformance/fabric-3.1.5.json and tests/fixtures/fabric-3.1.5. With
scenarios named, only their answers are asked for and written.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from support.conformance.answers import RECORDED, differences, recorded_answers, write_answers
from support.conformance.chains import write_chain
from support.conformance.engines import ALPHA, BETA, CHANNEL, RunningEngine, fabric
from support.conformance.playing import play
from support.conformance.scenarios import SCENARIOS, orders

from fabric_gateway import Gateway, utc_clock
from fabric_protocol.blocks import header_hash, parse_block
from fabric_protocol.commit_hash import read_commit_hash
from fabric_protocol.ordering_config import BFT, RAFT


def main(names: Sequence[str] = ()) -> None:
    """Record with Raft and with SmartBFT; answers are Raft's, and how BFT's differ is printed."""
    if names:
        _record_some(names)
        return
    answers = {}
    for name, consensus in (("raft", RAFT), ("bft", BFT)):
        with (
            tempfile.TemporaryDirectory() as directory,
            fabric(Path(directory) / "network", consensus) as engine,
        ):
            chains: dict[str, list[bytes]] = {}
            answers[name] = play(engine, before=partial(_take_chains, engine, chains))
        _require_equal(*chains.values())
        path = write_chain(name, chains[ALPHA])
        print(f"{len(chains[ALPHA])} blocks in {path}, {path.stat().st_size} bytes")
    write_answers(answers["raft"])
    print(f"answers in {RECORDED}, {RECORDED.stat().st_size} bytes; BFT answered differently:")
    for difference in differences(answers["raft"], answers["bft"]):
        print(difference)


def _take_chains(engine: RunningEngine, chains: dict[str, list[bytes]], scenario: str) -> None:
    """What goes past gateways, in the last scenarios, makes no chain as clients make them."""
    if scenario == orders.SCENARIOS[0].__name__:
        chains |= {msp_id: _blocks(engine, msp_id) for msp_id in (ALPHA, BETA)}


def _record_some(names: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as directory, fabric(Path(directory) / "network") as engine:
        known = dict(recorded_answers()) | play(engine, names)
    write_answers({name: known[name] for name in SCENARIOS if name in known})


def _blocks(engine: RunningEngine, msp_id: str) -> list[bytes]:
    """All blocks of an organization's peer, as it sent them."""
    administrator = engine.administrator(msp_id)
    peer = engine.profile.organization(msp_id).peers[0]
    with Gateway.connect(
        peer.endpoint,
        identity=administrator.serialized,
        signer=administrator.signer,
        tls_roots=peer.read_tls_roots(),
        server_name=peer.server_name,
        clock=utc_clock,
    ) as gateway:
        network = gateway.network(CHANNEL)
        return list(network.blocks(0, parse_block(network.newest_block()).header.number))


def _require_equal(first: list[bytes], second: list[bytes]) -> None:
    for one, other in zip(map(parse_block, first), map(parse_block, second), strict=True):
        assert header_hash(one.header) == header_hash(other.header)
        assert read_commit_hash(one) == read_commit_hash(other)


if __name__ == "__main__":
    main(sys.argv[1:])
