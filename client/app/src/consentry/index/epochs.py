"""Epochs that custodians closed: each root is computed from the blocks here, and compared with theirs."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, insert, or_, select, update

from consentry.index.record_kinds import SUBJECT
from consentry.index.rows import RecordRow, find_records
from consentry.index.schema import blocks, chain_buckets, chain_entries, chains, findings, followed_epochs
from consentry_records.chains import FIRST_HEAD, bucket_of, bucket_root, epoch_root, next_head

CLOSED_EPOCH = "closed-epoch"
WRONG_EPOCH = "EPOCH_WRONG"


@dataclass(frozen=True)
class Followed:
    """How far a custodian's epochs were closed and found right.

    Attributes:
        number: of the last one; 0 before the first.
        last_block: its last block; -1 before the first.
        limits_last_block: last block of the last one that has subjects' limits; -1 before the first.
    """

    number: int = 0
    last_block: int = -1
    limits_last_block: int = -1

    @property
    def has_limits(self) -> bool:
        """Whether the last epoch has subjects' limits."""
        return self.limits_last_block == self.last_block


@dataclass(frozen=True)
class EpochHeads:
    """What a custodian's chains come to after a block.

    Attributes:
        root: over the heads of all its chains.
        chain_count: how many there are.
        heads: chain → head, of the chains that have entries in the epoch.
        bucket_roots: bucket → root, of the buckets that these are in.
        entry_count: how many entries the epoch has.
    """

    root: bytes
    chain_count: int
    heads: dict[str, bytes]
    bucket_roots: dict[int, bytes]
    entry_count: int


def followed(connection: Connection, custodian: str) -> Followed:
    """How far a custodian's epochs were followed."""
    row = connection.execute(select(followed_epochs).where(followed_epochs.c.custodian == custodian)).first()
    if row is None:
        return Followed()
    return Followed(row.number, row.last_block, row.limits_last_block)


def compute_epoch(
    connection: Connection, custodian: str, last_block: int, *, limits: bool = True
) -> EpochHeads:
    """What a custodian's chains come to, if its next epoch ends with a block that is indexed.

    Args:
        connection: the index.
        custodian: MSP id.
        last_block: the epoch's last block.
        limits: whether it has subjects' limits.
    """
    table = chain_entries.c
    query = (
        select(table.chain, table.leaf_hash)
        .where(table.custodian == custodian, table.block <= last_block)
        .where(_is_new(followed(connection, custodian), limits))
        .order_by(table.chain, table.block, table.position, table.kind, table.record_id)
    )
    leaves: dict[str, list[bytes]] = defaultdict(list)
    for row in connection.execute(query):
        leaves[row.chain].append(row.leaf_hash)
    old = _heads_in_buckets(connection, custodian, {bucket_of(name) for name in leaves})
    heads, opened = {}, 0
    for name, hashes in leaves.items():
        bucket = old[bucket_of(name)]
        opened += name not in bucket
        heads[name] = bucket[name] = next_head(bucket.get(name, FIRST_HEAD), hashes)
    roots = {number: bucket_root(bucket) for number, bucket in old.items()}
    query_count = select(func.count()).select_from(chains)
    query_count = query_count.where(chains.c.custodian == custodian, chains.c.head.is_not(None))
    count = int(connection.scalar(query_count) or 0) + opened
    everything = {**stored_roots(connection, custodian), **roots}
    return EpochHeads(epoch_root(everything), count, heads, roots, sum(map(len, leaves.values())))


def _is_new(before: Followed, limits: bool) -> ColumnElement[bool]:
    """Which entries no epoch has: all since the last one, and limits since the last one that had limits."""
    table = chain_entries.c
    since = table.block > before.last_block
    if not limits:
        return and_(since, table.kind != SUBJECT)
    if before.limits_last_block == before.last_block:
        return since
    first = table.block > before.limits_last_block
    return and_(first, or_(since, table.kind == SUBJECT))


def follow_epochs(connection: Connection, custodian: str) -> Followed:
    """Check the epochs that a custodian closed since, up to the first that is wrong, which becomes a finding.

    Returns:
        How far its epochs were followed.
    """
    for row in closed_epochs(connection, custodian, followed(connection, custodian).number):
        last_block = int(row.body["last_block"])
        made = compute_epoch(connection, custodian, last_block, limits=has_limits(row))
        problem = _problem(connection, row, followed(connection, custodian), made)
        if problem:
            _report(connection, row, problem)
            break
        _accept(connection, custodian, row, made)
    return followed(connection, custodian)


def closed_epochs(connection: Connection, custodian: str, after: int = 0) -> list[RecordRow]:
    """The closed epochs of a custodian after one, in their order; those that it did not sign are none."""
    found = [
        row
        for row in find_records(connection, CLOSED_EPOCH, owner=custodian)
        if row.honoured and row.body and int(row.body["number"]) > after
    ]
    return sorted(found, key=lambda row: int(row.body["number"]))


def has_limits(row: RecordRow) -> bool:
    """Whether a closed epoch has subjects' limits; those of earlier releases do not say so."""
    return bool(row.body.get("limits", False))


def bucket_heads(connection: Connection, custodian: str, bucket: int) -> dict[str, bytes]:
    """Heads of the chains in a bucket after the last epoch that was followed."""
    return _heads_in_buckets(connection, custodian, {bucket})[bucket]


def stored_roots(connection: Connection, custodian: str) -> dict[int, bytes]:
    """Roots of the buckets after the last epoch that was followed."""
    query = select(chain_buckets).where(chain_buckets.c.custodian == custodian)
    return {row.bucket: row.root for row in connection.execute(query)}


def _heads_in_buckets(
    connection: Connection, custodian: str, buckets: set[int]
) -> defaultdict[int, dict[str, bytes]]:
    found: defaultdict[int, dict[str, bytes]] = defaultdict(dict)
    query = select(chains.c.bucket, chains.c.name, chains.c.head).where(
        chains.c.custodian == custodian, chains.c.head.is_not(None)
    )
    if len(buckets) <= 400:
        query = query.where(chains.c.bucket.in_(sorted(buckets)))
    for row in connection.execute(query):
        if row.bucket in buckets:
            found[row.bucket][row.name] = row.head
    return found


def _problem(connection: Connection, row: RecordRow, before: Followed, made: EpochHeads) -> str:
    body = row.body
    header = connection.scalar(select(blocks.c.header_hash).where(blocks.c.number == body["last_block"]))
    if (body["number"], body["first_block"]) != (before.number + 1, before.last_block + 1):
        return f"it does not follow epoch {before.number}, which ends with block {before.last_block}"
    if body["last_block"] >= row.first_block or header is None:
        return f"it ends with block {body['last_block']}, which was not there when it was closed"
    if header.hex() != body["header_hash"]:
        return f"block {body['last_block']} has another header"
    if (f"sha256:{made.root.hex()}", made.chain_count) != (body["root"], body["chain_count"]):
        return f"the blocks give {made.chain_count} chains and the root sha256:{made.root.hex()}"
    return ""


def _report(connection: Connection, row: RecordRow, problem: str) -> None:
    values = {"block": row.first_block, "position": 0, "kind": CLOSED_EPOCH, "record_id": row.record_id}
    known = select(func.count()).select_from(findings)
    known = known.where(
        findings.c.record_id == row.record_id, findings.c.kind == CLOSED_EPOCH, findings.c.code == WRONG_EPOCH
    )
    if not connection.scalar(known):
        sentence = (
            f"Epoch {row.record_id} of the completeness chains is wrong, and so all after it: {problem}."
        )
        connection.execute(insert(findings), [values | {"code": WRONG_EPOCH, "sentence": sentence}])


def _accept(connection: Connection, custodian: str, row: RecordRow, made: EpochHeads) -> None:
    if made.heads:
        statement = update(chains).where(chains.c.name == bindparam("of_name"))
        parameters = [{"of_name": name, "new_head": head} for name, head in made.heads.items()]
        connection.execute(statement.values(head=bindparam("new_head")), parameters)
        this = (chain_buckets.c.custodian == custodian) & (chain_buckets.c.bucket == bindparam("of_bucket"))
        connection.execute(
            delete(chain_buckets).where(this), [{"of_bucket": number} for number in made.bucket_roots]
        )
        rows: list[dict[str, Any]] = [
            {"custodian": custodian, "bucket": number, "root": root}
            for number, root in made.bucket_roots.items()
        ]
        connection.execute(insert(chain_buckets), rows)
    last_block = row.body["last_block"]
    limits_last_block = last_block if has_limits(row) else followed(connection, custodian).limits_last_block
    connection.execute(delete(followed_epochs).where(followed_epochs.c.custodian == custodian))
    values = {"number": row.body["number"], "last_block": last_block, "limits_last_block": limits_last_block}
    connection.execute(insert(followed_epochs), [{"custodian": custodian, **values}])
