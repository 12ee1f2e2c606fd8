"""What a bundle of blocks proves: what their transactions wrote, and whether they are valid."""

from dataclasses import dataclass

from .block import ProofBlock
from .configuration import Configuration
from .document import read_bundle
from .refusal import expect
from .transaction import Claim, Writing, read_writing
from .verifying import Followed, follow_configurations, needed_statements


@dataclass(frozen=True)
class ProvedBlock:
    """A block whose order is proved.

    Attributes:
        block: the block.
        config: the configuration under which it was ordered.
        flags: validation codes by the stating peers; empty without statements.
        is_attested: whether enough organizations' peers stated them.
    """

    block: ProofBlock
    config: Configuration
    flags: bytes
    is_attested: bool


class BlockBundle:
    """A bundle that was checked.

    Args:
        data: its bytes.
        anchor: hex SHA-256 of the genesis header, known from outside the ledger.
        organizations: of how many organizations peers have to state validity; by default more than half.

    Raises:
        ProofRefused: with the first thing that does not hold.
    """

    def __init__(self, data: bytes, anchor: str | None = None, organizations: int | None = None) -> None:
        bundle = read_bundle(data)
        self._namespace = bundle.namespace
        self._followed = follow_configurations(bundle.configurations, anchor, organizations)
        self.is_anchored = anchor is not None
        self._blocks = {block.number: _prove(block, self._followed, organizations) for block in bundle.blocks}

    @property
    def channel(self) -> str:
        """The channel's id."""
        return self._followed.newest[0].channel

    @property
    def genesis_hash(self) -> str:
        """Hex SHA-256 of the genesis header."""
        return self._followed.genesis_hash

    @property
    def is_attested(self) -> bool:
        """Whether enough organizations stand up for the validity of all blocks and configurations."""
        return not self._followed.unattested and all(block.is_attested for block in self._blocks.values())

    def header_hash(self, number: int) -> str:
        """Hex SHA-256 of a block's header; raises ProofRefused MISSING."""
        return self._block(number).block.hash

    def writing(self, number: int, position: int, transaction_id: str, key: str) -> Writing:
        """What a transaction wrote under a key.

        Raises:
            ProofRefused: MISSING, CLAIM; INVALID where the peers found the transaction invalid.
        """
        found = self._block(number)
        claim = Claim(found.config.channel, number, position, transaction_id, self._namespace, key)
        writing = read_writing(found.block.entries, claim, found.config)
        expect(not found.flags or found.flags[position] == 0, "INVALID", f"{transaction_id} is not valid")
        return writing

    def _block(self, number: int) -> ProvedBlock:
        expect(number in self._blocks, "MISSING", f"block {number} is not in the bundle")
        return self._blocks[number]


def _prove(block: ProofBlock, followed: Followed, organizations: int | None) -> ProvedBlock:
    config, number = followed.before(block.number)
    block.check_order(config, number)
    attestation = block.attestation(config)
    enough = len(attestation.organizations) >= needed_statements(config, organizations)
    return ProvedBlock(block, config, attestation.flags, enough and bool(attestation.flags))
