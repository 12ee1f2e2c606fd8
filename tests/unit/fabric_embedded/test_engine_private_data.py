"""Private data through the engine: who holds it, who may read it, what a purge and a crash leave behind."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.peer import chaincode_shim_pb2 as shim
from support.engine_material import Consortium, endorsed, make_consortium, submit, until
from support.memory_chaincode import Call, PeerRefused

from fabric_embedded.chaincode.messages import Type
from fabric_embedded.engine import Engine
from fabric_embedded.errors import LedgerError
from fabric_embedded.storage.private_store import PrivateStore
from fabric_protocol.topology import CollectionDefinition
from fabric_protocol.validation_codes import ValidationCode

SECRET = b"bytes-that-must-not-stay-anywhere"
OWN = "custodian-AlphaMSP"


async def _put(call: Call) -> None:
    await call.put(call.argument(1), SECRET, call.argument(0))


async def _get(call: Call) -> bytes:
    return await call.get(call.argument(1), call.argument(0))


async def _get_hash(call: Call) -> bytes:
    request = shim.GetState(key=call.argument(1), collection=call.argument(0))
    return await call.request(Type.GET_PRIVATE_DATA_HASH, request)


async def _purge(call: Call) -> None:
    request = shim.DelState(key=call.argument(1), collection=call.argument(0))
    await call.request(Type.PURGE_PRIVATE_DATA, request)


SCRIPT = {"put": _put, "get": _get, "hash": _get_hash, "purge": _purge}


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    shared = CollectionDefinition(
        name="shared", members="OR('AlphaMSP.member', 'BetaMSP.member')", member_only_read=False
    )
    own = CollectionDefinition(name=OWN, members="OR('AlphaMSP.member')", endorsement="OR('AlphaMSP.peer')")
    return make_consortium(
        tmp_path / "ledger", SCRIPT, policy="OR('AlphaMSP.peer', 'BetaMSP.peer')", collections=[own, shared]
    )


@pytest.fixture
async def engine(consortium: Consortium) -> AsyncIterator[Engine]:
    engine = consortium.engine()
    await engine.start()
    yield engine
    await engine.close()


async def _ask(
    engine: Engine, consortium: Consortium, function: str, *arguments: str, client: str, peer: str
) -> Any:
    _, signed = consortium.proposal(function, *arguments, client=client)
    return (await engine.peers[peer].process_proposal(signed)).response


async def _write(engine: Engine, consortium: Consortium, collection: str, key: str, peer: str) -> None:
    status = await submit(engine, consortium, "put", collection, key, client="AlphaMSP", endorsers=[peer])
    assert status.code == ValidationCode.VALID


def _files_with(secret: bytes, directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if secret in path.read_bytes()}


async def test_member_reads_what_it_wrote_and_everybody_its_hash(
    engine: Engine, consortium: Consortium
) -> None:
    await _write(engine, consortium, OWN, "k", "AlphaMSP")
    read = await _ask(engine, consortium, "get", OWN, "k", client="AlphaMSP", peer="AlphaMSP")
    hashed = await _ask(engine, consortium, "hash", OWN, "k", client="BetaMSP", peer="BetaMSP")
    assert read.payload == SECRET
    assert hashed.payload == hashlib.sha256(SECRET).digest()


async def test_private_bytes_are_in_the_files_of_their_holder_only(
    engine: Engine, consortium: Consortium
) -> None:
    await _write(engine, consortium, OWN, "k", "AlphaMSP")
    found = _files_with(SECRET, consortium.material.ledger_directory)
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
    await _write(engine, consortium, "shared", "k", "AlphaMSP")
    read = await _ask(engine, consortium, "get", "shared", "k", client="BetaMSP", peer="AlphaMSP")
    assert read.payload == SECRET


async def test_member_that_did_not_endorse_takes_the_data_from_the_endorser(
    engine: Engine, consortium: Consortium
) -> None:
    await _write(engine, consortium, "shared", "k", "AlphaMSP")
    read = await _ask(engine, consortium, "get", "shared", "k", client="BetaMSP", peer="BetaMSP")
    assert read.payload == SECRET


async def test_peer_that_holds_no_copy_says_so(engine: Engine, consortium: Consortium) -> None:
    await _write(engine, consortium, OWN, "k", "AlphaMSP")
    response = await _ask(engine, consortium, "get", OWN, "k", client="AlphaMSP", peer="BetaMSP")
    assert "private data matching public hash version is not available" in response.message


@pytest.mark.parametrize("function", ["get", "put", "hash", "purge"])
async def test_unknown_collection_is_refused(engine: Engine, consortium: Consortium, function: str) -> None:
    response = await _ask(engine, consortium, function, "none", "k", client="AlphaMSP", peer="AlphaMSP")
    assert response.status == 500
    assert "none" in response.message


async def test_purge_leaves_the_bytes_in_no_file(engine: Engine, consortium: Consortium) -> None:
    directory = consortium.material.ledger_directory
    for key in ("k", "other"):
        await _write(engine, consortium, OWN, key, "AlphaMSP")
    for key in ("k", "other"):
        await submit(engine, consortium, "purge", OWN, key, client="AlphaMSP", endorsers=["AlphaMSP"])
    assert _files_with(SECRET, directory) == set()
    read = await _ask(engine, consortium, "get", OWN, "k", client="AlphaMSP", peer="AlphaMSP")
    assert (read.status, read.payload) == (200, b"")


async def test_purge_waits_for_its_readers_and_is_finished_by_the_next_start(
    consortium: Consortium,
) -> None:
    engine = consortium.engine()
    await engine.start()
    directory = consortium.material.ledger_directory
    await _write(engine, consortium, OWN, "k", "AlphaMSP")
    async with engine._snapshots.use():
        await submit(engine, consortium, "purge", OWN, "k", client="AlphaMSP", endorsers=["AlphaMSP"])
        assert _files_with(SECRET, directory)
    await engine.close()
    await _reopened(consortium)
    assert _files_with(SECRET, directory) == set()


async def test_purge_that_had_to_wait_is_finished_without_another_block(
    engine: Engine, consortium: Consortium
) -> None:
    await _write(engine, consortium, OWN, "k", "AlphaMSP")
    async with engine._snapshots.use():
        await submit(engine, consortium, "purge", OWN, "k", client="AlphaMSP", endorsers=["AlphaMSP"])
    await until(lambda: not _files_with(SECRET, consortium.material.ledger_directory))
    read = await _ask(engine, consortium, "get", OWN, "k", client="AlphaMSP", peer="AlphaMSP")
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
    read = await _ask(engine, consortium, "get", OWN, "k", client="AlphaMSP", peer="AlphaMSP")
    assert read.payload == SECRET
    await engine.close()


async def test_crash_between_public_and_private_commit_is_made_up_for_at_the_next_start(
    consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = consortium.engine()
    await engine.start()
    await _write(engine, consortium, OWN, "first", "AlphaMSP")

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
        read = await _ask(engine, consortium, "get", OWN, key, client="AlphaMSP", peer="AlphaMSP")
        assert read.payload == SECRET
    await engine.close()


async def test_pending_sets_of_committed_transactions_are_gone(
    engine: Engine, consortium: Consortium
) -> None:
    await _write(engine, consortium, OWN, "k", "AlphaMSP")
    await _write(engine, consortium, "shared", "k", "AlphaMSP")
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
    response = await _ask(engine, consortium, "try", client="BetaMSP", peer="AlphaMSP")
    assert response.payload == b"went on"
    assert len(refused) == 1
