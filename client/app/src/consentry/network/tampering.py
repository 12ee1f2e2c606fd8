"""Copies of a ledger that are tampered with, for the demo and the tests of verification."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from fabric_protos.common import common_pb2

from consentry.errors import ConfigurationError
from consentry.network.presets import preset as named_preset
from consentry.network.translation import translated
from fabric_embedded import EmbeddedNetwork, read_blocks, replace_block

_LEDGER = "ledger"
_FILE = "ledger.sqlite"


@dataclass(frozen=True)
class FlippedByte:
    """Which byte was changed: block number, offset in the stored block, the byte before and after."""

    block: int
    offset: int
    before: int
    after: int


def copy_ledger(directory: Path, target: Path) -> None:
    """Copy a network's stored ledger into the directory `target`, consistently while the engine runs."""
    source = directory / _LEDGER / _FILE
    if not source.is_file():
        raise ConfigurationError("LEDGER_MISSING", f"{source} does not exist; name a network's directory")
    (target / _LEDGER).mkdir(parents=True)
    copy = target / _LEDGER / _FILE
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as reader, sqlite3.connect(copy) as writer:
        reader.backup(writer)
    reader.close()
    writer.close()


@translated()
def flip_random_byte(directory: Path, generator: Random) -> FlippedByte:
    """Change one random byte in the data of one random stored block after the genesis block.

    The directory is one that :func:`copy_ledger` made: never a ledger that an engine uses.
    """
    blocks = list(read_blocks(directory / _LEDGER))
    number = generator.randrange(1, len(blocks))
    stored = bytearray(blocks[number])
    envelope = generator.choice(common_pb2.Block.FromString(blocks[number]).data.data)
    offset = stored.index(envelope) + generator.randrange(len(envelope))
    before = stored[offset]
    stored[offset] ^= generator.randrange(1, 256)
    replace_block(directory / _LEDGER, number, bytes(stored))
    return FlippedByte(number, offset, before, stored[offset])


@translated()
def forge(
    original: Path, target: Path, preset: str, progress: Callable[[str], None] = lambda message: None
) -> EmbeddedNetwork:
    """Make another ledger in `target` with the names of the one in `original`, but other keys, and stop it.

    It is complete and consistent: own genesis block, own certificates of the same organizations, a chaincode
    definition that all of them approved.
    """
    if original.resolve() == target.resolve():
        raise ConfigurationError("FORGERY_IN_PLACE", f"{target} is the original; name another directory")
    network = EmbeddedNetwork.create(target, named_preset(preset))
    try:
        network.up(progress)
    finally:
        network.down()
    return network
