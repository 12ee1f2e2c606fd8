"""Endorsed read-write sets are found again by their bytes, and by nothing else."""

from __future__ import annotations

import pytest
from support.sample_channel import CHAINCODE, SampleLedger

from fabric_protocol import known_sets
from fabric_protocol.errors import EncodingError
from fabric_protocol.known_sets import KnownSets
from fabric_protocol.rwset import NamespaceSet, ReadWriteSet, Write
from fabric_protocol.rwset_encoding import decode_rwset, encode_rwset
from fabric_protocol.transactions import Transaction
from fabric_protocol.validation import validate_block


def large(value: bytes) -> tuple[bytes, ReadWriteSet]:
    rwset = ReadWriteSet((NamespaceSet("n", writes=(Write("k", False, value * 5000),)),))
    return encode_rwset(rwset), rwset


def test_a_set_is_found_once_by_its_own_bytes() -> None:
    known, (data, rwset) = KnownSets(), large(b"v")
    known.remember("t", data, rwset)

    assert known.decode("t", bytes(bytearray(data))) is rwset
    again = known.decode("t", data)
    assert again == rwset
    assert again is not rwset


def test_other_bytes_are_read_as_what_they_are() -> None:
    known, (data, rwset), (other, changed) = KnownSets(), large(b"v"), large(b"w")
    known.remember("t", data, rwset)

    assert known.decode("u", data) == rwset
    assert known.decode("t", other) == changed
    known.remember("t", data, rwset)
    with pytest.raises(EncodingError) as caught:
        known.decode("t", data + b"\xff")
    assert caught.value.code == "BAD_RWSET"


def test_the_last_set_of_a_transaction_counts() -> None:
    known, (data, rwset), (other, changed) = KnownSets(), large(b"v"), large(b"w")
    known.remember("t", data, rwset)
    known.remember("t", other, changed)

    assert known.decode("t", other) is changed


def test_the_oldest_give_way_and_small_ones_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_sets, "_MOST_BYTES", 12_000)
    known, (data, rwset) = KnownSets(), large(b"v")
    for name in ("a", "b", "c"):
        known.remember(name, data, rwset)
    small = ReadWriteSet((NamespaceSet("n"),))
    known.remember("d", encode_rwset(small), small)

    assert known.decode("d", encode_rwset(small)) is not small
    assert [known.decode(name, data) is rwset for name in ("a", "b", "c")] == [False, True, True]


def test_a_block_is_judged_alike_with_what_is_known_and_with_what_is_not() -> None:
    ledger = SampleLedger()
    ledger.submit(lambda simulator: simulator.put_states(CHAINCODE, {"deleted": b"v", "read": b"v"}))

    def work(simulator: object) -> None:
        simulator.get_state(CHAINCODE, "read")  # type: ignore[attr-defined]
        simulator.delete_state(CHAINCODE, "deleted")  # type: ignore[attr-defined]
        values = {f"k{number}": b"v" * 20 for number in range(500)}
        simulator.put_states(CHAINCODE, values)  # type: ignore[attr-defined]

    results = ledger.simulate(work)
    assert decode_rwset(results.public) == results.rwset
    envelope = ledger.envelope(results.public)
    known = KnownSets()
    known.remember(Transaction.from_envelope(envelope).transaction_id, results.public, results.rwset)
    block = ledger.block(envelope)
    validated = validate_block(
        block,
        config=ledger.config,
        state=ledger.state,
        known_transactions=ledger.known.intersection,
        decode=known.decode,
    )

    assert validated.rwsets[0] is results.rwset
    assert validated == ledger.validate(block)
