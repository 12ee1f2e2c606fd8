"""A proof file of one record: how much larger than its block it is, and how long checking it takes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from fabric_protos.peer import proposal_response_pb2

from benchmarks.ledger_filling import LedgerFiller
from benchmarks.load import VALUE
from benchmarks.results import Measurement
from consentry.network.presets import PRESETS
from consentry.proofs import make_proof, read_statement, verify_proof
from consentry.proofs.checking.block import Statement
from consentry.verification.encoding import read_block
from consentry.verification.proved_block import claimed_ids
from fabric_embedded import EmbeddedNetwork, read_blocks
from fabric_embedded.assembly import EngineMaterial, read_material
from fabric_embedded.paths import NetworkPaths
from fabric_protocol.endorsements import assemble_transaction, endorse, response_payload, signed_envelope
from fabric_protocol.proposals import new_proposal, proposal_hash

RUNS = int(os.environ.get("CONSENTRY_BENCH_PROOFS", "20"))
"""How often each proof is checked; 0 leaves this benchmark out."""

_SIZES = (1, 10, 500)
_KEY = "grant/grant-{0:032x}"
_LARGEST_OVERHEAD, _LONGEST = 64, 100


def measure(directory: Path) -> Iterator[Measurement]:
    """Make proofs of records in blocks of several sizes, with statements of four organizations' peers."""
    if not RUNS:
        return
    directory.mkdir()
    network = EmbeddedNetwork.create(directory / "network", PRESETS["consortium"]())
    network.up()
    network.down()
    paths = NetworkPaths(network.directory)
    material = read_material(paths)
    first = len(list(read_blocks(paths.ledger)))
    for number, count in enumerate(_SIZES):
        writes = [(_KEY.format(number << 16 | index), VALUE.encode()) for index in range(count)]
        LedgerFiller(material, VALUE, seed=number, signed=True, writes=writes).fill(count)
    blocks = list(read_blocks(paths.ledger))
    for number, count in enumerate(_SIZES):
        proof = _prove(material, blocks, first + number, _KEY.format(number << 16))
        block = len(blocks[first + number])
        what = f"proof of a record in a block of {count}"
        yield Measurement(
            f"{what}, beyond its block", (len(proof) - block) / 1024, "KiB", _LARGEST_OVERHEAD, False
        )
        yield Measurement(f"{what}, checked", _checked(proof, network.anchor()), "ms of CPU", _LONGEST, False)


def _prove(material: EngineMaterial, blocks: list[bytes], number: int, key: str) -> bytes:
    topology = material.topology
    made = make_proof(
        blocks.__getitem__,
        lambda msp_id, asked: _statement(material, msp_id, asked, blocks[asked]),
        [organization.msp_id for organization in topology.organizations],
        channel=topology.channel,
        block=number,
        transaction_id=claimed_ids(read_block(blocks[number], number))[0],
        namespace=topology.chaincode.name,
        key=key,
    )
    return made.data


def _statement(material: EngineMaterial, msp_id: str, number: int, block: bytes) -> Statement:
    """What a peer answers to `GetBlockByNumber`, signed with its key."""
    channel = material.topology.channel
    administrator = next(iter(material.administrators.values()))
    proposal = new_proposal(
        channel_id=channel,
        chaincode="qscc",
        arguments=[b"GetBlockByNumber", channel.encode(), str(number).encode()],
        creator=administrator.identity,
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
    )
    payload = response_payload(
        proposal_hash=proposal_hash(proposal.data),
        results=b"",
        event=b"",
        response=proposal_response_pb2.Response(status=200, payload=block),
        chaincode="qscc",
        version="syscc",
    )
    peer = next(peer for peer in material.peers.values() if peer.identity.msp_id == msp_id)
    content = assemble_transaction(
        proposal.data, payload, [endorse(payload, peer.signer, peer.identity.serialized)]
    )
    return read_statement(signed_envelope(content, b"").SerializeToString())


def _checked(proof: bytes, anchor: str) -> float:
    """Median of CPU time, in milliseconds."""
    spent = []
    for _ in range(RUNS):
        began = time.process_time()
        if not verify_proof(proof, anchor).is_proved:
            raise RuntimeError("The proof does not hold.")
        spent.append(time.process_time() - began)
    return sorted(spent)[len(spent) // 2] * 1000


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="consentry-bench-") as place:
        for item in measure(Path(place) / "proofs"):
            print(f"{item.what}: {item.measured:,.2f} {item.unit}; {'reached' if item.holds else 'missed'}")
