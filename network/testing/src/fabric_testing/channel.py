"""The channel of a test ledger: blocks, state, history, and who holds which private data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fabric_protocol.blocks import header_hash, new_block, set_flags
from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.collections import is_member
from fabric_protocol.definitions import LIFECYCLE_NAMESPACE, Definition, definition_writes, read_definition
from fabric_protocol.identities import Identity
from fabric_protocol.memory_state import MemoryPrivateState, MemoryState
from fabric_protocol.private_rwset import PrivateNamespace, PrivateWriteSet, encode_private_rwset
from fabric_protocol.private_updates import private_updates
from fabric_protocol.state import Version
from fabric_protocol.updates import PublicUpdate, UpdateBatch
from fabric_protocol.validation import ValidatedBlock, validate_block
from fabric_protocol.validation_codes import ValidationCode
from fabric_testing.history import History
from fabric_testing.organizations import channel_config, organization
from fabric_testing.private_access import collection_of
from fabric_testing.results import EndorsedTransaction


class Channel:
    """Committed data, changed by blocks alone.

    Args:
        channel_id: name of the channel.
        msp_ids: its organizations.
    """

    def __init__(self, channel_id: str, msp_ids: Sequence[str]) -> None:
        genesis, config = channel_config(channel_id, msp_ids)
        self.config: ChannelConfig = config
        self.state = MemoryState()
        self.history = History()
        self.held = {msp_id: MemoryPrivateState() for msp_id in msp_ids}
        self.blocks: list[Any] = [genesis]
        self._known_transactions: set[str] = set()
        self._has_expiring_data = False

    def define(self, definition: Definition) -> None:
        """Put a chaincode's definition into state, as if the lifecycle had before the first block."""
        updates = tuple(
            PublicUpdate(LIFECYCLE_NAMESPACE, key, value, b"", Version(0, 0))
            for key, value in sorted(definition_writes(definition).items())
        )
        self.state.apply(UpdateBatch(public=updates))
        self._has_expiring_data |= bool(definition.blocks_to_live)

    def commit(self, transactions: Sequence[EndorsedTransaction]) -> tuple[int, ValidatedBlock]:
        """Put transactions into one block, in this order; its number and what became of them."""
        number = len(self.blocks)
        envelopes = [transaction.envelope for transaction in transactions]
        block = new_block(number, header_hash(self.blocks[-1].header), envelopes)
        validated = validate_block(
            block,
            config=self.config,
            state=self.state,
            known_transactions=self._known_transactions.intersection,
        )
        self._apply_private(number, validated, transactions)
        self.state.apply(validated.updates)
        if self._has_expiring_data:
            self._expire(number)
        self._remember(validated, transactions)
        set_flags(block, validated.flags)
        self.blocks.append(block)
        return number, validated

    def _apply_private(
        self, number: int, validated: ValidatedBlock, transactions: Sequence[EndorsedTransaction]
    ) -> None:
        for msp_id, held in self.held.items():
            sets = {
                index: encode_private_rwset(self._visible_to(msp_id, transaction.private))
                for index, transaction in enumerate(transactions)
                if transaction.private is not None
            }
            held.apply(private_updates(number, validated, sets, held))

    def _expire(self, number: int) -> None:
        self.state.expire(number)
        for held in self.held.values():
            held.expire(number, self.state)

    def _visible_to(self, msp_id: str, private: PrivateWriteSet) -> PrivateWriteSet:
        peer = organization(msp_id).peer.identity
        namespaces = []
        for namespace in private.namespaces:
            definition = read_definition(self.state, namespace.namespace)
            if definition is not None:
                collections = tuple(
                    collection
                    for collection in namespace.collections
                    if self._is_member(peer, definition, collection.name)
                )
                namespaces.append(PrivateNamespace(namespace.namespace, collections))
        return PrivateWriteSet(tuple(namespaces))

    def _remember(self, validated: ValidatedBlock, transactions: Sequence[EndorsedTransaction]) -> None:
        for index, transaction in enumerate(transactions):
            self._known_transactions.add(transaction.transaction_id)
            recorded, rwset = validated.transactions[index], validated.rwsets[index]
            if validated.codes[index] == ValidationCode.VALID and recorded is not None and rwset is not None:
                timestamp: datetime = recorded.timestamp
                self.history.add(transaction.transaction_id, timestamp, rwset)

    def _is_member(self, peer: Identity, definition: Definition, collection: str) -> bool:
        found = collection_of(definition, collection, self.config.channel_id)
        return is_member(found, peer, self.config.msps)
