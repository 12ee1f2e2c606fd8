"""Re-proving a channel from its blocks: nothing that a peer says is believed.

Example:
    >>> from consentry.verification import DirectorySource, Verifier
    >>> result = Verifier().verify([DirectorySource(path)], anchor)  # doctest: +SKIP
    >>> result.sentence  # doctest: +SKIP
    '15 blocks with 167 transactions of channel mychannel are proved from the anchor 9c3f…'
"""

from consentry.verification.chain import ChainVerifier
from consentry.verification.checkpoint import VerifiedPart, read_checkpoint, write_checkpoint
from consentry.verification.errors import VerificationError
from consentry.verification.findings import Finding
from consentry.verification.ledger_state import LedgerState, MemoryLedgerState
from consentry.verification.proved_block import Position, ProvedBlock
from consentry.verification.results import (
    Difference,
    DifferenceKind,
    Progress,
    SourceResult,
    Verdict,
    VerificationResult,
)
from consentry.verification.signature_pool import available_cores
from consentry.verification.sources import BlockSource, DirectorySource, IterableSource, memory_source
from consentry.verification.verifier import Verifier

__all__ = [
    "BlockSource",
    "ChainVerifier",
    "Difference",
    "DifferenceKind",
    "DirectorySource",
    "Finding",
    "IterableSource",
    "LedgerState",
    "MemoryLedgerState",
    "Position",
    "Progress",
    "ProvedBlock",
    "SourceResult",
    "Verdict",
    "VerificationError",
    "VerificationResult",
    "VerifiedPart",
    "Verifier",
    "available_cores",
    "memory_source",
    "read_checkpoint",
    "write_checkpoint",
]
