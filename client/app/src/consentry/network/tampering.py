"""Copies of a ledger that are tampered with, for the demo and the tests of verification."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from fabric_protos.common import common_pb2

from consentry.errors import ConfigurationError
from consentry.network.engines import load_network
from consentry.network.translation import translated
from fabric_embedded import EmbeddedNetwork


@dataclass(frozen=True)
class FlippedByte:
    """Which byte was changed: block number, offset in the stored block, the byte before and after."""

    block: int
    offset: int
    before: int
    after: int


def flip_random_byte(blocks: Path, generator: Random) -> FlippedByte:
    """Change one random byte in the data of one random block after the genesis block.

    Args:
        blocks: Directory that :func:`consentry.network.export_blocks` wrote: never one that an engine uses.
        generator: Chooses.
    """
    files = sorted(blocks.glob("*.block"))
    number = generator.randrange(1, len(files))
    stored = bytearray(files[number].read_bytes())
    envelope = generator.choice(common_pb2.Block.FromString(bytes(stored)).data.data)
    offset = stored.index(envelope) + generator.randrange(len(envelope))
    before = stored[offset]
    stored[offset] ^= generator.randrange(1, 256)
    files[number].write_bytes(stored)
    return FlippedByte(number, offset, before, stored[offset])


@translated()
def forge(original: Path, target: Path, progress: Callable[[str], None] = lambda message: None) -> None:
    """Make another ledger in `target` with the names of the one in `original`, but other keys, and stop it.

    It is complete and consistent: own genesis block, own certificates of the same organizations, a chaincode
    definition that all of them approved. Whoever forges needs no consortium, so one process does.
    """
    if original.resolve() == target.resolve():
        raise ConfigurationError("FORGERY_IN_PLACE", f"{target} is the original; name another directory")
    network = EmbeddedNetwork.create(target, load_network(original).topology)
    try:
        network.up(progress)
    finally:
        network.down()
