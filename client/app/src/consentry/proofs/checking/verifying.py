"""What a proof file proves, from the genesis block to the record."""

from collections.abc import Sequence
from dataclasses import dataclass

from .block import ProofBlock
from .configuration import Configuration
from .document import read_document
from .refusal import expect
from .transaction import Claim, read_writing


@dataclass(frozen=True)
class Proof:
    """What holds of a proof file.

    Attributes:
        claim: where the record was written.
        value: the record as written; None if it was deleted.
        valid: whether the stating peers found the transaction valid; None without statements.
        attested_by: MSP ids of the organizations whose peers stated so, sorted.
        needed: how many have to, for the validity to count as proved.
        signed_by: MSP ids of the transaction's creator and endorsers whose signatures hold, sorted.
        genesis_hash: hex SHA-256 of the genesis header.
        anchored: whether that was pinned from outside.
        unattested: numbers of the configuration blocks that too few organizations stated to be valid.
    """

    claim: Claim
    value: bytes | None
    valid: bool | None
    attested_by: tuple[str, ...]
    needed: int
    signed_by: tuple[str, ...]
    genesis_hash: str
    anchored: bool
    unattested: tuple[int, ...]

    @property
    def is_attested(self) -> bool:
        """Whether enough organizations stand up for the validity, and for every configuration before."""
        return self.valid is not None and len(self.attested_by) >= self.needed and not self.unattested

    @property
    def is_proved(self) -> bool:
        """Whether the record is proved: from an anchor, and valid by enough statements."""
        return self.anchored and self.is_attested and bool(self.valid)

    @property
    def sentence(self) -> str:
        """The outcome for a reader."""
        where = f"{self.claim.key} of {self.claim.namespace} on channel {self.claim.channel}"
        what = f"{where} was written in block {self.claim.block} by transaction {self.claim.transaction_id}"
        if not self.is_attested:
            have = f"{len(self.attested_by)} of {self.needed} organizations' statements"
            if self.unattested:
                have += f", and configuration block {self.unattested[0]} lacks them"
            what = f"ordering only, not validity ({have}): {what}"
        elif not self.valid:
            what = f"an invalid transaction, which changed nothing: {what}"
        if not self.anchored:
            compare = f"compare the genesis hash with a pinned one: {self.genesis_hash}"
            return f"Holds, not anchored: {what}; {compare}."
        return f"{'Proved' if self.is_proved else 'Holds'}: {what}, from the anchor {self.genesis_hash}."

    def to_dict(self) -> dict[str, object]:
        """The outcome as JSON-ready values; the record's bytes as text."""
        return {
            **vars(self.claim),
            "sentence": self.sentence,
            "proved": self.is_proved,
            "valid": self.valid,
            "value": None if self.value is None else self.value.decode("utf-8", "backslashreplace"),
            "attested_by": list(self.attested_by),
            "needed": self.needed,
            "signed_by": list(self.signed_by),
            "genesis_hash": self.genesis_hash,
            "anchored": self.anchored,
            "unattested": list(self.unattested),
        }


def verify_proof(data: bytes, anchor: str | None = None, organizations: int | None = None) -> Proof:
    """Check a proof file.

    Args:
        data: the file's bytes.
        anchor: hex SHA-256 of the genesis header, known from outside the ledger.
        organizations: of how many organizations peers have to state the validity; by default of more than
            half of the channel's.

    Raises:
        ProofRefused: with the first thing that does not hold.
    """
    expect(organizations is None or organizations > 0, "NEEDED", "at least one organization has to state it")
    document = read_document(data)
    followed = follow_configurations(document.configurations, anchor, organizations)
    genesis_hash, unattested = followed.genesis_hash, followed.unattested
    config, number = followed.newest
    block, claim = document.block, document.claim
    expect(block.number > number, "ORDER", f"block {block.number} does not follow block {number}")
    block.check_order(config, number)
    attestation = block.attestation(config)
    fits = (claim.channel, claim.block) == (config.channel, block.number)
    expect(fits, "CLAIM", f"the file holds block {block.number} of channel {config.channel}")
    writing = read_writing(block.entries, claim, config)
    return Proof(
        claim=claim,
        value=writing.value,
        valid=attestation.flags[claim.transaction] == 0 if attestation.flags else None,
        attested_by=attestation.organizations,
        needed=needed_statements(config, organizations),
        signed_by=writing.signed_by,
        genesis_hash=genesis_hash,
        anchored=anchor is not None,
        unattested=unattested,
    )


@dataclass(frozen=True)
class Followed:
    """A channel's configurations, each proved from the one before.

    Attributes:
        configurations: each with the number of its block, from block 0 on.
        genesis_hash: hex SHA-256 of the genesis header.
        unattested: numbers of the configuration blocks that too few organizations stated to be valid.
    """

    configurations: tuple[tuple[Configuration, int], ...]
    genesis_hash: str
    unattested: tuple[int, ...]

    @property
    def newest(self) -> tuple[Configuration, int]:
        """The last configuration, and the number of its block."""
        return self.configurations[-1]

    def before(self, block: int) -> tuple[Configuration, int]:
        """The configuration under which a block was ordered, and the number of that one's block."""
        found = [entry for entry in self.configurations if entry[1] < block]
        expect(found, "ORDER", f"block {block} follows no configuration")
        return found[-1]


def follow_configurations(
    blocks: Sequence[ProofBlock], anchor: str | None, organizations: int | None
) -> Followed:
    """Prove a channel's configuration blocks, the genesis block first.

    Raises:
        ProofRefused: with the first thing that does not hold.
    """
    genesis, *later = blocks
    _check_genesis(genesis, anchor)
    config, number = Configuration(genesis.entries), 0
    found, unattested = [(config, number)], []
    for entry in later:
        expect(entry.number > number, "ORDER", f"block {entry.number} does not follow block {number}")
        entry.check_order(config, entry.number)
        attestation = entry.attestation(config)
        expect(not any(attestation.flags), "STATEMENT", f"configuration block {entry.number} is not valid")
        if len(attestation.organizations) < needed_statements(config, organizations):
            unattested.append(entry.number)
        config, number = _next(config, entry), entry.number
        found.append((config, number))
    return Followed(tuple(found), genesis.hash, tuple(unattested))


def needed_statements(config: Configuration, organizations: int | None) -> int:
    """Of how many organizations peers have to state a block; by default more than half of the channel's."""
    return len(config.members) // 2 + 1 if organizations is None else organizations


def describe(proof: Proof) -> str:
    """What a proof amounts to, for a reader."""
    value = "deleted" if proof.value is None else proof.value.decode("utf-8", "backslashreplace")
    return (
        f"{proof.sentence}\n"
        f"stated valid by: {', '.join(proof.attested_by) or 'nobody'} (needed: {proof.needed})\n"
        f"transaction signed by: {', '.join(proof.signed_by) or 'nobody'}\n"
        f"record: {value}"
    )


def _check_genesis(genesis: ProofBlock, anchor: str | None) -> None:
    is_first = genesis.number == 0 and not genesis.previous_hash
    expect(is_first, "ORDER", "the first configuration is not that of block 0")
    expect(
        not genesis.signatures and not genesis.statements, "ORDER", "a genesis block carries no signatures"
    )
    wanted = genesis.hash if anchor is None else anchor.strip().lower()
    expect(genesis.hash == wanted, "ANCHOR", f"the genesis hash is {genesis.hash}, not the anchor {wanted}")


def _next(config: Configuration, block: ProofBlock) -> Configuration:
    following = Configuration(block.entries)
    fits = (following.channel, following.sequence) == (config.channel, config.sequence + 1)
    expect(fits, "CONFIGURATION", f"block {block.number} does not hold the next configuration of the channel")
    return following
