"""Validating a block: which of its transactions count, and what they change.

Source: Fabric ``core/committer/txvalidator/v20``, ``core/ledger/kvledger/txmgmt/validation``.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.block_structure import is_config_block
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.config_update import apply_config
from fabric_protocol.endorsement_rules import EndorsementRules
from fabric_protocol.errors import BlockError, ConfigError, EncodingError
from fabric_protocol.mvcc import ConcurrencyControl
from fabric_protocol.rwset import ReadWriteSet
from fabric_protocol.state import StateReader, Version
from fabric_protocol.state_cache import StateCache
from fabric_protocol.transactions import Transaction
from fabric_protocol.updates import HashedUpdate, PublicUpdate, UpdateBatch
from fabric_protocol.validation_codes import ValidationCode
from fabric_protocol.validation_first_pass import (
    Candidate,
    SignedConfig,
    claimed_id,
    decode_results,
    open_envelope,
    read_candidate,
)

__all__ = ["HashedUpdate", "PublicUpdate", "UpdateBatch", "ValidatedBlock", "validate_block"]

CONFIG_NAMESPACE = ""
CONFIG_KEY = "CHANNEL_CONFIG_ENV_BYTES"
"""Where a peer keeps the channel's configuration in its state, M(ConfigEnvelope)."""


@dataclass(frozen=True)
class ValidatedBlock:
    """A block judged.

    ``codes``, ``transaction_ids``, ``transactions`` and ``rwsets`` have one entry for each of its
    transactions: its validation code, the id that it claims (empty if none can be read: a peer remembers that
    of an invalid one too), the transaction (None if it cannot be read whole), its read-write set (None if it
    never got so far).
    ``updates`` is what the valid ones change together. ``new_config`` is the configuration that is in force
    after the block, if the block sets one.
    """

    codes: tuple[int, ...]
    updates: UpdateBatch
    transaction_ids: tuple[str, ...]
    transactions: tuple[Transaction | None, ...]
    rwsets: tuple[ReadWriteSet | None, ...]
    new_config: ChannelConfig | None

    @property
    def flags(self) -> bytes:
        """The codes as a peer writes them into the block."""
        return bytes(self.codes)


def validate_block(
    block: Any,
    *,
    config: ChannelConfig,
    state: StateReader,
    known_transactions: Callable[[Sequence[str]], Container[str]],
    decode: Callable[[str, bytes], ReadWriteSet] = decode_results,
) -> ValidatedBlock:
    """Judge every transaction of a block as a peer does.

    Whether the block is well formed, linked and signed is for `blocks` to say, before.

    Parameters:
        block: common.Block. Block 0, the genesis block, is not judged: whoever passes it trusts it.
        config: configuration in force before the block; for block 0 its own.
        state: committed state before the block, with the chaincodes' definitions in namespace ``_lifecycle``;
            hashes of private data that has expired may still be in it.
        known_transactions: says which of some ids transactions of earlier blocks have, valid or not; asked
            once, with all that the block's transactions claim.
        decode: reads a transaction's results, given its id; `known_sets` has one that remembers.

    Raises:
        BlockError: GENESIS_INVALID, if block 0 is not one configuration; CONFIG_NOT_ALONE.
        ConfigError: if the block sets a configuration that may not follow the one in force, see
            `config_update.apply_config`: a peer takes no such block.
    """
    if block.header.number == 0:
        return _genesis(block)
    headers = [open_envelope(data) for data in block.data.data]
    identifiers = tuple(map(claimed_id, headers))
    known = known_transactions([identifier for identifier in identifiers if identifier])
    entries: list[Candidate | ValidationCode] = []
    for header in headers:
        entry = read_candidate(header, config=config, known=known, decode=decode)
        if isinstance(entry, SignedConfig):
            return _configuration(block, entry.content, config)
        entries.append(entry)
    cache = StateCache(state, block.header.number)
    cache.prefetch(entry.rwset for entry in entries if isinstance(entry, Candidate))
    codes = _first_pass(entries, EndorsementRules(config, cache))
    updates = _second_pass(block.header.number, entries, codes, ConcurrencyControl(cache))
    return ValidatedBlock(
        codes=tuple(codes),
        updates=updates,
        transaction_ids=identifiers,
        transactions=tuple(
            entry.transaction if isinstance(entry, Candidate) else _readable(data)
            for entry, data in zip(entries, block.data.data, strict=True)
        ),
        rwsets=tuple(entry.rwset if isinstance(entry, Candidate) else None for entry in entries),
        new_config=None,
    )


def _first_pass(entries: list[Candidate | ValidationCode], rules: EndorsementRules) -> list[ValidationCode]:
    codes = [rules.check(entry) if isinstance(entry, Candidate) else entry for entry in entries]
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        if isinstance(entry, Candidate) and codes[index] is ValidationCode.VALID:
            if entry.transaction_id in seen:
                codes[index] = ValidationCode.DUPLICATE_TXID
            seen.add(entry.transaction_id)
    return codes


def _second_pass(
    number: int,
    entries: list[Candidate | ValidationCode],
    codes: list[ValidationCode],
    control: ConcurrencyControl,
) -> UpdateBatch:
    for index, entry in enumerate(entries):
        if isinstance(entry, Candidate) and codes[index] is ValidationCode.VALID:
            codes[index] = control.check_and_apply(entry.rwset, Version(number, index))
    return control.batch()


def _genesis(block: Any) -> ValidatedBlock:
    if not is_config_block(block):
        raise BlockError(
            "GENESIS_INVALID", "Block 0 is not a genesis block: one configuration, nothing else."
        )
    envelope = common_pb2.Envelope.FromString(block.data.data[0])
    content = common_pb2.Payload.FromString(envelope.payload).data
    return _config_block(block, content, ChannelConfig.from_block(block))


def _configuration(block: Any, content: bytes, config: ChannelConfig) -> ValidatedBlock:
    number = block.header.number
    if len(block.data.data) != 1:
        raise BlockError("CONFIG_NOT_ALONE", f"Block {number} holds a configuration and other transactions.")
    try:
        envelope = configtx_pb2.ConfigEnvelope.FromString(content)
    except DecodeError as error:
        raise ConfigError(
            "CONFIG_UPDATE_INVALID", f"The configuration in block {number} cannot be read."
        ) from error
    return _config_block(block, content, apply_config(config, envelope))


def _config_block(block: Any, content: bytes, config: ChannelConfig) -> ValidatedBlock:
    version = Version(block.header.number, 0)
    data = block.data.data[0]
    return ValidatedBlock(
        codes=(ValidationCode.VALID,),
        updates=UpdateBatch(public=(PublicUpdate(CONFIG_NAMESPACE, CONFIG_KEY, content, b"", version),)),
        transaction_ids=(claimed_id(open_envelope(data)),),
        transactions=(_readable(data),),
        rwsets=(None,),
        new_config=config,
    )


def _readable(data: bytes) -> Transaction | None:
    try:
        return Transaction.from_envelope(data)
    except EncodingError:
        return None
