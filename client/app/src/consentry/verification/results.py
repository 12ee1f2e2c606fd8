"""What verification found: typed, so that formatters and scripts need not parse sentences."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

Progress = Callable[[int], None]
"""Called with the number of blocks verified so far."""


class Verdict(StrEnum):
    """What a verification amounts to."""

    PROVED = "proved"
    CONSISTENT_NOT_ANCHORED = "consistent, not anchored"
    DIFFERS = "differs"


class DifferenceKind(StrEnum):
    """Stable codes for what can be wrong with a chain."""

    ANCHOR = "ANCHOR"
    ORIGIN = "ORIGIN"
    UNREADABLE = "UNREADABLE"
    ENCODING = "ENCODING"
    BLOCK_NUMBER = "BLOCK_NUMBER"
    PREVIOUS_HASH = "PREVIOUS_HASH"
    DATA_HASH = "DATA_HASH"
    CHANNEL = "CHANNEL"
    METADATA = "METADATA"
    ORDERER_SIGNATURE = "ORDERER_SIGNATURE"
    CONFIGURATION = "CONFIGURATION"
    VALIDATION = "VALIDATION"
    FLAGS = "FLAGS"
    COMMIT_HASH = "COMMIT_HASH"
    FORK = "FORK"
    ENDS_EARLY = "ENDS_EARLY"


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it has to be.

    Attributes:
        kind: stable code.
        source: name of the copy of the chain that differs.
        block: number that the block should have.
        transaction: index in the block, or None when the block as a whole differs.
        expected: what had to be there, in words or hex.
        got: what is there.
        sentence: all of it for a reader, without the source's name.
    """

    kind: DifferenceKind
    source: str
    block: int
    transaction: int | None
    expected: str
    got: str
    sentence: str

    def to_dict(self) -> dict[str, object]:
        """The difference as JSON-ready values."""
        return {
            "kind": str(self.kind),
            "source": self.source,
            "block": self.block,
            "transaction": self.transaction,
            "expected": self.expected,
            "got": self.got,
            "sentence": self.sentence,
        }


@dataclass(frozen=True)
class SourceResult:
    """How far one copy of the chain was followed.

    Attributes:
        name: the source's name.
        blocks: blocks of it that were verified.
        difference: its first difference, where following it ended, or None.
    """

    name: str
    blocks: int
    difference: Difference | None = None

    def to_dict(self) -> dict[str, object]:
        """The result as JSON-ready values."""
        difference = self.difference.to_dict() if self.difference else None
        return {"name": self.name, "blocks": self.blocks, "difference": difference}


@dataclass(frozen=True)
class VerificationResult:
    """The outcome of verifying one channel from one or more copies of it.

    Attributes:
        channel: channel id that the genesis block names; empty if not even that could be read.
        blocks: blocks proved, genesis included.
        transactions: transactions in them, valid or not.
        invalid_transactions: those of them whose recomputed code is not VALID.
        genesis_hash: hex SHA-256 of the genesis header that was found; empty if there was none.
        anchored: whether that hash was pinned from outside.
        last_header_hash: hex SHA-256 of the last proved header.
        sources: one entry per copy, in the order given.
        codes: how many transactions have each validation code, by its name.
        resumed_at: number of the first block that was read; what is before it an earlier verification proved.
    """

    channel: str
    blocks: int
    transactions: int
    invalid_transactions: int
    genesis_hash: str
    anchored: bool
    last_header_hash: str
    sources: tuple[SourceResult, ...]
    codes: dict[str, int] = field(default_factory=dict)
    resumed_at: int = 0

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The first difference of each copy, lowest block first."""
        found = [source.difference for source in self.sources if source.difference is not None]
        return tuple(sorted(found, key=lambda difference: difference.block))

    @property
    def first_difference(self) -> Difference | None:
        """The difference in the lowest block, or None."""
        return next(iter(self.differences), None)

    @property
    def verdict(self) -> Verdict:
        """Proved, consistent but not anchored, or different."""
        if self.differences:
            return Verdict.DIFFERS
        return Verdict.PROVED if self.anchored else Verdict.CONSISTENT_NOT_ANCHORED

    @property
    def sentence(self) -> str:
        """The outcome for a reader, the first difference named."""
        first = self.first_difference
        if first is not None:
            return f"{first.source}: {first.sentence}"
        scope = f"{self.blocks} blocks with {self.transactions} transactions of channel {self.channel}"
        if self.resumed_at:
            scope += f" (the first {self.resumed_at} by an earlier verification)"
        if self.anchored:
            return f"{scope} are proved from the anchor {self.genesis_hash}."
        return (
            f"{scope} are consistent, not anchored: anyone can make a consistent chain. "
            f"Pin the genesis hash from outside, or compare this one: {self.genesis_hash}."
        )

    def to_dict(self) -> dict[str, object]:
        """The result as JSON-ready values."""
        return {
            "verdict": str(self.verdict),
            "sentence": self.sentence,
            "channel": self.channel,
            "blocks": self.blocks,
            "resumed_at": self.resumed_at,
            "transactions": self.transactions,
            "invalid_transactions": self.invalid_transactions,
            "codes": dict(self.codes),
            "genesis_hash": self.genesis_hash,
            "anchored": self.anchored,
            "last_header_hash": self.last_header_hash,
            "sources": [source.to_dict() for source in self.sources],
            "differences": [difference.to_dict() for difference in self.differences],
        }
