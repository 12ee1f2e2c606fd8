"""Whether a ledger's files hold what was acknowledged, once an engine has opened them."""

from __future__ import annotations

from collections.abc import Mapping

from fabric_embedded.engine import Engine
from fabric_protocol.blocks import check_link, header_hash, parse_block, transaction_flags
from fabric_protocol.collections import IMPLICIT_PREFIX
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.state import PrivateReader
from fabric_protocol.transactions import Transaction
from fabric_protocol.validation_codes import ValidationCode

_HOLDER = "AlphaMSP"


def check_ledger(engine: Engine, acknowledged: Mapping[str, int]) -> None:
    """Acknowledged transactions are there, once, in an unbroken chain, and so is their private data."""
    previous_hash, seen = b"", set()
    for number in range(engine.ledger.height):
        block = parse_block(engine.ledger.block(number) or b"")
        check_link(block, number=number, previous_hash=previous_hash)
        previous_hash = header_hash(block.header)
        for entry, code in zip(block.data.data, transaction_flags(block), strict=True):
            transaction = Transaction.from_envelope(entry)
            assert transaction.transaction_id not in seen
            seen.add(transaction.transaction_id)
            if number and code == ValidationCode.VALID:
                _check_private(transaction, engine)
    for transaction_id, number in acknowledged.items():
        assert engine.ledger.transaction(transaction_id) == (ValidationCode.VALID, number)


def _check_private(transaction: Transaction, engine: Engine) -> None:
    """Every private hash of a committed approval has its value at its holder, at the same version."""
    held: PrivateReader = engine._committer.private_stores[_HOLDER].data
    for entry in decode_rwset(transaction.results).namespaces:
        for collection in entry.collections:
            if collection.name != IMPLICIT_PREFIX + _HOLDER:
                continue
            values = {value.version for _, value in held.scan(entry.namespace, collection.name, "", "")}
            for write in collection.writes:
                hashed = engine.ledger.state.get_hashed(entry.namespace, collection.name, write.key_hash)
                assert hashed is not None
                assert hashed.version in values
