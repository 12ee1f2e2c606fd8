"""An engine killed at random instants under load: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from pathlib import Path

import support.durable_writer
from support.embedded import two_organization_topology

from fabric_embedded.engine import Engine
from fabric_embedded.network import EmbeddedNetwork
from fabric_protocol.blocks import check_link, header_hash, parse_block, transaction_flags
from fabric_protocol.collections import IMPLICIT_PREFIX
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.state import PrivateReader
from fabric_protocol.transactions import Transaction
from fabric_protocol.validation_codes import ValidationCode

_KILLS = 6
_SEED = 20_261


async def test_acknowledged_transactions_survive_kill_9(tmp_path: Path) -> None:
    network = EmbeddedNetwork.create(tmp_path / "network", two_organization_topology())
    randomness = random.Random(_SEED)
    acknowledged: dict[str, int] = {}
    for _ in range(_KILLS):
        acknowledged |= _run_and_kill(network.directory, randomness.uniform(0.0, 0.4))
        await _check(network.directory, acknowledged)
    assert len(acknowledged) > _KILLS


def _run_and_kill(directory: Path, seconds: float) -> dict[str, int]:
    command = [sys.executable, support.durable_writer.__file__, str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready")
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    lines = process.stdout.read().splitlines()
    process.stdout.close()
    process.wait()
    # The last line may be cut off: then nobody was told.
    return {parts[0]: int(parts[1]) for line in lines if len(parts := line.split()) == 2}


async def _check(directory: Path, acknowledged: dict[str, int]) -> None:
    engine = await Engine.open(directory)
    try:
        previous_hash, seen = b"", set()
        for number in range(engine.ledger.height):
            block = parse_block(engine.ledger.block(number) or b"")
            check_link(block, number=number, previous_hash=previous_hash)
            previous_hash = header_hash(block.header)
            for entry, code in zip(block.data.data, transaction_flags(block), strict=True):
                transaction = Transaction.from_envelope(entry)
                assert transaction.transaction_id not in seen
                seen.add(transaction.transaction_id)
                if number and code == ValidationCode.VALID:
                    _check_private(transaction, engine)
        for transaction_id, number in acknowledged.items():
            assert engine.ledger.transaction(transaction_id) == (ValidationCode.VALID, number)
    finally:
        await engine.close()
    await asyncio.sleep(0)


def _check_private(transaction: Transaction, engine: Engine) -> None:
    """Every private hash of a committed approval has its value at its holder, at the same version."""
    held: PrivateReader = engine._committer.private_stores["AlphaMSP"].data
    for entry in decode_rwset(transaction.results).namespaces:
        for collection in entry.collections:
            if collection.name != IMPLICIT_PREFIX + "AlphaMSP":
                continue
            values = {value.version for _, value in held.scan(entry.namespace, collection.name, "", "")}
            for write in collection.writes:
                hashed = engine.ledger.state.get_hashed(entry.namespace, collection.name, write.key_hash)
                assert hashed is not None
                assert hashed.version in values
