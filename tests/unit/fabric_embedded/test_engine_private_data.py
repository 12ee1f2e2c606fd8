"""Private data through the engine: who holds it, who may read it, what a purge and a crash leave behind."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from support.engine_material import Consortium, endorsed, submit, until
from support.memory_chaincode import Call, PeerRefused
from support.private_chaincode import OWN, SECRET, SHARED, ask, files_with, private_consortium, write

from fabric_embedded.engine import Engine
from fabric_embedded.errors import LedgerError
from fabric_embedded.storage.private_store import PrivateStore
from fabric_protocol.validation_codes import ValidationCode


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return private_consortium(tmp_path / "ledger")


async def test_member_reads_what_it_wrote_and_everybody_its_hash(
    engine: Engine, consortium: Consortium
) -> None:
    await write(engine, consortium, OWN, "k", "AlphaMSP")
    read = await ask(engine, consortium, "get", OWN, "k", client="AlphaMSP", peer="AlphaMSP")
    hashed = await ask(engine, consortium, "hash", OWN, "k", client="BetaMSP", peer="BetaMSP")
    assert read.payload == SECRET
    assert hashed.payload == hashlib.sha256(SECRET).digest()


async def test_private_bytes_are_in_the_files_of_their_holder_only(
    engine: Engine, consortium: Consortium
) -> None:
    await write(engine, consortium, OWN, "k", "AlphaMSP")
    found = files_with(SECRET, consortium.material.ledger_directory)
    assert found
    assert all(name.startswith("private-AlphaMSP.sqlite") for name in found)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        ("get", "GET_STATE failed: transaction ID: {id}: tx creator does not have read access permission"),
        ("put", "PUT_STATE failed: transaction ID: {id}: tx creator does not have write access permission"),
        ("purge", "PURGE_PRIVATE_DATA failed: transaction ID: {id}: tx creator does not have write access"),
    ],
)
async def test_client_of_another_organization_is_refused_by_a_members_peer(
    engine: Engine, consortium: Consortium, function: str, text: str
) -> None:
    proposal, signed = consortium.proposal(function, OWN, "k", client="BetaMSP")
    response = (await engine.peers["AlphaMSP"].process_proposal(signed)).response
    assert response.status == 500
    assert response.message.startswith(text.format(id=proposal.transaction_id))


async def test_collection_open_for_reading_is_read_by_anybody_and_written_by_members(
    engine: Engine, consortium: Consortium
) -> None:
    await write(engine, consortium, SHARED, "k", "AlphaMSP")
    read = await ask(engine, consortium, "get", SHARED, "k", client="BetaMSP", peer="AlphaMSP")
    assert read.payload == SECRET


async def test_member_that_did_not_endorse_takes_the_data_from_the_endorser(
    engine: Engine, consortium: Consortium
) -> None:
    await write(engine, consortium, SHARED, "k", "AlphaMSP")
    read = await ask(engine, consortium, "get", SHARED, "k", client="BetaMSP", peer="BetaMSP")
    assert read.payload == SECRET


async def test_peer_that_holds_no_copy_says_so(engine: Engine, consortium: Consortium) -> None:
    await write(engine, consortium, OWN, "k", "AlphaMSP")
    response = await ask(engine, consortium, "get", OWN, "k", client="AlphaMSP", peer="BetaMSP")
    assert "private data matching public hash version is not available" in response.message


@pytest.mark.parametrize("function", ["get", "put", "hash", "purge"])
async def test_unknown_collection_is_refused(engine: Engine, consortium: Consortium, function: str) -> None:
    response = await ask(engine, consortium, function, "none", "k", client="AlphaMSP", peer="AlphaMSP")
    assert response.status == 500
    assert "none" in response.message


async def test_purge_leaves_the_bytes_in_no_file(engine: Engine, consortium: Consortium) -> None:
    directory = consortium.material.ledger_directory
    for key in ("k", "other"):
        await write(engine, consortium, OWN, key, "AlphaMSP")
    for key in ("k", "other"):
        await submit(engine, consortium, "purge", OWN, key, client="AlphaMSP", endorsers=["AlphaMSP"])
    assert files_with(SECRET, directory) == set()
    read = await ask(engine, consortium, "get", OWN, "k", client="AlphaMSP", peer="AlphaMSP")
    assert (read.status, read.payload) == (200, b"")


async def test_purge_waits_for_its_readers_and_is_finished_by_the_next_start(
    consortium: Consortium,
) -> None:
    engine = consortium.engine()
    await engine.start()
    directory = consortium.material.ledger_directory
    await write(engine, consortium, OWN, "k", "AlphaMSP")
    async with engine._snapshots.use():
        await submit(engine, consortium, "purge", OWN, "k", client="AlphaMSP", endorsers=["AlphaMSP"])
        assert files_with(SECRET, directory)
    await engine.close()
    await _reopened(consortium)
    assert files_with(SECRET, directory) == set()


async def test_purge_that_had_to_wait_is_finished_without_another_block(
    engine: Engine, consortium: Consortium
) -> None:
    await write(engine, consortium, OWN, "k", "AlphaMSP")
    async with engine._snapshots.use():
        await submit(engine, consortium, "purge", OWN, "k", client="AlphaMSP", endorsers=["AlphaMSP"])
    await until(lambda: not files_with(SECRET, consortium.material.ledger_directory))
    read = await ask(engine, consortium, "get", OWN, "k", client="AlphaMSP", peer="AlphaMSP")
    assert (read.status, read.payload) == (200, b"")


async def _reopened(consortium: Consortium) -> None:
    engine = consortium.engine()
    await engine.close()


async def test_what_was_endorsed_survives_a_restart_before_its_transaction_is_ordered(
    consortium: Consortium,
) -> None:
    engine = consortium.engine()
    await engine.start()
    envelope, proposal = await endorsed(
        engine, consortium, "put", OWN, "k", client="AlphaMSP", endorsers=["AlphaMSP"]
    )
    await engine.close()
    engine = consortium.engine()
    await engine.start()
    await engine.broadcast(envelope)
    await engine.ledger.wait_for_transaction(proposal.transaction_id)
    read = await ask(engine, consortium, "get", OWN, "k", client="AlphaMSP", peer="AlphaMSP")
    assert read.payload == SECRET
    await engine.close()


async def test_crash_between_public_and_private_commit_is_made_up_for_at_the_next_start(
    consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = consortium.engine()
    await engine.start()
    await write(engine, consortium, OWN, "first", "AlphaMSP")

    def fail(*_: object, **__: object) -> None:
        raise LedgerError("LEDGER_WRITE_FAILED", "no room")

    with monkeypatch.context() as patch:
        patch.setattr(PrivateStore, "apply", fail)
        envelope, proposal = await endorsed(
            engine, consortium, "put", OWN, "k", client="AlphaMSP", endorsers=["AlphaMSP"]
        )
        await engine.broadcast(envelope)
        await until(lambda: engine._committer.store.height > engine.ledger.height)
        # Public on disk, private not, and nobody has been told.
        assert engine.ledger.transaction(proposal.transaction_id) is None
        await engine.close()
    engine = consortium.engine()
    await engine.start()
    status = engine.ledger.transaction(proposal.transaction_id)
    assert status is not None
    assert status.code == ValidationCode.VALID
    for key in ("first", "k"):
        read = await ask(engine, consortium, "get", OWN, key, client="AlphaMSP", peer="AlphaMSP")
        assert read.payload == SECRET
    await engine.close()


async def test_pending_sets_of_committed_transactions_are_gone(
    engine: Engine, consortium: Consortium
) -> None:
    await write(engine, consortium, OWN, "k", "AlphaMSP")
    await write(engine, consortium, SHARED, "k", "AlphaMSP")
    stores = engine._committer.private_stores.values()
    assert [store._connection.execute("SELECT count(*) FROM pending").fetchone()[0] for store in stores] == [
        0,
        0,
    ]


async def test_scripted_refusal_reaches_the_chaincode_as_an_error(
    engine: Engine, consortium: Consortium
) -> None:
    refused: list[str] = []

    async def try_to_read(call: Call) -> bytes:
        try:
            await call.get("k", OWN)
        except PeerRefused as refusal:
            refused.append(str(refusal))
        return b"went on"

    consortium.services["AlphaMSP"].script = {"try": try_to_read}
    response = await ask(engine, consortium, "try", client="BetaMSP", peer="AlphaMSP")
    assert response.payload == b"went on"
    assert len(refused) == 1


async def test_private_logs_are_cut_before_they_grow_long(
    engine: Engine, consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = engine._committer.private_stores["AlphaMSP"]
    limit = 200_000
    monkeypatch.setattr("fabric_embedded.ordering.service._LONG_LOG_BYTES", limit)
    longest = 0
    for number in range(60):
        await write(engine, consortium, OWN, f"k{number}", "AlphaMSP")
        longest = max(longest, store.log_bytes())
    assert longest < 2 * limit
    read = await ask(engine, consortium, "get", OWN, "k0", client="AlphaMSP", peer="AlphaMSP")
    assert read.payload == SECRET
