"""A chaincode with private collections, run by an engine in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fabric_protos.peer import chaincode_shim_pb2 as shim
from support.engine_material import Consortium, make_consortium, submit
from support.memory_chaincode import Call

from fabric_embedded.chaincode.messages import Type
from fabric_embedded.engine import Engine
from fabric_protocol.topology import CollectionDefinition
from fabric_protocol.validation_codes import ValidationCode

SECRET = b"bytes-that-must-not-stay-anywhere"
OWN = "custodian-AlphaMSP"
SHARED = "shared"
PASSING = "passing"
LIFE = 2
"""Block_to_live of the collection `PASSING`."""


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


async def _public(call: Call) -> None:
    await call.put(call.argument(0), b"public")


SCRIPT = {"put": _put, "get": _get, "hash": _get_hash, "purge": _purge, "public": _public}


def private_consortium(directory: Path) -> Consortium:
    """Alpha holds a collection alone; both hold one that both may read, and one whose data expires."""
    both = "OR('AlphaMSP.member', 'BetaMSP.member')"
    collections = [
        CollectionDefinition(name=OWN, members="OR('AlphaMSP.member')", endorsement="OR('AlphaMSP.peer')"),
        CollectionDefinition(name=SHARED, members=both, member_only_read=False),
        CollectionDefinition(name=PASSING, members=both, block_to_live=LIFE),
    ]
    return make_consortium(
        directory, SCRIPT, policy="OR('AlphaMSP.peer', 'BetaMSP.peer')", collections=collections
    )


async def ask(
    engine: Engine, consortium: Consortium, function: str, *arguments: str, client: str, peer: str
) -> Any:
    """What an organization's peer answers a client."""
    _, signed = consortium.proposal(function, *arguments, client=client)
    return (await engine.peers[peer].process_proposal(signed)).response


async def write(
    engine: Engine, consortium: Consortium, collection: str, key: str, peer: str = "AlphaMSP"
) -> int:
    """Write the secret; the number of the block."""
    status = await submit(engine, consortium, "put", collection, key, client="AlphaMSP", endorsers=[peer])
    assert status.code == ValidationCode.VALID
    return status.block_number


async def pass_block(engine: Engine, consortium: Consortium) -> int:
    """Commit a block without private data; its number."""
    status = await submit(engine, consortium, "public", "key", client="AlphaMSP", endorsers=["AlphaMSP"])
    return status.block_number


def files_with(secret: bytes, directory: Path) -> set[str]:
    """Names of the files in which some bytes are found."""
    return {path.name for path in directory.iterdir() if path.is_file() and secret in path.read_bytes()}
