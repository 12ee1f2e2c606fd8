"""Checking a report in JSON: that its rows are what the ledger has, and that none was left out (ADR 19)."""

import json
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from consentry.errors import ConsentryError
from consentry.index import IndexFault
from consentry.reports.details import Details
from consentry.reports.evidence import ChainEvidence, Evidence, LedgerWrite
from consentry.reports.evidence_json import evidence_from_json
from consentry.reports.evidence_making import references_of
from consentry.reports.json import FORMAT, render
from consentry.reports.recomposing import can_recompose, recompose, trail_of
from consentry.reports.report import Completeness
from consentry.reports.report_chains import (
    DATASET_FACTS,
    SUBJECT_FACTS,
    chains_of,
    complete_up_to,
    not_complete,
)
from consentry_records.chains import FIRST_HEAD, next_head
from consentry_records.closed_epoch import ClosedEpoch
from consentry_records.digest import digest_bytes
from consentry_records.errors import LedgerError

_CLOSED_EPOCH = "closed-epoch"
_LARGEST_BLOCK = 2**53
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
# They join a chain with the write that first needs them, perhaps long after they were written.
_BROUGHT_IN = ("model", "settings")
_LIMITS = "subject"
_COMPARED = ("title", "law", "facts", "basis", "fields", "tables", "figures", "remarks", "note")


class ReportRefused(ConsentryError):
    """A report is not what the ledger gives; code and sentence say where."""


class Witness(Protocol):
    """Knows the ledger: an index of verified blocks, or the blocks' proofs that the report carries."""

    @property
    def name(self) -> str:
        """What confirms the writes, for readers."""
        ...

    @property
    def is_total(self) -> bool:
        """Whether it knows every write there is, so that no chain that it compared can lack one."""
        ...

    @property
    def is_proof(self) -> bool:
        """Whether, once asked, it leaves nothing to anybody's word."""
        ...

    def difference(self, evidence: Evidence, completeness: Completeness) -> str:
        """The first thing in which the ledger differs, as a sentence; empty if there is none."""
        ...


@dataclass(frozen=True)
class ReportVerdict:
    """What holds of a report.

    Attributes:
        kind: of report.
        chains: names of the chains that it rests on.
        complete_through: MSP id of each custodian whose closed epoch covers all of its chains here → that
            epoch's last block: up to it nothing is left out.
        open_writes: writes after the last closed epochs, or in chains that no closed epoch has.
        witness: what confirmed that the writes are the ledger's; empty if nothing did.
        is_recomposed: whether its words were composed again and are the same.
        is_proved: whether nothing is left to the word of whoever made it.
    """

    kind: str
    chains: tuple[str, ...]
    complete_through: dict[str, int]
    open_writes: int
    witness: str
    is_recomposed: bool
    is_proved: bool

    @property
    def sentence(self) -> str:
        """The outcome for a reader."""
        if not self.is_recomposed:
            return (
                f"Holds, not proved: no chain speaks of what a report {self.kind} is about; the writes that "
                f"its rows name are {self._witnessed}, its words and its completeness are not checked."
            )
        ends = [f"{name} up to block {block}" for name, block in sorted(self.complete_through.items())]
        complete = f"nothing is left out of {' and '.join(ends)}" if ends else "no closed epoch covers it"
        rest = f"; {self.open_writes} later writes are in no closed epoch" if self.open_writes else ""
        proved = "Proved" if self.is_proved else "Consistent, not proved"
        return (
            f"{proved}: composed again from {len(self.chains)} chains, every row is the same; "
            f"{complete}{rest}; the writes are {self._witnessed}."
        )

    @property
    def _witnessed(self) -> str:
        return f"those of {self.witness}" if self.witness else "compared with nothing but themselves"

    def to_dict(self) -> dict[str, Any]:
        """The outcome as JSON-ready values."""
        return {**vars(self), "chains": list(self.chains), "sentence": self.sentence}


@dataclass(frozen=True)
class ReadReport:
    """A report in JSON, read."""

    document: dict[str, Any]
    completeness: Completeness
    evidence: Evidence


def read_report(data: bytes) -> ReadReport:
    """Read a report in JSON.

    Raises:
        ReportRefused: REPORT_INVALID, REPORT_WITHOUT_EVIDENCE.
    """
    try:
        document = json.loads(data)
        if document["format"] != FORMAT:
            raise ValueError(f"its format is {document['format']!r}, not {FORMAT!r}")
        if document["evidence"] is None:
            raise ReportRefused("REPORT_WITHOUT_EVIDENCE", "The report carries no evidence.")
        stated = {name: value for name, value in document["completeness"].items() if name != "sentence"}
        completeness = Completeness(**stated | {"closed_epochs": tuple(stated["closed_epochs"])})
        bytes.fromhex(completeness.header_hash + completeness.genesis_hash)
        is_place = type(completeness.last_block) is int and 0 <= completeness.last_block < _LARGEST_BLOCK
        if not is_place or type(completeness.anchored) is not bool:
            raise ValueError("its completeness has a field of another type")
        evidence = evidence_from_json(document["evidence"])
        references = {
            key: tuple(tuple(row) for row in table["references"]) for key, table in document["tables"].items()
        }
        return ReadReport(document, completeness, replace(evidence, references=references))
    except (*_MALFORMED, RecursionError) as error:
        raise ReportRefused("REPORT_INVALID", f"This is no report in JSON: {error}.") from error


def verify_report(data: bytes, witness: Witness | None = None) -> ReportVerdict:
    """Check a report in JSON.

    Args:
        data: the file's bytes.
        witness: what knows the ledger; without one the report is compared with itself only.

    Raises:
        ReportRefused: REPORT_INVALID, WRITES_DIFFER, CHAIN_DIFFERS, CHAIN_MISSING, ROWS_DIFFER.
    """
    read = read_report(data)
    try:
        return _verified(read, witness)
    except (*_MALFORMED, SQLAlchemyError) as error:
        raise ReportRefused(
            "REPORT_INVALID", f"This is no report in JSON: a {type(error).__name__} where it is read."
        ) from error


def _verified(read: ReadReport, witness: Witness | None) -> ReportVerdict:
    evidence, kind = read.evidence, str(read.document["report"])
    _check_writes(evidence)
    if witness is not None:
        problem = witness.difference(evidence, read.completeness)
        if problem:
            raise ReportRefused("WRITES_DIFFER", problem)
    epochs = _closed_epochs(evidence)
    for chain in evidence.chains:
        _check_chain(chain, evidence, epochs.get(chain.custodian))
    recomposed = can_recompose(kind)
    if recomposed:
        _check_words(read, epochs)
    covered = {chain.custodian for chain in evidence.chains} & set(epochs)
    covered -= {chain.custodian for chain in evidence.chains if not chain.epochs}
    total = witness is not None and witness.is_total
    return ReportVerdict(
        kind=kind,
        chains=tuple(chain.name for chain in evidence.chains),
        complete_through={name: epochs[name].last_block for name in sorted(covered)},
        open_writes=len({index for chain in evidence.chains for index in chain.open}),
        witness=witness.name if witness is not None else "",
        is_recomposed=recomposed,
        is_proved=recomposed
        and witness is not None
        and witness.is_proof
        and (total or covered == {chain.custodian for chain in evidence.chains}),
    )


def _check_writes(evidence: Evidence) -> None:
    """Check that each write is carried once, and that all that is named is carried."""
    places = {(write.block, write.position, write.kind, write.record_id) for write in evidence.writes}
    if len(places) != len(evidence.writes):
        raise ReportRefused("REPORT_INVALID", "The report carries a write twice.")
    named = [index for chain in evidence.chains for _, found in chain.epochs for index in found]
    named += [index for chain in evidence.chains for index in chain.open]
    named += [index for rows in evidence.references.values() for row in rows for index in row]
    if not all(type(index) is int and 0 <= index < len(evidence.writes) for index in named):
        raise ReportRefused("REPORT_INVALID", "The report names a write that it does not carry.")


def _closed_epochs(evidence: Evidence) -> dict[str, ClosedEpoch]:
    """The newest closed epoch of each custodian that the report carries."""
    found: dict[str, ClosedEpoch] = {}
    for write in evidence.writes:
        if write.kind != _CLOSED_EPOCH or not write.endorsed:
            continue
        try:
            epoch = ClosedEpoch.from_bytes(write.value)
        except LedgerError as error:
            raise ReportRefused(
                "CHAIN_DIFFERS", f"Closed epoch {write.record_id} cannot be read: {error.code}."
            ) from error
        if write.record_id != f"{epoch.custodian}/{epoch.number:06d}":
            raise ReportRefused("CHAIN_DIFFERS", f"Closed epoch {write.record_id} is another one.")
        before = found.get(epoch.custodian)
        if before is None or before.number < epoch.number:
            found[epoch.custodian] = epoch
    return found


def _check_chain(chain: ChainEvidence, evidence: Evidence, epoch: ClosedEpoch | None) -> None:
    """Compute a chain's head from the writes, and prove it under the root that its custodian committed."""
    numbers = [number for number, _ in chain.epochs]
    if chain.epochs and (epoch is None or numbers != sorted(set(numbers)) or numbers[-1] > epoch.number):
        raise ReportRefused("CHAIN_DIFFERS", f"The chain of {chain.name} has epochs that nobody closed.")
    writes = [evidence.writes[index] for index in chain.open]
    if epoch is not None and any(_is_early(write, epoch) for write in writes):
        raise ReportRefused(
            "CHAIN_DIFFERS", f"The chain of {chain.name} shows writes of closed epochs as later ones."
        )
    if not chain.epochs or epoch is None:
        return
    head = FIRST_HEAD
    for _, indices in chain.epochs:
        if not indices:
            raise ReportRefused("CHAIN_DIFFERS", f"The chain of {chain.name} has an epoch without writes.")
        head = next_head(head, [evidence.writes[index].entry().leaf_hash() for index in indices])
    if chain.proof is None or not chain.proof.holds(chain.name, head, digest_bytes(epoch.root)):
        raise ReportRefused(
            "CHAIN_DIFFERS",
            f"The writes about {chain.name} are not those under the root that {chain.custodian} committed in "
            f"epoch {epoch.number}: one was left out, added, moved or altered.",
        )


def _is_early(write: LedgerWrite, epoch: ClosedEpoch) -> bool:
    """Whether a write that no epoch is said to have should be in one."""
    left_out = _BROUGHT_IN if epoch.limits else (*_BROUGHT_IN, _LIMITS)
    return write.block <= epoch.last_block and write.kind not in left_out


def _check_words(read: ReadReport, epochs: dict[str, ClosedEpoch]) -> None:
    """Compose the report again from its chains' writes, and compare every statement and row."""
    document, evidence = read.document, read.evidence
    try:
        facts = {fact["label"]: fact["value"] for fact in document["facts"]}
        with trail_of(_chained(evidence), replace(read.completeness, closed_epochs=())) as trail:
            answers = None if evidence.manifest is None else _answers(evidence.manifest)
            kind, instant = document["report"], document["generated_at"]
            made = recompose(trail, kind, _about(kind, facts), instant, answers, Details(_stated(document)))
            with trail.snapshot() as connection:
                needed = chains_of(connection, made, answers)
    except (IndexFault, LedgerError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error.message if isinstance(error, ConsentryError | LedgerError) else str(error)
        raise ReportRefused(
            "ROWS_DIFFER", f"The writes that the report carries do not give it: {reason}"
        ) from error
    carried = {chain.name: chain.custodian for chain in evidence.chains}
    if not needed or needed != carried:
        raise ReportRefused(
            "CHAIN_MISSING", f"The report rests on other chains: {', '.join(sorted(needed))}."
        )
    closed = tuple(_sentence(name, epochs.get(name)) for name in sorted(set(carried.values())))
    expected = replace(
        made,
        completeness=replace(read.completeness, closed_epochs=closed),
        evidence=replace(evidence, references=references_of(made, evidence.writes)),
    )
    again = json.loads(render(expected))
    for name in (*_COMPARED, "completeness"):
        if document[name] != again[name]:
            raise ReportRefused("ROWS_DIFFER", _where(name, document[name], again[name]))


def _where(name: str, found: Any, expected: Any) -> str:
    if name != "tables" or not isinstance(found, dict) or set(found) != set(expected):
        return f"The report's {name} are not what its writes give."
    for key, table in expected.items():
        rows, wanted = found[key].get("rows"), table["rows"]
        if isinstance(rows, list) and rows != wanted:
            same = sum(1 for _ in _common(rows, wanted))
            return (
                f"Table {key} has {len(rows)} rows where its writes give {len(wanted)}; "
                f"the first that differs is row {same + 1}."
            )
    return "The report's tables are not what its writes give."


def _common(rows: list[Any], wanted: list[Any]) -> Any:
    for row, other in zip(rows, wanted, strict=False):
        if row != other:
            return
        yield row


def _chained(evidence: Evidence) -> list[LedgerWrite]:
    """The writes of the chains, each once; what else the report carries makes no row."""
    indices = {index for chain in evidence.chains for _, found in chain.epochs for index in found}
    indices |= {index for chain in evidence.chains for index in chain.open}
    return [evidence.writes[index] for index in sorted(indices)]


def _about(kind: str, facts: dict[str, str]) -> str:
    return facts[SUBJECT_FACTS.get(kind) or DATASET_FACTS[kind]]


def _answers(manifest: Any) -> Any:
    return lambda consent_id, _subject: manifest.get(consent_id)


def _stated(document: dict[str, Any]) -> dict[str, str]:
    """What the organization stated itself: the report says which statements these are."""
    return {
        entry["key"]: entry["value"][0]
        for entry in document["fields"]
        if isinstance(entry["value"], list) and entry["value"][1:] == [Details.MARK]
    }


def _sentence(custodian: str, epoch: ClosedEpoch | None) -> str:
    if epoch is None:
        return not_complete(custodian)
    return complete_up_to(custodian, epoch.number, epoch.last_block, epoch.root, limits=epoch.limits)
