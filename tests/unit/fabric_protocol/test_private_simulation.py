from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from support.sample_channel import CHAINCODE, SampleLedger, hash_of
from support.sample_collections import ALPHA_ONLY, SHARED, PrivateLedger, put

from fabric_protocol.errors import EncodingError, SimulationError
from fabric_protocol.memory_state import MemoryPrivateState
from fabric_protocol.private_rwset import decode_private_rwset
from fabric_protocol.private_updates import private_updates
from fabric_protocol.rwset import HashedRead, HashedWrite, Read
from fabric_protocol.simulation import Simulator
from fabric_protocol.state import Version

DEFINITION_READS = tuple(
    Read(f"namespaces/{key}", Version(0, 0))
    for key in (
        "fields/records/Collections",
        "fields/records/EndorsementInfo",
        "fields/records/Sequence",
        "fields/records/ValidationInfo",
        "metadata/records",
    )
)


def refused(code: str, work: Callable[[], Any]) -> str:
    with pytest.raises(SimulationError) as caught:
        work()
    assert caught.value.code == code
    return caught.value.message


def test_a_private_write_is_public_as_hashes_only() -> None:
    results = PrivateLedger().simulate(put(ALPHA_ONLY, "secret-key", b"secret-value"))

    assert b"secret" not in results.public
    assert results.private is not None
    lifecycle, records = results.rwset.namespaces
    assert lifecycle.reads == DEFINITION_READS
    collection = records.collections[0]
    assert collection.writes == (HashedWrite(hash_of("secret-key"), False, hash_of("secret-value"), False),)
    private = decode_private_rwset(results.private).namespaces[0].collections[0]
    assert collection.private_hash == sha256(private.data).digest()
    assert (private.writes[0].key, private.writes[0].value) == ("secret-key", b"secret-value")


def test_private_values_are_read_back_after_commit_only() -> None:
    ledger = PrivateLedger()
    ledger.submit_private(put(ALPHA_ONLY, "k", b"v"))
    simulator = ledger.simulator(private=ledger.held)
    simulator.put_private(CHAINCODE, ALPHA_ONLY, "k", b"new")

    assert simulator.get_private(CHAINCODE, ALPHA_ONLY, "k") == b"v"
    assert simulator.get_private(CHAINCODE, ALPHA_ONLY, "missing") is None
    assert simulator.get_privates(CHAINCODE, ALPHA_ONLY, ["k", "missing"]) == [b"v", None]
    assert simulator.get_private_hash(CHAINCODE, ALPHA_ONLY, "k") == hash_of("v")
    assert simulator.get_private_hash(CHAINCODE, SHARED, "k") is None
    reads = simulator.results().rwset.namespaces[1].collections[0].reads
    assert reads == (HashedRead(hash_of("k"), Version(1, 0)), HashedRead(hash_of("missing"), None))


def test_a_peer_without_the_value_says_that_it_has_none() -> None:
    ledger = PrivateLedger()
    ledger.submit_private(put(ALPHA_ONLY, "k", b"v"))

    for held in (None, MemoryPrivateState()):
        simulator = ledger.simulator(private=held)
        message = refused(
            "PRIVATE_DATA_UNAVAILABLE",
            lambda simulator=simulator: simulator.get_private(CHAINCODE, ALPHA_ONLY, "k"),
        )
        assert message == (
            "private data matching public hash version is not available. "
            "Public hash version = {BlockNum: 1, TxNum: 0}, Private data version = <nil>"
        )
        assert simulator.get_privates(CHAINCODE, ALPHA_ONLY, ["k"]) == [None]
        assert simulator.get_private_hash(CHAINCODE, ALPHA_ONLY, "k") == hash_of("v")


def test_private_ranges_are_read_only_and_leave_no_trace() -> None:
    ledger = PrivateLedger()
    ledger.submit_private(put(ALPHA_ONLY, "b", b"2"), put(ALPHA_ONLY, "a", b"1"))
    simulator = ledger.simulator(private=ledger.held)

    found = list(simulator.scan_private(CHAINCODE, ALPHA_ONLY, "", ""))

    assert [(entry.key, entry.value) for entry in found] == [("a", b"1"), ("b", b"2")]
    for write in (
        lambda: simulator.put_state(CHAINCODE, "a", b"1"),
        lambda: simulator.put_private(CHAINCODE, ALPHA_ONLY, "a", b"1"),
        lambda: simulator.purge_private(CHAINCODE, ALPHA_ONLY, "a"),
        lambda: simulator.set_private_metadata(CHAINCODE, ALPHA_ONLY, "a", {}),
    ):
        assert "Transaction has already performed queries on pvt data" in refused(
            "TRANSACTION_UNSUPPORTED", write
        )
    assert [entry.namespace for entry in simulator.results().rwset.namespaces] == ["_lifecycle"]
    assert list(ledger.simulator().scan_private(CHAINCODE, ALPHA_ONLY, "", "")) == []


def test_a_private_range_after_a_write_is_refused() -> None:
    simulator = PrivateLedger().simulator()
    simulator.put_private(CHAINCODE, ALPHA_ONLY, "a", b"1")

    assert "Queries on pvt data is supported only in a read-only transaction" in refused(
        "TRANSACTION_UNSUPPORTED", lambda: simulator.scan_private(CHAINCODE, ALPHA_ONLY, "", "")
    )


def test_unknown_collections_are_refused_everywhere() -> None:
    simulator = PrivateLedger().simulator()

    for name in ("unknown", "_implicit_org_DeltaMSP", ""):
        for work in (
            lambda name=name: simulator.get_private(CHAINCODE, name, "k"),
            lambda name=name: simulator.get_privates(CHAINCODE, name, ["k"]),
            lambda name=name: simulator.get_private_hash(CHAINCODE, name, "k"),
            lambda name=name: simulator.get_private_metadata(CHAINCODE, name, "k"),
            lambda name=name: simulator.put_private(CHAINCODE, name, "k", b"v"),
            lambda name=name: simulator.delete_private(CHAINCODE, name, "k"),
            lambda name=name: simulator.scan_private(CHAINCODE, name, "", ""),
        ):
            message = refused("COLLECTION_NOT_FOUND", work)
            assert message == (
                f"collection [{name}] not defined in the collection config for chaincode [records]"
            )


def test_an_undefined_chaincode_has_no_collections() -> None:
    simulator = SampleLedger().simulator(chaincode=None)

    assert "collection config not defined for chaincode [unknown]" in refused(
        "COLLECTION_NOT_FOUND", lambda: simulator.put_private("unknown", ALPHA_ONLY, "k", b"v")
    )


def test_implicit_collections_exist_for_organizations_of_the_channel() -> None:
    def work(simulator: Simulator) -> None:
        simulator.put_private(CHAINCODE, "_implicit_org_BetaMSP", "k", b"v")
        simulator.put_private("_lifecycle", "_implicit_org_AlphaMSP", "k", b"v")

    found = PrivateLedger().simulate(work).rwset.namespaces

    assert [[entry.name for entry in namespace.collections] for namespace in found] == [
        ["_implicit_org_AlphaMSP"],
        ["_implicit_org_BetaMSP"],
    ]


def test_a_purge_takes_the_value_from_every_holder() -> None:
    ledger = PrivateLedger()
    ledger.submit_private(put(ALPHA_ONLY, "k", b"v"))
    validated = ledger.submit_private(lambda simulator: simulator.purge_private(CHAINCODE, ALPHA_ONLY, "k"))

    assert ledger.held.get(CHAINCODE, ALPHA_ONLY, "k") is None
    assert ledger.state.get_hashed(CHAINCODE, ALPHA_ONLY, hash_of("k")) is None
    assert [update.is_purge for update in validated.updates.hashed] == [True]
    assert [purge.version for purge in validated.updates.purges] == [Version(2, 0)]


def test_a_purge_stays_noted_when_the_key_is_written_again_in_its_block() -> None:
    ledger = PrivateLedger()
    ledger.submit_private(put(ALPHA_ONLY, "k", b"old"))
    validated = ledger.submit_private(
        lambda simulator: simulator.purge_private(CHAINCODE, ALPHA_ONLY, "k"), put(ALPHA_ONLY, "k", b"new")
    )

    assert [update.is_purge for update in validated.updates.hashed] == [False]
    assert len(validated.updates.purges) == 1
    found = ledger.held.get(CHAINCODE, ALPHA_ONLY, "k")
    assert found is not None
    assert (found.value, found.version) == (b"new", Version(2, 1))


def test_metadata_alone_moves_the_values_version_along() -> None:
    ledger = PrivateLedger()
    ledger.submit_private(put(ALPHA_ONLY, "k", b"v"))
    ledger.submit_private(
        lambda simulator: simulator.set_private_metadata(CHAINCODE, ALPHA_ONLY, "k", {"name": b"1"})
    )

    simulator = ledger.simulator(private=ledger.held)
    assert simulator.get_private(CHAINCODE, ALPHA_ONLY, "k") == b"v"
    assert simulator.get_private_metadata(CHAINCODE, ALPHA_ONLY, "k") == {"name": b"1"}
    found = ledger.held.get(CHAINCODE, ALPHA_ONLY, "k")
    assert found is not None
    assert found.version == Version(2, 0)


def test_private_data_of_invalid_and_missing_sets_is_left_alone() -> None:
    ledger = PrivateLedger()
    ledger.submit_private(put(ALPHA_ONLY, "k", b"v"), endorsers=["BetaMSP"])
    result = ledger.simulate(put(ALPHA_ONLY, "k", b"v"))
    validated = ledger.commit(ledger.block(ledger.envelope(result.public)))

    assert ledger.held.get(CHAINCODE, ALPHA_ONLY, "k") is None
    assert validated.codes == (0,)
    assert private_updates(2, validated, {}, ledger.held) == ()


def test_a_set_that_was_not_endorsed_is_refused() -> None:
    ledger = PrivateLedger()
    endorsed = ledger.simulate(put(ALPHA_ONLY, "k", b"v"))
    forged = ledger.simulate(put(ALPHA_ONLY, "k", b"forged")).private
    elsewhere = ledger.simulate(put(SHARED, "k", b"v")).private
    validated = ledger.commit(ledger.block(ledger.envelope(endorsed.public)))

    for private in (forged, elsewhere):
        assert private is not None
        with pytest.raises(EncodingError) as caught:
            private_updates(1, validated, {0: private}, ledger.held)
        assert caught.value.code == "PRIVATE_HASH_MISMATCH"
        assert "forged" not in caught.value.message
