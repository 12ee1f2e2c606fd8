"""Does the ledger hold exactly what the clients were told? Asked after each restart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from benchmarks.durability_chaincode import KEPT
from benchmarks.durability_load import ABSENT, REFUSED, Told
from consentry.verification import ChainVerifier, MemoryLedgerState
from fabric_gateway import Contract, Network
from fabric_protocol.blocks import parse_block, transaction_flags
from fabric_protocol.transaction_stages import read_header
from fabric_protocol.validation_codes import ValidationCode


class DurabilityError(Exception):
    """The ledger is not what the clients were told."""


class Checker:
    """Proves each new block from the genesis on, and compares the ledger with what was told.

    Parameters:
        anchor: hex SHA-256 of the genesis header.
        counters: names of all counters.
    """

    def __init__(self, anchor: str, counters: Sequence[str]) -> None:
        self._chain = ChainVerifier(MemoryLedgerState(), anchor)
        self._counters = counters
        self._last = b""
        self.found: dict[str, tuple[str, int]] = {}

    @property
    def blocks(self) -> int:
        """Blocks proved so far."""
        return self._chain.position.next_block

    def check(self, networks: Mapping[str, Network], told: Told) -> None:
        """Check the whole ledger as every organization's peer serves it.

        Raises:
            DurabilityError: something was lost, doubled, changed or made up.
            Finding: a block cannot be proved.
        """
        self._prove(next(iter(networks.values())))
        self.compare(told)
        for msp_id, network in networks.items():
            for counter in self._counters:
                _audit(msp_id, counter, network.contract("counters"), told.valid(counter))

    def _prove(self, network: Network) -> None:
        newest = int(parse_block(network.newest_block()).header.number)
        if newest < self.blocks - 1:
            raise DurabilityError(
                f"got {newest + 1} blocks, expected at least {self.blocks}: blocks are lost"
            )
        blocks = network.blocks(max(self.blocks - 1, 0), newest)
        if self._last and next(blocks) != self._last:
            raise DurabilityError(f"block {self.blocks - 1} is another one than before the kill")
        for data in blocks:
            self._chain.accept(self._chain.prove(data))
            self._take(data)
            self._last = data

    def _take(self, data: bytes) -> None:
        block = parse_block(data)
        for entry, flag in zip(block.data.data, transaction_flags(block), strict=True):
            identifier, code = read_header(entry).transaction_id, ValidationCode(flag).name
            if identifier in self.found:
                raise DurabilityError(f"transaction {identifier} is on the ledger twice")
            self.found[identifier] = (code, int(block.header.number))

    def compare(self, told: Told) -> None:
        """Compare what was told with the blocks proved so far.

        Raises:
            DurabilityError: they differ.
        """
        for identifier, answer in told.answers.items():
            found = self.found.get(identifier)
            expected = None if answer.code in {ABSENT, REFUSED} else (answer.code, answer.block)
            if found != expected:
                raise DurabilityError(f"transaction {identifier}: told {expected}, the ledger has {found}")


def _audit(msp_id: str, counter: str, contract: Contract, expected: int) -> None:
    """Public state, private state and what was to be forgotten agree with what the clients were told."""
    public, private, *entries = json.loads(contract.evaluate("counters:audit", counter))
    kept = list(range(max(expected - KEPT, 0) + 1, expected + 1))
    if (public, private, entries) != (expected, expected, kept):
        raise DurabilityError(
            f"{counter} at {msp_id}: got {public} public, {private} private, entries {entries},"
            f" expected {expected} of each, entries {kept}"
        )
