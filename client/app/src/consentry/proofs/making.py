"""Making a proof file of one record: its block, the configurations before it, and peers' statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fabric_protos.common import common_pb2

from consentry.errors import InputRejected, LedgerUnreachable
from consentry.proofs.checking.block import ProofBlock, Statement
from consentry.proofs.checking.document import Bundle, write_bundle, write_document
from consentry.proofs.checking.transaction import Claim
from consentry.verification.encoding import read_block
from consentry.verification.proved_block import claimed_ids
from fabric_protocol.blocks import last_config_index, metadata

ReadBlock = Callable[[int], bytes]
"""Gives a block's bytes by its number, as a peer keeps it."""
AskStatement = Callable[[str, int], Statement]
"""Gives the statement of an organization's peer (MSP id) on a block, or raises LedgerUnreachable."""


@dataclass(frozen=True)
class MadeProof:
    """A proof file or bundle, and which organizations made no statements.

    Attributes:
        data: its bytes.
        silent: MSP ids of the organizations that were asked and gave none for some block, sorted.
    """

    data: bytes
    silent: tuple[str, ...]


def make_proof(
    read: ReadBlock,
    ask: AskStatement,
    organizations: Iterable[str],
    *,
    channel: str,
    block: int,
    transaction_id: str,
    namespace: str,
    key: str,
) -> MadeProof:
    """Make the proof file of one record.

    What goes into it is not checked here: whoever reads the file does that.

    Args:
        read: where the blocks come from.
        ask: where the statements come from.
        organizations: MSP ids of those to ask.
        channel, block, transaction_id, namespace, key: where the record was written.

    Raises:
        InputRejected: TRANSACTION_UNKNOWN if the block has no such transaction.
        LedgerUnreachable: a block could not be read.
    """
    maker = _Maker(read, ask, tuple(organizations))
    content = read_block(read(block), block)
    index = _index_of(content, transaction_id)
    claim = Claim(channel, block, index, transaction_id, namespace, key)
    numbers = _configuration_blocks(read, last_config_index(content))
    configurations = tuple(maker.block(number, read_block(read(number), number)) for number in numbers)
    data = write_document(claim, configurations, maker.block(block, content))
    return MadeProof(data, tuple(sorted(maker.silent)))


def make_bundle(
    read: ReadBlock,
    ask: AskStatement,
    organizations: Iterable[str],
    *,
    blocks: Iterable[int],
    namespace: str,
) -> MadeProof:
    """Make a bundle of blocks that proves every record which they wrote, each block once.

    Args:
        read: where the blocks come from.
        ask: where the statements come from.
        organizations: MSP ids of those to ask.
        blocks: their numbers, one at least.
        namespace: name of the chaincode whose records are meant.

    Raises:
        LedgerUnreachable: a block could not be read.
    """
    maker = _Maker(read, ask, tuple(organizations))
    contents = {number: read_block(read(number), number) for number in sorted(set(blocks))}
    newest = max(last_config_index(content) for content in contents.values())
    configurations = tuple(
        maker.block(number, read_block(read(number), number))
        for number in _configuration_blocks(read, newest)
    )
    found = tuple(maker.block(number, content) for number, content in contents.items())
    data = write_bundle(Bundle(namespace, configurations, found))
    return MadeProof(data, tuple(sorted(maker.silent)))


class _Maker:
    def __init__(self, read: ReadBlock, ask: AskStatement, organizations: tuple[str, ...]) -> None:
        self._read, self._ask, self._organizations = read, ask, organizations
        self.silent: set[str] = set()

    def block(self, number: int, content: common_pb2.Block) -> ProofBlock:
        """One block as a proof file holds it; the genesis block needs neither signatures nor statements."""
        signatures = metadata(content, common_pb2.SIGNATURES) if number else b""
        return ProofBlock(
            content.header.SerializeToString(deterministic=True),
            content.data.SerializeToString(deterministic=True),
            signatures,
            self._statements(number) if number else [],
        )

    def _statements(self, number: int) -> list[Statement]:
        found = []
        for organization in sorted(self._organizations):
            try:
                found.append(self._ask(organization, number))
            except LedgerUnreachable:
                self.silent.add(organization)
        return found


def _configuration_blocks(read: ReadBlock, newest: int) -> list[int]:
    """Numbers of the configuration blocks up to one, each found by what the block before it names."""
    numbers = [newest]
    while numbers[-1]:
        before = numbers[-1] - 1
        numbers.append(last_config_index(read_block(read(before), before)))
    return numbers[::-1]


def _index_of(content: common_pb2.Block, transaction_id: str) -> int:
    for index, claimed in enumerate(claimed_ids(content)):
        if claimed == transaction_id:
            return index
    raise InputRejected(
        "TRANSACTION_UNKNOWN",
        f"Block {content.header.number} has no transaction {transaction_id!r}; "
        f"it has {len(content.data.data)} others.",
    )
