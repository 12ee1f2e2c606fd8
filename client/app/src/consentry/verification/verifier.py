"""One channel proved from the copies that several organizations' peers hold of it."""

from collections.abc import Sequence

from consentry.verification.chain import ChainVerifier
from consentry.verification.checkpoint import VerifiedPart
from consentry.verification.errors import VerificationError
from consentry.verification.findings import Finding
from consentry.verification.ledger_state import MemoryLedgerState
from consentry.verification.proved_block import ProvedBlock, count_codes
from consentry.verification.reading import FollowedCopy
from consentry.verification.results import (
    Difference,
    DifferenceKind,
    Progress,
    SourceResult,
    VerificationResult,
)
from consentry.verification.resuming import follow_from, require_one_that_continues
from consentry.verification.signature_pool import SignaturePool, signature_pool
from consentry.verification.sources import BlockSource


class Verifier:
    """Re-proves a channel from its genesis: ``Verifier().verify([source, ...], anchor)``.

    Every block of every copy is checked against the chain proved so far: encoding, number, previous header,
    data hash, orderers' signatures, endorsement policies and versions (so every validation flag), commit
    hash. Copies whose headers agree share one validation. A copy is followed to its first difference; the
    others go on.
    """

    def __init__(self) -> None:
        self._chain = ChainVerifier(MemoryLedgerState())
        self._copies: tuple[FollowedCopy, ...] = ()
        self._part = VerifiedPart()
        self._resumed_at = 0

    @property
    def part(self) -> VerifiedPart:
        """What the last verification proved, for a later one to go on from."""
        return VerifiedPart(self._chain.position, self._part.state, self._part.codes)

    def verify(
        self,
        sources: Sequence[BlockSource],
        anchor: str | None = None,
        progress: Progress | None = None,
        *,
        through: int | None = None,
        begin: VerifiedPart | None = None,
        processes: int = 1,
    ) -> VerificationResult:
        """Prove the channel as far as any copy goes.

        Args:
            sources: one or more copies, e.g. the peers of several organizations; names must differ.
            anchor: hex SHA-256 of the genesis header, kept outside the ledger; None gives
                "not anchored" at best.
            progress: called after each block with the number of blocks proved.
            through: number of a block that every copy must at least reach, e.g. from an earlier verification;
                without it a single copy that was cut at its end cannot be told from a shorter chain.
            begin: what an earlier verification without differences proved; its state is changed. Of each copy
                the last block of that part is compared, those before are not read again.
            processes: how many check signatures beside this one, if more than 1; the caller's main module
                must then be importable, as `multiprocessing` asks.

        Returns:
            The verdict, the differences and how far each copy was followed.

        Raises:
            VerificationError: SOURCES_INVALID for no sources or two of one name, ANCHOR_INVALID for an
                anchor that is no hash, CAPABILITY_UNKNOWN or MSP_TYPE_UNSUPPORTED for a chain with a
                configuration that this release cannot run; ANCHOR_MISMATCH or CHECKPOINT_FOREIGN where
                ``begin`` is of another chain.
        """
        names = [source.name for source in sources]
        if not names or len(set(names)) != len(names):
            raise VerificationError("SOURCES_INVALID", f"Expected copies with different names, got {names}.")
        self._part = begin or VerifiedPart()
        self._resumed_at = self._part.position.next_block
        self._chain = ChainVerifier(self._part.state, anchor, self._part.position)
        self._copies = tuple(follow_from(source, self._part.position) for source in sources)
        if begin is not None:
            require_one_that_continues(self._copies)
        with signature_pool(processes) as pool:
            while self._step(pool):
                if progress is not None:
                    progress(self._chain.position.next_block)
        self._require_end(through)
        return self._result()

    def _step(self, pool: SignaturePool | None) -> bool:
        """Prove the next block from whichever copy has a sound one; False when none has."""
        reference: ProvedBlock | None = None
        reference_name = ""
        for copy in self._copies:
            found = copy.next(pool if reference is None else None) if copy.active else None
            if found is None:
                continue
            data, held = found
            if reference is None:
                self._chain.note_signatures(held)
                reference, reference_name = self._prove(copy, data, None), copy.name
            elif data != reference.data:
                self._compare(copy, data, reference, reference_name)
            if copy.difference is None:
                copy.blocks += 1
        if reference is None:
            return False
        self._chain.accept(reference)
        self._part.codes.update(count_codes(reference))
        self._mark_ended(reference.number, reference_name)
        return True

    def _prove(self, copy: FollowedCopy, data: bytes, like: ProvedBlock | None) -> ProvedBlock | None:
        try:
            return self._chain.prove(data, like)
        except Finding as finding:
            copy.difference = finding.in_source(copy.name)
            return None

    def _compare(self, copy: FollowedCopy, data: bytes, reference: ProvedBlock, reference_name: str) -> None:
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
                copy.ends_early(f"while the copy of {reference_name} goes on: it lags, or blocks are missing")

    def _require_end(self, through: int | None) -> None:
        for copy in self._copies:
            short = copy.blocks == 0 or (through is not None and copy.blocks <= through)
            if copy.difference is None and short:
                wanted = 0 if through is None else through
                copy.ends_early(f"but has to reach block {wanted}: blocks are missing")

    def _result(self) -> VerificationResult:
        position = self._chain.position
        total = self._part.codes.total()
        return VerificationResult(
            channel=self._chain.config.channel_id if position.next_block else "",
            blocks=position.next_block,
            transactions=total,
            invalid_transactions=total - self._part.codes["VALID"],
            genesis_hash=position.genesis_hash.hex(),
            anchored=self._chain.anchored,
            last_header_hash=position.header_hash.hex(),
            sources=tuple(SourceResult(copy.name, copy.blocks, copy.difference) for copy in self._copies),
            resumed_at=self._resumed_at,
            codes=dict(self._part.codes),
        )
