from hashlib import sha256
from typing import Any

import pytest
from fabric_protos.peer.lifecycle import db_pb2, lifecycle_pb2
from support.recorded_blocks import recorded_block
from support.sample_channel import CHAINCODE, SampleLedger

from fabric_protocol.collections import Collection, collection_package
from fabric_protocol.definitions import (
    LIFECYCLE_NAMESPACE,
    Approval,
    Definition,
    approval_keys,
    approval_writes,
    definition_writes,
    field_key,
    metadata_key,
    package_from,
    package_key,
    parse_approval,
    parse_definition,
    read_definition,
    sequence_from,
    source_writes,
)
from fabric_protocol.errors import EncodingError
from fabric_protocol.memory_state import MemoryState
from fabric_protocol.policies import application_policy, parse_policy
from fabric_protocol.rwset import NamespaceSet
from fabric_protocol.rwset_builder import key_hash
from fabric_protocol.rwset_encoding import decode_rwset
from fabric_protocol.state import Version
from fabric_protocol.transactions import Transaction
from fabric_protocol.updates import PublicUpdate, UpdateBatch


def recorded_lifecycle(number: int) -> tuple[Any, NamespaceSet]:
    """Arguments and `_lifecycle` part of the first transaction of a recorded block."""
    entry = Transaction.from_envelope(recorded_block(f"peer-{number:02}").data.data[0])
    rwset = decode_rwset(entry.results)
    found = next(item for item in rwset.namespaces if item.namespace == LIFECYCLE_NAMESPACE)
    return lifecycle_pb2.CommitChaincodeDefinitionArgs.FromString(entry.arguments[1]), found


def recorded_definition() -> Definition:
    arguments, _ = recorded_lifecycle(2)
    return Definition(
        arguments.name,
        arguments.sequence,
        arguments.version,
        arguments.validation_parameter,
        arguments.endorsement_plugin or "escc",
        arguments.validation_plugin or "vscc",
    )


def state_of(values: dict[str, bytes]) -> MemoryState:
    state = MemoryState()
    updates = (
        PublicUpdate(LIFECYCLE_NAMESPACE, key, value, b"", Version(1, 0)) for key, value in values.items()
    )
    state.apply(UpdateBatch(public=tuple(updates)))
    return state


def test_a_commit_writes_what_fabrics_commit_wrote() -> None:
    _, recorded = recorded_lifecycle(2)

    written = definition_writes(recorded_definition())

    assert {write.key: write.value for write in recorded.writes} == written


def test_an_approval_writes_what_fabrics_approval_hashed() -> None:
    _, recorded = recorded_lifecycle(1)
    hashes = {write.key_hash: write.value_hash for write in recorded.collections[0].writes}

    approval = approval_writes(recorded_definition())

    assert len(approval) == 4
    for key, value in approval.items():
        assert hashes[key_hash(key)] == sha256(value).digest()
    sources = source_writes("ccdata", 1, "label:hash")
    assert set(hashes) == {key_hash(key) for key in (*approval, *sources)}
    metadata = next(key for key in sources if "/metadata/" in key)
    assert hashes[key_hash(metadata)] == sha256(sources[metadata]).digest()


def test_a_definition_is_read_as_written() -> None:
    definition = Definition("cc", 3, "2.0", b"policy", "escc", "vscc", True, b"collections")

    assert read_definition(state_of(definition_writes(definition)), "cc") == definition
    assert read_definition(MemoryState(), "cc") is None


def test_a_package_is_read_as_written() -> None:
    written = source_writes("cc", 2, "label:hash")

    assert package_from(written[package_key("cc", 2)]) == "label:hash"
    assert package_from(b"") == ""


def test_an_approval_is_read_as_written() -> None:
    definition = Definition("cc", 3, "2.0", b"policy", "escc", "vscc", True, b"collections")
    writes = {**approval_writes(definition), **source_writes("cc", 3, "label:hash")}

    assert parse_approval("cc", 3, writes) == Approval(definition, "label:hash")
    assert parse_approval("cc", 4, writes) is None
    assert set(approval_keys("cc", 3)) == set(approval_writes(definition))


def test_a_sequence_is_zero_where_there_is_none() -> None:
    assert sequence_from(b"") == 0
    assert sequence_from(definition_writes(recorded_definition())[field_key("ccdata", "Sequence")]) == 1


@pytest.mark.parametrize(
    "change",
    [
        {metadata_key("cc"): b"\xff"},
        {metadata_key("cc"): db_pb2.StateMetadata(datatype="Other").SerializeToString()},
        {field_key("cc", "Sequence"): b"\xff"},
        {field_key("cc", "EndorsementInfo"): db_pb2.StateData(Bytes=b"\xff").SerializeToString()},
    ],
    ids=["metadata", "datatype", "sequence", "info"],
)
def test_rubbish_in_state_is_refused(change: dict[str, bytes]) -> None:
    values = {**definition_writes(Definition("cc", 1, "1", b"p")), **change}

    with pytest.raises(EncodingError) as caught:
        parse_definition("cc", values)

    assert caught.value.code == "DEFINITION_MALFORMED"


def test_rubbish_for_a_number_or_a_package_is_refused() -> None:
    for read in (sequence_from, package_from):
        with pytest.raises(EncodingError):
            read(b"\xff")


def test_collections_are_named_with_their_policies() -> None:
    members = parse_policy("OR('AlphaMSP.member')")
    own = application_policy("OR('AlphaMSP.peer')")
    package = collection_package(
        [
            Collection("open", members),
            Collection("closed", members, endorsement_policy=own, block_to_live=4),
        ]
    ).SerializeToString()
    definition = Definition("cc", 1, "1", b"p", collections=package)

    assert definition.collection_policies == {"open": b"", "closed": own}
    assert definition.blocks_to_live == {"closed": 4}
    with pytest.raises(EncodingError):
        _ = Definition("cc", 1, "1", b"p", collections=b"\xff").collection_policies


def test_the_sample_ledgers_definition_is_found() -> None:
    found = read_definition(SampleLedger().state, CHAINCODE)

    assert found is not None
    assert (found.sequence, found.version) == (1, "1.0")
