"""Which completeness chains a block's record writes join: computed without the database, then stored at once.

A write joins the chains of its record, of every record that it points to, and the chain that it opens: a
consent, a request or a subject's limits that of the subject, a dataset version that of its dataset. What a
report also needs and what points to nothing, a model and the ledger's settings, joins with the first write
that brings it in.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from consentry.index.interpretation import RecordWrite
from consentry_records.chains import DATASET, SUBJECT, ChainEntry, bucket_of, chain_name

RecordKey = tuple[str, str]
SETTINGS: RecordKey = ("settings", "")
_BROUGHT_IN = ("model", "settings")


@dataclass(frozen=True)
class KnownChains:
    """What the index already holds.

    Attributes:
        of_records: record → names of its chains.
        custodians: chain → MSP id of its custodian.
        brought_in: models and settings as they stand.
    """

    of_records: Mapping[RecordKey, frozenset[str]]
    custodians: Mapping[str, str]
    brought_in: Mapping[RecordKey, ChainEntry]


class ChainMembership:
    """Takes a block's record writes in their order."""

    def __init__(self, known: KnownChains) -> None:
        self._of_records = defaultdict(set, {key: set(names) for key, names in known.of_records.items()})
        self._custodians = dict(known.custodians)
        self._brought_in = dict(known.brought_in)
        self.opened: dict[str, dict[str, Any]] = {}
        self.entries: list[dict[str, Any]] = []

    def add(self, write: RecordWrite, owner: str, endorsed: bool) -> None:
        """Take one write.

        Args:
            write: the write.
            owner: MSP id of whose record it is.
            endorsed: whether its custodian's own peer endorsed it, where it has to.
        """
        key = (write.kind.name, write.record_id)
        linked = links_of(write)
        names = set(self._of_records[key]).union(*(self._of_records[other] for other in linked))
        name = opened_by(write)
        if name is not None:
            names.add(name)
        if not names and write.kind.name not in _BROUGHT_IN:
            return
        entry = entry_of(write, endorsed)
        if write.kind.name in _BROUGHT_IN:
            self._brought_in[key] = entry
        if name is not None and self._open(name, owner) and name.startswith(DATASET):
            settings = self._brought_in.get(SETTINGS)
            if settings is not None:
                self._join(name, settings, entry, settings.leaf_hash())
        leaf_hash = entry.leaf_hash()
        for joined in sorted(names):
            self._join(joined, entry, entry, leaf_hash)
            for other in linked:
                brought = self._brought_in.get(other)
                if brought is not None and joined not in self._of_records[other]:
                    self._join(joined, brought, entry, brought.leaf_hash())

    def _open(self, name: str, owner: str) -> bool:
        if name in self._custodians:
            return False
        self._custodians[name] = owner
        self.opened[name] = {"name": name, "custodian": owner, "bucket": bucket_of(name), "head": None}
        return True

    def _join(self, name: str, entry: ChainEntry, by: ChainEntry, leaf_hash: bytes) -> None:
        self._of_records[entry.kind, entry.record_id].add(name)
        self.entries.append(
            {
                "chain": name,
                "block": by.block,
                "position": by.position,
                "kind": entry.kind,
                "record_id": entry.record_id,
                "custodian": self._custodians[name],
                "written_block": entry.block,
                "written_position": entry.position,
                "leaf_hash": leaf_hash,
            }
        )


def entry_of(write: RecordWrite, endorsed: bool) -> ChainEntry:
    """A write as the chains bind it."""
    return ChainEntry(
        block=write.row.block,
        position=write.row.position,
        transaction_id=write.row.transaction_id,
        recorded_at=write.row.proposal_time,
        kind=write.kind.name,
        record_id=write.record_id,
        value_digest=sha256(write.value).hexdigest(),
        endorsed=endorsed,
    )


def standing_entry(kind: str, record_id: str, row: Any) -> ChainEntry:
    """A model or the settings, as the index's row of them says."""
    return ChainEntry(
        block=row.block,
        position=row.position,
        transaction_id=row.transaction_id,
        recorded_at=row.recorded_at,
        kind=kind,
        record_id=record_id,
        value_digest=sha256(row.body.encode()).hexdigest(),
        endorsed=True,
    )


def opened_by(write: RecordWrite) -> str | None:
    """The chain that a write opens, unless it is open; None if it opens none."""
    if write.body is None:
        return None
    match write.kind.name:
        case "dataset":
            return chain_name(DATASET, write.record_id)
        case "version":
            return chain_name(DATASET, str(write.body["dataset_id"]))
        case "consent" | "rights" | "subject":
            subject = write.body.get("subject")
            return chain_name(SUBJECT, str(subject)) if subject else None
    return None


def links_of(write: RecordWrite) -> tuple[RecordKey, ...]:
    """The records that a write points to, each once."""
    return tuple(dict.fromkeys(write.kind.links(write.body or {})))


def wanted_by(writes: Iterable[RecordWrite]) -> tuple[set[RecordKey], set[str]]:
    """The records whose chains, and the chains whose custodians, are needed for some writes."""
    records, names = set[RecordKey](), set[str]()
    for write in writes:
        records |= {(write.kind.name, write.record_id), *links_of(write)}
        name = opened_by(write)
        if name is not None:
            names.add(name)
    return records, names
