"""A chain proved block by block, each against what the blocks before it left."""

from collections.abc import Iterable

from consentry.verification import checks
from consentry.verification.anchors import normalized_anchor
from consentry.verification.encoding import Block, read_block
from consentry.verification.errors import VerificationError
from consentry.verification.findings import Finding
from consentry.verification.ledger_state import LedgerState
from consentry.verification.proved_block import Position, ProvedBlock
from consentry.verification.results import DifferenceKind
from fabric_protocol.blocks import header_hash
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.commit_hash import commit_hash
from fabric_protocol.errors import ConfigError, ProtocolError
from fabric_protocol.validation import ValidatedBlock, validate_block

# Orderers or administrators signed these blocks, so they are no difference: they are what this release cannot
# check.
_UNSUPPORTED = {
    "CAPABILITY_UNKNOWN": "sets a configuration with a capability of a newer Fabric",
    "MSP_TYPE_UNSUPPORTED": "sets a configuration with an organization without X.509 certificates",
}


class ChainVerifier:
    """Proves the next block of one chain; holds no blocks.

    ``prove`` changes nothing, ``accept`` moves on. Between the two the caller may store what it made of the
    block, in the transaction in which the ledger state is kept.

    Args:
        ledger: state after the last accepted block.
        anchor: hex SHA-256 of the genesis header, pinned from outside; None if there is none.
        position: where to go on; by default at block 0.

    Raises:
        VerificationError: ANCHOR_INVALID if the anchor is not 64 hex digits, ANCHOR_MISMATCH if
            ``position`` is of a chain with another genesis.
    """

    def __init__(
        self, ledger: LedgerState, anchor: str | None = None, position: Position | None = None
    ) -> None:
        self._ledger = ledger
        self._anchor = normalized_anchor(anchor)
        self._position = position or Position()
        self._config: ChannelConfig | None = None
        if self._position.next_block:
            self._config = ChannelConfig.from_block(
                read_block(self._position.config_block, self._position.last_config)
            )
            found = self._position.genesis_hash.hex()
            if self._anchor not in (None, found):
                raise VerificationError(
                    "ANCHOR_MISMATCH",
                    f"What was verified so far starts at genesis {found}, not at the anchor {self._anchor}; "
                    "start again from block 0 or correct the anchor.",
                )

    @property
    def position(self) -> Position:
        """How far the chain is proved."""
        return self._position

    @property
    def anchored(self) -> bool:
        """Whether block 0 was checked against an anchor."""
        return self._anchor is not None and self._position.next_block > 0

    @property
    def config(self) -> ChannelConfig:
        """The configuration in force for the next block.

        Raises:
            VerificationError: NOTHING_VERIFIED before block 0.
        """
        if self._config is None:
            raise VerificationError(
                "NOTHING_VERIFIED", "No block is verified yet, so no configuration is known."
            )
        return self._config

    def note_signatures(self, names: Iterable[bytes]) -> None:
        """Note signatures that another process of ours found to hold: they are not checked again.

        Args:
            names: from `fabric_protocol.signature_checks`, of the next block.
        """
        if self._config is not None:
            self._config.msps.signatures.note(names)

    def prove(self, data: bytes, like: ProvedBlock | None = None) -> ProvedBlock:
        """Check the next block in every respect, without moving on.

        Args:
            data: its stored bytes.
            like: the same block from another copy, already proved here; its validation is used again if the
                headers agree, as the data is then the same.

        Returns:
            The block and what follows from it.

        Raises:
            Finding: the first thing that is not as it has to be.
            VerificationError: CAPABILITY_UNKNOWN or MSP_TYPE_UNSUPPORTED for a block whose configuration this
                release cannot run.
        """
        number = self._position.next_block
        block = read_block(data, number)
        if number == 0:
            checks.check_anchor(block, self._anchor)
        checks.check_number(block, number)
        checks.check_previous_hash(block, number, self._position.header_hash)
        checks.check_data(block, number)
        return self._prove_genesis(block, data) if number == 0 else self._prove_next(block, data, like)

    def accept(self, proved: ProvedBlock) -> None:
        """Move on past a block that ``prove`` returned for this position.

        Raises:
            VerificationError: OUT_OF_ORDER if it is not the next block.
        """
        if proved.number != self._position.next_block:
            raise VerificationError(
                "OUT_OF_ORDER", f"Expected block {self._position.next_block}, got block {proved.number}."
            )
        self._ledger.apply(proved.updates, proved.validated.transaction_ids)
        self._position = proved.position
        self._config = proved.config

    def _prove_genesis(self, block: Block, data: bytes) -> ProvedBlock:
        try:
            config = ChannelConfig.from_block(block)
            validated = validate_block(
                block, config=config, state=self._ledger.state, known_transactions=lambda _ids: ()
            )
        except ProtocolError as error:
            raise _configuration(0, error) from error
        checks.check_metadata(block, 0, 0)
        checks.check_unsigned(block)
        checks.check_flags(block, 0, validated.codes)
        own_hash = header_hash(block.header)
        position = Position(1, own_hash, b"", own_hash, data, 0)
        return ProvedBlock(
            0, data, block, own_hash, validated.codes, validated.updates, validated, position, config
        )

    def _prove_next(self, block: Block, data: bytes, like: ProvedBlock | None) -> ProvedBlock:
        before, number = self._position, self._position.next_block
        config = self.config
        checks.check_orderer_signatures(block, number, config)
        own_hash = header_hash(block.header)
        validated = like.validated if like is not None and like.header_hash == own_hash else None
        if validated is None:
            validated = self._validate(block, number, config)
        last_config = number if validated.new_config is not None else before.last_config
        checks.check_metadata(block, number, last_config)
        checks.check_flags(block, number, validated.codes)
        own_commit_hash = commit_hash(bytes(validated.codes), validated.updates, before.commit_hash)
        checks.check_commit_hash(block, number, own_commit_hash)
        config_block = data if validated.new_config is not None else before.config_block
        position = Position(
            number + 1, own_hash, own_commit_hash, before.genesis_hash, config_block, last_config
        )
        new_config = validated.new_config or config
        return ProvedBlock(
            number, data, block, own_hash, validated.codes, validated.updates, validated, position, new_config
        )

    def _validate(self, block: Block, number: int, config: ChannelConfig) -> ValidatedBlock:
        try:
            return validate_block(
                block,
                config=config,
                state=self._ledger.state,
                known_transactions=self._ledger.known_transactions,
            )
        except ProtocolError as error:
            if error.code in _UNSUPPORTED:
                raise VerificationError(
                    error.code,
                    f"Block {number} {_UNSUPPORTED[error.code]}, which this release cannot verify yet; "
                    f"blocks 0 to {number - 1} hold.",
                ) from error
            raise _configuration(number, error) from error


def _configuration(number: int, error: ProtocolError) -> Finding:
    return Finding(
        DifferenceKind.CONFIGURATION
        if number == 0 or isinstance(error, ConfigError)
        else DifferenceKind.VALIDATION,
        number,
        f"Block {number} cannot be validated: {error}.",
        expected="a block that can be validated",
        got=str(error),
    )
