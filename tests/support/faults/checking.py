"""What is on record, at every organization's peer, against what the clients were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.faults.writing import COMMITTED, NOT_WRITTEN, Write

from consentry.profile import NetworkProfile
from consentry.verification.peers import live_peers
from consentry.wallet import WalletIdentity
from fabric_protocol.blocks import header_hash, parse_block, transaction_flags
from fabric_protocol.commit_hash import read_commit_hash
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.transactions import Transaction

_ATTEMPT, _DECISION = "attempt/", "decision/"
_VALID = 0


@dataclass
class OnRecord:
    """What one chain holds in valid transactions: how often each attempt was written, and decided."""

    attempts: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    blocks: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """What the checker found; all of it empty is as it must be."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    written_against_word: tuple[str, ...]
    undecided: tuple[str, ...]
    decided_twice: tuple[str, ...]
    unheard_of: tuple[str, ...]
    peers_that_differ: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not any(vars(self).values())

    def __str__(self) -> str:
        return ", ".join(f"{len(found)} {name.replace('_', ' ')}" for name, found in vars(self).items())


def read_record(blocks: Iterable[bytes], namespace: str) -> OnRecord:
    """Read a chain's attempts and decisions."""
    record = OnRecord()
    for data in blocks:
        block = parse_block(data)
        flags = transaction_flags(block)
        record.blocks.append((header_hash(block.header), flags, read_commit_hash(block)))
        for code, entry in zip(flags, block.data.data, strict=True):
            if code == _VALID:
                _count(record, _keys(entry, namespace))
    return record


def judge(history: Sequence[Write], records: dict[str, OnRecord]) -> Verdict:
    """Compare the clients' history with the records of all peers, which must agree."""
    names = list(records)
    first = records[names[0]]
    told = {write.attempt_id: write.outcome for write in history}
    return Verdict(
        lost=tuple(name for name, told_ in told.items() if told_ == COMMITTED and not first.attempts[name]),
        doubled=tuple(name for name, count in first.attempts.items() if count > 1),
        written_against_word=tuple(
            name for name, told_ in told.items() if told_ == NOT_WRITTEN and first.attempts[name]
        ),
        undecided=tuple(name for name in first.attempts if not first.decisions[name]),
        decided_twice=tuple(name for name, count in first.decisions.items() if count > 1),
        unheard_of=tuple(name for name in first.attempts if name not in told),
        peers_that_differ=tuple(name for name in names if records[name].blocks != first.blocks),
    )


def records_of_all_peers(directory: Path, identity: WalletIdentity) -> dict[str, OnRecord]:
    """Read every organization's peer, up to the newest block that all of them have."""
    profile = NetworkProfile.load(directory)
    with live_peers(profile, identity) as peers:
        return {peer.name: read_record(peer.blocks(), profile.chaincode) for peer in peers}


def _count(record: OnRecord, keys: Iterator[str]) -> None:
    for key in keys:
        if key.startswith(_ATTEMPT):
            record.attempts[key.removeprefix(_ATTEMPT)] += 1
        elif key.startswith(_DECISION):
            record.decisions[key.removeprefix(_DECISION)] += 1


def _keys(entry: bytes, namespace: str) -> Iterator[str]:
    """Public keys that a transaction writes."""
    results = Transaction.from_envelope(entry).results
    for part in decode_rwset(results).namespaces if results else ():
        if part.namespace == namespace:
            yield from (write.key for write in part.writes)
