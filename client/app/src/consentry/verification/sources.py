"""Where copies of a chain come from: a directory of files, a live peer, or any iterable of bytes."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from consentry.verification.errors import VerificationError


class BlockSource(Protocol):
    """One copy of a chain."""

    @property
    def name(self) -> str:
        """How results call this copy, e.g. ``NorthgateMSP's peer``."""
        ...

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """Serialized ``common.Block`` messages exactly as stored, in stored order, from ``start`` on."""
        ...


@dataclass(frozen=True)
class IterableSource:
    """Blocks that somebody else reads.

    Attributes:
        name: how results call this copy.
        read: gives the serialized blocks from a number on; called once per verification.
    """

    name: str
    read: Callable[[int], Iterable[bytes]]

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """The serialized blocks from ``start`` on."""
        return iter(self.read(start))


def memory_source(name: str, blocks: Iterable[bytes]) -> IterableSource:
    """A copy of a chain that is already in memory, from block 0 on.

    Args:
        name: how results call it.
        blocks: serialized ``common.Block`` messages in order.

    Returns:
        A source that can be read any number of times.
    """
    kept = tuple(blocks)
    return IterableSource(name, lambda start: kept[start:])


@dataclass(frozen=True)
class DirectorySource:
    """Blocks in files ``NNNNNN.block`` (a prefix such as ``peer-`` is allowed), by number.

    Attributes:
        directory: where the files are.
        label: how results call this copy; by default the directory's path.
        prefix: only files whose names start so.
    """

    directory: Path
    label: str = ""
    prefix: str = ""

    @property
    def name(self) -> str:
        """The label, or the directory's path."""
        return self.label or str(self.directory)

    def files(self) -> dict[int, Path]:
        """The block files by number.

        Raises:
            VerificationError: BLOCKS_NOT_FOUND if there are none, BLOCKS_AMBIGUOUS if two have one number.
        """
        found: dict[int, Path] = {}
        for path in sorted(self.directory.glob(f"{self.prefix}*.block")):
            match = re.fullmatch(r"(\d+)\.block", path.name.removeprefix(self.prefix))
            if match is None:
                continue
            number = int(match[1])
            if number in found:
                raise VerificationError(
                    "BLOCKS_AMBIGUOUS",
                    f"{self.directory} holds block {number} twice ({found[number].name} and {path.name}); "
                    "keep one of the files.",
                )
            found[number] = path
        if not found:
            raise VerificationError(
                "BLOCKS_NOT_FOUND",
                f"No {self.prefix}NNNNNN.block files in {self.directory}; "
                "`consentry network export-blocks DIRECTORY` writes them.",
            )
        return dict(sorted(found.items()))

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """The files' contents from block ``start`` on; a missing number is left out, not made up."""
        for number, path in self.files().items():
            if number >= start:
                yield path.read_bytes()
