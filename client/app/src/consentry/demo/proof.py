"""Step 8: the chain is re-proved from its blocks; a flipped byte and a forged ledger are found."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from consentry.demo.cast import Cast
from consentry.demo.commands import CommandLine
from consentry.demo.story import Story
from consentry.network import export_blocks
from consentry.network.tampering import flip_random_byte, forge


def prove(story: Story, cast: Cast, commands: CommandLine) -> None:
    """The running network's chain, from the anchor that northgate keeps."""
    anchor = cast.directory / "anchors" / "northgate.txt"
    result = commands.json("northgate/dpo", "verify", "--anchor", str(anchor))
    story.expect(result["verdict"] == "proved", result["sentence"], result)
    story.record("blocks proved from the anchor", result["blocks"])
    story.record("transactions in them, invalid ones too", result["transactions"])


def find_tampering(story: Story, cast: Cast, commands: CommandLine, seed: int) -> None:
    """A random byte of a copy is flipped, then the whole ledger is replaced by a forged one."""
    work = cast.directory / "tampered"
    shutil.rmtree(work, ignore_errors=True)
    with ThreadPoolExecutor(1) as beside:
        # Forging a ledger takes some seconds.
        forging = beside.submit(_forge, cast.directory, work)
        _find_flipped(story, cast, commands, seed, work)
        forging.result()
    _find_forged(story, cast, commands, work)
    shutil.rmtree(work, ignore_errors=True)


def _find_flipped(story: Story, cast: Cast, commands: CommandLine, seed: int, work: Path) -> None:
    export_blocks(cast.directory, work / "flipped")
    flipped = flip_random_byte(work / "flipped", Random(seed))
    story.say(
        f"seed {seed}: byte {flipped.offset} of stored block {flipped.block} changed from "
        f"{flipped.before:#04x} to {flipped.after:#04x} in a copy"
    )
    found = _verify(commands, cast, work / "flipped")
    first = found["differences"][0]
    story.expect(first["block"] == flipped.block, f"found: {first['sentence']}", found)


def _forge(directory: Path, work: Path) -> None:
    forge(directory, work / "forged")
    export_blocks(work / "forged", work / "forged-blocks")


def _find_forged(story: Story, cast: Cast, commands: CommandLine, work: Path) -> None:
    story.say("a forged ledger with the same names was made: other keys, own genesis block")
    found = _verify(commands, cast, work / "forged-blocks")
    first = found["differences"][0]
    story.expect(first["kind"] == "ANCHOR", f"found: {first['sentence']}", found)


def _verify(commands: CommandLine, cast: Cast, blocks: Path) -> dict[str, list[dict[str, object]]]:
    anchor = str(cast.directory / "anchors" / "northgate.txt")
    found: dict[str, list[dict[str, object]]] = commands.json(
        "northgate/dpo", "verify", "--blocks", str(blocks), "--anchor", anchor, status=1
    )
    return found
