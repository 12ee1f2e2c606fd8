"""Power failures: the ledger is recovered from what was synced, and from any part of what was not."""

from __future__ import annotations

import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import support.durable_writer
from support.crash_images import Disk, Event, record
from support.durable_writer import approve
from support.embedded import two_organization_topology
from support.ledger_check import check_ledger

from fabric_embedded.engine import Engine
from fabric_embedded.network import EmbeddedNetwork

_SEED = 20_261
_TRANSACTIONS = 3
_IMAGES = 30
_SHARES = (None, 0.5, 0.9)


async def test_acknowledged_transactions_survive_a_power_failure(
    tmp_path: Path, optional_tool: Callable[[str], str]
) -> None:
    strace = optional_tool("strace")
    network = EmbeddedNetwork.create(tmp_path / "network", two_organization_topology())
    fresh = tmp_path / "fresh"
    shutil.copytree(network.directory, fresh)
    command = [sys.executable, support.durable_writer.__file__, str(network.directory), str(_TRANSACTIONS)]
    # The second run finds a ledger that was closed, and a new write-ahead log under the name of the old.
    events = [event for _ in range(2) for event in record(strace, command, tmp_path / "trace")]
    randomness = random.Random(_SEED)
    disk, acknowledged, images = Disk(network.directory / "ledger"), dict[str, int](), 0
    points = _points(events, randomness)
    for number, event in enumerate(events):
        disk.apply(event)
        acknowledged |= _told(event)
        if number in points:
            share = _SHARES[images % len(_SHARES)]
            image = tmp_path / f"image-{images}"
            shutil.copytree(fresh, image)
            (image / "ledger").mkdir(exist_ok=True)
            disk.image(image / "ledger", None if share is None else randomness, share or 0.0)
            await _recover(image, acknowledged)
            images += 1
    assert images == _IMAGES
    assert len(acknowledged) > _IMAGES


def _points(events: Sequence[Event], randomness: random.Random) -> set[int]:
    """Instants worth a failure: right after somebody was told, around syncs, and anywhere."""
    kinds: list[Iterator[int] | range] = [
        (n for n, event in enumerate(events) if _told(event)),
        (n for n, event in enumerate(events) if event.call == "sync"),
        (n - 1 for n, event in enumerate(events) if event.call == "sync" and n),
        range(len(events)),
    ]
    candidates = [list(kind) for kind in kinds]
    points: set[int] = set()
    while len(points) < _IMAGES:
        points.add(randomness.choice(candidates[len(points) % len(candidates)]))
    return points


def _told(event: Event) -> dict[str, int]:
    if event.path != "stdout":
        return {}
    lines = [line.split() for line in event.data.decode().splitlines()]
    return {line[0]: int(line[1]) for line in lines if line}


async def _recover(directory: Path, acknowledged: dict[str, int]) -> None:
    """Open the image, find what was acknowledged, and go on from there."""
    engine = await Engine.open(directory)
    try:
        check_ledger(engine, acknowledged)
        await engine.start()
        transaction_id, block = await approve(engine, "afterwards")
        check_ledger(engine, {**acknowledged, transaction_id: block})
    finally:
        await engine.close()
