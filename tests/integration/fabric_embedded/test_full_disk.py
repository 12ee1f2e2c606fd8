"""A full disk and a read-only one: a clear error, nothing half-written, and it works again once it can."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.embedded import enrolled_user, two_organization_topology
from support.small_disk import SmallDisk, small_disk

from consentry.verification import Verifier, memory_source
from fabric_embedded.ledger import read_blocks
from fabric_embedded.network import EmbeddedNetwork
from fabric_gateway import CommitStatusError, Contract, EndorseError, Gateway, SubmitError
from fabric_operator.errors import NetworkError
from fabric_protocol.blocks import parse_block, transaction_flags
from fabric_protocol.validation_codes import ValidationCode

_COLLECTION = "custodian-AlphaMSP"
_SOON_SECONDS = 1.5


@pytest.fixture
def disk(tmp_path: Path, optional_tool: Callable[[str], str]) -> Iterator[SmallDisk]:
    with small_disk(optional_tool("tmpfs"), tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def network(disk: SmallDisk) -> Iterator[EmbeddedNetwork]:
    network = EmbeddedNetwork.create(disk.directory / "network", two_organization_topology())
    try:
        network.up()
        yield network
    finally:
        network.down()


def test_what_was_submitted_to_a_full_disk_is_committed_once_there_is_room(
    disk: SmallDisk, network: EmbeddedNetwork
) -> None:
    with _gateway(network) as gateway:
        contract = gateway.network("testing").contract("basic")
        contract.submit("basic:put", "before", "1")
        disk.fill()
        waiting = contract.new_proposal("basic:put", "meanwhile", "2").endorse().submit()
        with pytest.raises(CommitStatusError, match="DEADLINE_EXCEEDED"):
            waiting.status(timeout=_SOON_SECONDS)
        with pytest.raises(SubmitError, match="the ledger cannot be written") as refused:
            contract.new_proposal("basic:put", "refused", "3").endorse().submit()
        with pytest.raises(EndorseError, match="private data cannot be written"):
            _put_private(contract, "refused")
        assert contract.evaluate("basic:get", "before") == b"1"
        disk.make_room()
        assert waiting.resolve(timeout=60).successful
        contract.submit("basic:put", "after", "4")
        _put_private(contract, "after")
        assert contract.evaluate("basic:get", "meanwhile") == b"2"
        assert contract.evaluate("basic:get_private", _COLLECTION, "after") == b"5"
        assert contract.evaluate("basic:get_private", _COLLECTION, "refused") == b""
    network.down()
    _check_chain(network, absent=refused.value.transaction_id)


def test_an_engine_cannot_start_on_a_full_or_read_only_disk_and_says_so(
    disk: SmallDisk, network: EmbeddedNetwork
) -> None:
    network.down()
    disk.fill()
    with pytest.raises(NetworkError, match="No space left on device") as full:
        network.up()
    assert full.value.code == "DIRECTORY_NOT_WRITABLE"
    disk.make_room()
    disk.remount("ro")
    with pytest.raises(NetworkError, match="Read-only file system"):
        network.up()
    command = [sys.executable, "-m", "fabric_embedded", "serve", str(network.directory)]
    engine = subprocess.run(command, capture_output=True, text=True)
    assert engine.returncode == 1
    line = json.loads(engine.stderr)
    assert (line["code"], line["reason"].split(":")[0]) == ("SYSTEM_ERROR", "Read-only file system")
    disk.remount("rw")
    network.up()
    assert all(node.state == "running" for node in network.status())


def _put_private(contract: Contract, key: str) -> None:
    contract.submit(
        "basic:put_private",
        _COLLECTION,
        key,
        transient={"value": b"5"},
        endorsing_organizations=["AlphaMSP"],
    )


def _gateway(network: EmbeddedNetwork) -> Gateway:
    user = enrolled_user(network, "alpha", "user")
    profile = json.loads((network.directory / "network.json").read_bytes())
    peer = profile["organizations"]["AlphaMSP"]["peers"][0]
    return Gateway.connect(
        peer["endpoint"],
        identity=user.identity,
        signer=user.sign_digest,
        tls_roots=(network.directory / peer["tls_roots"]).read_bytes(),
        server_name=peer["server_name"],
    )


def _check_chain(network: EmbeddedNetwork, absent: str) -> None:
    """The chain is proved, every transaction on it is valid, and one that was refused is not on it."""
    blocks = list(read_blocks(network.directory / "ledger"))
    result = Verifier().verify([memory_source("the files", blocks)], network.anchor())
    assert not result.differences
    flags = [flag for data in blocks for flag in transaction_flags(parse_block(data))]
    assert set(flags) == {ValidationCode.VALID}
    assert absent.encode() not in b"".join(blocks)
