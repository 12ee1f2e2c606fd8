"""What a proved block says: its transactions, valid or not, and the records that the valid ones wrote."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from consentry.index.record_kinds import RECORD_KINDS, RecordKind, read_record, split_key
from consentry.verification import ProvedBlock
from consentry_records.instants import EARLIEST, format_instant
from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import parse_identity, split_identity
from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.transactions import Transaction
from fabric_protocol.validation_codes import code_name

_LARGEST_CACHED = 16_384
_CACHED = 1_024


@dataclass(frozen=True)
class TransactionRow:
    """One transaction of a block.

    Attributes:
        block: number of its block.
        position: index in the block.
        transaction_id: its id; empty if it cannot be read.
        code: recomputed validation code.
        code_name: that code's name.
        chaincode: chaincode that it calls; empty for configurations.
        function: name of the called function; empty if there is none.
        creator_msp: MSP id of who created it.
        creator: common name in the creator's certificate: a random enrolment id.
        endorsers: MSP ids of those who endorsed it, sorted, joined by commas.
        event: name of the event that it set; empty if none.
        proposal_time: instant by the creator's own clock.
    """

    block: int
    position: int
    transaction_id: str
    code: int
    code_name: str
    chaincode: str
    function: str
    creator_msp: str
    creator: str
    endorsers: str
    event: str
    proposal_time: str


@dataclass(frozen=True)
class RecordWrite:
    """One record as one valid transaction wrote it.

    Attributes:
        row: the transaction.
        transaction: the same, parsed.
        kind: the record's kind.
        record_id: its id.
        body: its content; None where it was deleted or is no such record.
        value: the bytes written.
    """

    row: TransactionRow
    transaction: Transaction
    kind: RecordKind
    record_id: str
    body: dict[str, Any] | None
    value: bytes


def transaction_rows(proved: ProvedBlock) -> Iterator[tuple[TransactionRow, Transaction | None]]:
    """The rows of a block's transactions, each with what was parsed of it."""
    validated = proved.validated
    rows = zip(validated.codes, validated.transactions, validated.transaction_ids, strict=True)
    for position, (code, transaction, identifier) in enumerate(rows):
        yield _transaction_row(proved.number, position, code, transaction, identifier), transaction


def record_writes(
    row: TransactionRow,
    transaction: Transaction,
    rwset: ReadWriteSet,
    namespace: str,
    passed_over: Container[str] = (),
) -> Iterator[RecordWrite]:
    """The records that a valid transaction wrote.

    Args:
        row: the transaction's row.
        transaction: the transaction.
        rwset: its read-write set.
        namespace: name of the chaincode whose records are wanted.
        passed_over: keys of records that are not wanted.
    """
    for part in rwset.namespaces:
        if part.namespace != namespace:
            continue
        for write in part.writes:
            named = split_key(write.key)
            if named is None or write.key in passed_over:
                continue
            kind, identifier = named
            body = None if write.deletes else read_record(RECORD_KINDS[kind], identifier, write.value)
            yield RecordWrite(row, transaction, RECORD_KINDS[kind], identifier, body, write.value)


def endorser_msps(transaction: Transaction) -> tuple[str, ...]:
    """MSP ids that a transaction's endorsements name, sorted; whether they hold is another question."""
    found = set()
    for endorsement in transaction.endorsements:
        try:
            found.add(split_identity(endorsement.endorser)[0])
        except ProtocolError:
            continue
    return tuple(sorted(found))


def _transaction_row(
    number: int, position: int, code: int, transaction: Transaction | None, identifier: str
) -> TransactionRow:
    if transaction is None:
        name = code_name(code)
        return TransactionRow(number, position, identifier, code, name, "", "", "", "", "", "", EARLIEST)
    creator_msp, creator = _creator(transaction)
    return TransactionRow(
        block=number,
        position=position,
        transaction_id=identifier,
        code=code,
        code_name=code_name(code),
        chaincode=transaction.chaincode or "",
        function=_function(transaction),
        creator_msp=creator_msp,
        creator=creator,
        endorsers=",".join(endorser_msps(transaction)),
        event=transaction.event.name if transaction.event is not None else "",
        proposal_time=_instant(transaction),
    )


def _creator(transaction: Transaction) -> tuple[str, str]:
    serialized = transaction.creator
    # Text around a certificate can be of any length: what is remembered is to stay small.
    return _known_creator(serialized) if len(serialized) <= _LARGEST_CACHED else _read_creator(serialized)


def _read_creator(serialized: bytes) -> tuple[str, str]:
    try:
        identity = parse_identity(serialized)
    except ProtocolError:
        return "", ""
    return identity.msp_id, identity.common_name


_known_creator = lru_cache(maxsize=_CACHED)(_read_creator)
"""The same few create most transactions, and reading a certificate takes as long as all the rest of a row."""


def _function(transaction: Transaction) -> str:
    """The first argument if it looks like a name: arguments of strangers' transactions can be anything."""
    first = transaction.arguments[0] if transaction.arguments else b""
    try:
        text = first.decode("ascii")
    except UnicodeDecodeError:
        return ""
    return text if len(text) <= 128 and text.isprintable() else ""


def _instant(transaction: Transaction) -> str:
    try:
        return format_instant(transaction.timestamp)
    except (ValueError, OverflowError):
        return EARLIEST
