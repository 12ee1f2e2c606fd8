"""What a report rests on: the writes behind its rows, and the chains that show that none was left out.

With it a report is checked without the index that it was made from (`verifying`); see ADR 19.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from consentry_records.chains import ChainEntry, HeadProof

Manifest = Mapping[str, tuple[str, ...] | None]
"""Consent → dataset versions with rows under it, by the custodian's row manifests; None where they are not at
hand."""


@dataclass(frozen=True)
class LedgerWrite:
    """One write of a record on the ledger.

    Attributes:
        block: its block.
        position: index of its transaction in the block.
        transaction_id: that transaction's id.
        recorded_at: the transaction's time, by the clock of whoever created it.
        kind: the record's kind.
        record_id: its id.
        value: the bytes written; empty for a deletion.
        endorsed: whether the record's custodian endorsed it, where it has to.
    """

    block: int
    position: int
    transaction_id: str
    recorded_at: str
    kind: str
    record_id: str
    value: bytes
    endorsed: bool

    def entry(self) -> ChainEntry:
        """It as the chains bind it."""
        return ChainEntry(
            block=self.block,
            position=self.position,
            transaction_id=self.transaction_id,
            recorded_at=self.recorded_at,
            kind=self.kind,
            record_id=self.record_id,
            value_digest=sha256(self.value).hexdigest(),
            endorsed=self.endorsed,
        )


@dataclass(frozen=True)
class ChainEvidence:
    """One chain.

    Attributes:
        name: e.g. ``dataset/dataset-0123…``.
        custodian: MSP id of who commits it.
        epochs: number of each closed epoch with entries, and their indices in the writes, in order.
        open: indices of the writes since the last closed epoch.
        proof: that its head is under the root of the custodian's last closed epoch; None if there is none.
    """

    name: str
    custodian: str
    epochs: tuple[tuple[int, tuple[int, ...]], ...]
    open: tuple[int, ...]
    proof: HeadProof | None


@dataclass(frozen=True)
class Evidence:
    """All of it.

    Attributes:
        writes: writes in ledger order, the closed epochs' own among them.
        blocks: block → hex SHA-256 of its header, for each block of a write.
        manifest: by what the dataset versions of a subject were found; None where the report is not on one.
        chains: of the subject and the datasets that the report is about.
        references: table → for each row the indices of the writes of every record that it names.
        proofs: the blocks of the writes and what proves them, as a file; None unless asked for.
    """

    writes: tuple[LedgerWrite, ...]
    blocks: Mapping[int, str]
    manifest: Manifest | None = None
    chains: tuple[ChainEvidence, ...] = ()
    references: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    proofs: bytes | None = None
