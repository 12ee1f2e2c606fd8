"""One channel proved from the copies that several organizations' peers hold of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consentry.verification.chain import ChainVerifier
from consentry.verification.errors import VerificationError
from consentry.verification.findings import Finding
from consentry.verification.ledger_state import MemoryLedgerState
from consentry.verification.proved_block import ProvedBlock, count_codes
from consentry.verification.results import (
    Difference,
    DifferenceKind,
    Progress,
    SourceResult,
    VerificationResult,
)
from consentry.verification.sources import BlockSource


@dataclass
class _Copy:
    name: str
    iterator: Iterator[bytes]
    blocks: int = 0
    ended: bool = False
    difference: Difference | None = None

    @property
    def active(self) -> bool:
        return not self.ended and self.difference is None


class Verifier:
    """Re-proves a channel from its genesis: ``Verifier().verify([source, ...], anchor)``.

    Every block of every copy is checked against the chain proved so far: encoding, number, previous header,
    data hash, orderers' signatures, endorsement policies and versions (so every validation flag), commit
    hash. Copies whose headers agree share one validation. A copy is followed to its first difference; the
    others go on.
    """

    def __init__(self) -> None:
        self._chain = ChainVerifier(MemoryLedgerState())
        self._copies: tuple[_Copy, ...] = ()
        self._codes: Counter[str] = Counter()

    def verify(
        self,
        sources: Sequence[BlockSource],
        anchor: str | None = None,
        progress: Progress | None = None,
        *,
        through: int | None = None,
    ) -> VerificationResult:
        """Prove the channel as far as any copy goes.

        Args:
            sources: one or more copies, e.g. the peers of several organizations; names must differ.
            anchor: hex SHA-256 of the genesis header, kept outside the ledger; None gives
                "not anchored" at best.
            progress: called after each block with the number of blocks proved.
            through: number of a block that every copy must at least reach, e.g. from an earlier verification;
                without it a single copy that was cut at its end cannot be told from a shorter chain.

        Returns:
            The verdict, the differences and how far each copy was followed.

        Raises:
            VerificationError: SOURCES_INVALID for no sources or two of one name, ANCHOR_INVALID for an
                anchor that is no hash, CAPABILITY_UNKNOWN or MSP_TYPE_UNSUPPORTED for a chain with a
                configuration that this release cannot run.
        """
        names = [source.name for source in sources]
        if not names or len(set(names)) != len(names):
            raise VerificationError("SOURCES_INVALID", f"Expected copies with different names, got {names}.")
        self._chain = ChainVerifier(MemoryLedgerState(), anchor)
        self._copies = tuple(_Copy(source.name, source.blocks()) for source in sources)
        self._codes = Counter()
        while self._step():
            if progress is not None:
                progress(self._chain.position.next_block)
        self._require_end(through)
        return self._result()

    def _step(self) -> bool:
        """Prove the next block from whichever copy has a sound one; False when none has."""
        reference: ProvedBlock | None = None
        reference_name = ""
        for copy in self._copies:
            data = next(copy.iterator, None) if copy.active else None
            if data is None:
                copy.ended = copy.ended or copy.difference is None
                continue
            if reference is None:
                reference, reference_name = self._prove(copy, data, None), copy.name
            elif data != reference.data:
                self._compare(copy, data, reference, reference_name)
            if copy.difference is None:
                copy.blocks += 1
        if reference is None:
            return False
        self._chain.accept(reference)
        self._codes += count_codes(reference)
        self._mark_ended(reference.number, reference_name)
        return True

    def _prove(self, copy: _Copy, data: bytes, like: ProvedBlock | None) -> ProvedBlock | None:
        try:
            return self._chain.prove(data, like)
        except Finding as finding:
            copy.difference = finding.in_source(copy.name)
            return None

    def _compare(self, copy: _Copy, data: bytes, reference: ProvedBlock, reference_name: str) -> None:
        proved = self._prove(copy, data, reference)
        if proved is None or proved.header_hash == reference.header_hash:
            return
        copy.difference = Difference(
            kind=DifferenceKind.FORK,
            source=copy.name,
            block=proved.number,
            transaction=None,
            expected=reference.header_hash.hex(),
            got=proved.header_hash.hex(),
            sentence=f"Block {proved.number} differs from that of {reference_name}, and each is sound "
            "by itself: the chain forks here.",
        )

    def _mark_ended(self, number: int, reference_name: str) -> None:
        for copy in self._copies:
            if copy.ended and copy.difference is None and copy.blocks == number:
                copy.difference = _ends_early(
                    copy, f"while the copy of {reference_name} goes on: it lags, or blocks are missing"
                )

    def _require_end(self, through: int | None) -> None:
        for copy in self._copies:
            short = copy.blocks == 0 or (through is not None and copy.blocks <= through)
            if copy.difference is None and short:
                wanted = 0 if through is None else through
                copy.difference = _ends_early(copy, f"but has to reach block {wanted}: blocks are missing")

    def _result(self) -> VerificationResult:
        position = self._chain.position
        total = self._codes.total()
        return VerificationResult(
            channel=self._chain.config.channel_id if position.next_block else "",
            blocks=position.next_block,
            transactions=total,
            invalid_transactions=total - self._codes["VALID"],
            genesis_hash=position.genesis_hash.hex(),
            anchored=self._chain.anchored,
            last_header_hash=position.header_hash.hex(),
            sources=tuple(SourceResult(copy.name, copy.blocks, copy.difference) for copy in self._copies),
            codes=dict(self._codes),
        )


def _ends_early(copy: _Copy, why: str) -> Difference:
    end = f"at block {copy.blocks - 1}" if copy.blocks else "before its first block"
    return Difference(
        kind=DifferenceKind.ENDS_EARLY,
        source=copy.name,
        block=copy.blocks,
        transaction=None,
        expected=f"block {copy.blocks}",
        got="nothing",
        sentence=f"Block {copy.blocks} is missing: this copy ends {end}, {why}.",
    )
