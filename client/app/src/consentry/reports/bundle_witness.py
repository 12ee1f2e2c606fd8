"""The proofs that a report carries as what it is compared with: no network, no index."""

from collections.abc import Iterator

from consentry.index.record_kinds import RECORD_KINDS, read_record
from consentry.proofs import BlockBundle, ProofRefused
from consentry.reports.evidence import Evidence, LedgerWrite
from consentry.reports.report import Completeness
from consentry_records import keys


class BundleWitness:
    """Compares a report's writes and headers with blocks that the anchor proves.

    Args:
        anchor: hex SHA-256 of the genesis header, known from outside the ledger.
    """

    is_total = False

    def __init__(self, anchor: str | None) -> None:
        self._anchor = anchor
        self.is_proof = False

    @property
    def name(self) -> str:
        """What confirmed the writes."""
        return "blocks proved from the anchor" if self.is_proof else "blocks that are proved in part only"

    def difference(self, evidence: Evidence, completeness: Completeness) -> str:
        """The first thing in which the blocks differ from the report; empty if there is none."""
        try:
            bundle = BlockBundle(evidence.proofs or b"", self._anchor)
            problem = next(_differences(bundle, evidence, completeness), "")
        except ProofRefused as refusal:
            return f"The proofs inside do not hold ({refusal.code}): {refusal}."
        self.is_proof = bundle.is_anchored and bundle.is_attested
        return problem


def _differences(bundle: BlockBundle, evidence: Evidence, completeness: Completeness) -> Iterator[str]:
    if (bundle.channel, bundle.genesis_hash) != (completeness.channel, completeness.genesis_hash):
        yield f"The proofs inside are of channel {bundle.channel}, genesis {bundle.genesis_hash}."
    for number, header in evidence.blocks.items():
        if bundle.header_hash(number) != header:
            yield f"Block {number} has another header."
    for write in evidence.writes:
        if write.block not in evidence.blocks:
            yield f"The report gives no header of block {write.block}."
        found = bundle.writing(write.block, write.position, write.transaction_id, _key(write))
        if (found.value or b"") != write.value:
            yield f"Block {write.block} does not have this {write.kind} {write.record_id}."
        if write.endorsed and not _is_signed(write, found.signed_by):
            yield f"The {write.kind} {write.record_id} of block {write.block} is not signed by its custodian."


def _is_signed(write: LedgerWrite, signed_by: tuple[str, ...]) -> bool:
    """Whether somebody of the record's custodian signed the transaction, where that is needed."""
    kind = RECORD_KINDS.get(write.kind)
    if kind is None or not kind.custodian_signs:
        return True
    body = read_record(kind, write.record_id, write.value)
    return body is None or kind.owner(body) in signed_by


def _key(write: LedgerWrite) -> str:
    return keys.SETTINGS if write.kind == keys.SETTINGS else f"{write.kind}/{write.record_id}"
