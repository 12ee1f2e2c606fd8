"""The system chaincodes `qscc` and `cscc`, asked as the official command line asks: without a channel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common import common_pb2, configtx_pb2, ledger_pb2
from fabric_protos.peer import (
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    query_pb2,
    transaction_pb2,
)
from fabric_protos.peer import chaincode_shim_pb2 as shim
from support.engine_material import Consortium, make_consortium
from support.memory_chaincode import Call
from support.sample_organizations import Member

from fabric_embedded.engine import Engine
from fabric_embedded.errors import PeerRefusal
from fabric_protocol.blocks import header_hash, parse_block
from fabric_protocol.errors import GO_DECODING
from fabric_protocol.proposals import new_proposal
from fabric_protocol.signatures import sign

LAST = str(2**64 - 1).encode()


def block_of(channel_id: str) -> bytes:
    """A block whose one entry names a channel."""
    header = common_pb2.Header(
        channel_header=common_pb2.ChannelHeader(channel_id=channel_id).SerializeToString()
    )
    envelope = common_pb2.Envelope(payload=common_pb2.Payload(header=header).SerializeToString())
    data = common_pb2.BlockData(data=[envelope.SerializeToString()])
    return bytes(common_pb2.Block(data=data).SerializeToString())


async def _relay(call: Call) -> bytes:
    specification = chaincode_pb2.ChaincodeSpec(
        chaincode_id=chaincode_pb2.ChaincodeID(name=call.argument(0)),
        input=chaincode_pb2.ChaincodeInput(args=[b"GetChainInfo", b"testing"]),
    )
    answer = await call.request(shim.ChaincodeMessage.INVOKE_CHAINCODE, specification)
    message = shim.ChaincodeMessage.FromString(answer)
    return proposal_response_pb2.Response.FromString(message.payload).message.encode()


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    return make_consortium(tmp_path / "ledger", {"relay": _relay}, ["AlphaMSP", "BetaMSP"], collections=[])


async def _ask(
    engine: Engine, member: Member, chaincode: str, *arguments: bytes, channel_id: str = ""
) -> Any:
    proposal = new_proposal(
        channel_id=channel_id, chaincode=chaincode, arguments=arguments, creator=member.serialized
    )
    signed = proposal_pb2.SignedProposal(
        proposal_bytes=proposal.data, signature=sign(member.key, proposal.data)
    )
    return await engine.peers["AlphaMSP"].process_proposal(signed)


@pytest.fixture
def ask(engine: Engine, consortium: Consortium) -> Any:
    async def asked(chaincode: str, *arguments: bytes, **options: Any) -> Any:
        return (await _ask(engine, consortium.clients["AlphaMSP"], chaincode, *arguments, **options)).response

    return asked


async def test_chain_info_names_height_and_the_last_two_headers(engine: Engine, ask: Any) -> None:
    answer = await ask("qscc", b"GetChainInfo", b"testing")
    info = ledger_pb2.BlockchainInfo.FromString(answer.payload)
    height = engine.ledger.height
    assert (answer.status, info.height) == (200, height)
    assert info.currentBlockHash == engine.ledger.header_hash(height - 1)
    assert info.previousBlockHash == engine.ledger.header_hash(height - 2)


@pytest.mark.parametrize(("asked", "number"), [(b"0", 0), (b"2", 2), (LAST, 3)])
async def test_blocks_by_number(engine: Engine, ask: Any, asked: bytes, number: int) -> None:
    answer = await ask("qscc", b"GetBlockByNumber", b"testing", asked)
    assert answer.payload == engine.ledger.block(number)


async def test_block_by_hash_and_by_transaction_and_the_transaction(engine: Engine, ask: Any) -> None:
    stored = engine.ledger.block(3)
    assert stored is not None
    block = parse_block(stored)
    by_hash = await ask("qscc", b"GetBlockByHash", b"testing", header_hash(block.header))
    assert by_hash.payload == stored
    payload = common_pb2.Payload.FromString(common_pb2.Envelope.FromString(block.data.data[0]).payload)
    name = common_pb2.ChannelHeader.FromString(payload.header.channel_header).tx_id.encode()
    by_transaction = await ask("qscc", b"GetBlockByTxID", b"testing", name)
    assert by_transaction.payload == stored
    answer = await ask("qscc", b"GetTransactionByID", b"testing", name)
    transaction = transaction_pb2.ProcessedTransaction.FromString(answer.payload)
    assert transaction.validationCode == 0
    assert transaction.transactionEnvelope.SerializeToString() == block.data.data[0]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([b"GetChainInfo"], "Incorrect number of arguments, 1"),
        ([b"GetBlockByNumber", b"testing"], "missing 3rd argument for GetBlockByNumber"),
        ([b"GetChainInfo", b"elsewhere"], "Invalid chain ID, elsewhere"),
        (
            [b"Get", b"testing", b"x"],
            "access denied for [Get][testing]: [Unmapped policy for qscc/Get]",
        ),
        (
            [b"GetBlockByNumber", b"testing", b"-1"],
            'Failed to parse block number with error strconv.ParseUint: parsing "-1": invalid syntax',
        ),
        (
            [b"GetBlockByNumber", b"testing", b"18446744073709551616"],
            "Failed to parse block number with error strconv.ParseUint: parsing "
            '"18446744073709551616": value out of range',
        ),
        (
            [b"GetBlockByNumber", b"testing", b"99"],
            "Failed to get block number 99, error no such block number [99] in index",
        ),
        (
            [b"GetBlockByNumber", b"testing", b"18446744073709551614"],
            "Failed to get block number 18446744073709551614, error no such block number "
            "[18446744073709551614] in index",
        ),
        (
            [b"GetBlockByHash", b"testing", b"ab"],
            "Failed to get block hash ab, error no such block hash [6162] in index",
        ),
        (
            [b"GetTransactionByID", b"testing", b"x"],
            "Failed to get transaction with id x, error no such transaction ID [x] in index",
        ),
        (
            [b"GetBlockByTxID", b"testing", b"x"],
            "Failed to get block for txID x, error no such transaction ID [x] in index",
        ),
    ],
)
async def test_ledger_queries_that_cannot_be(ask: Any, arguments: list[bytes], text: str) -> None:
    answer = await ask("qscc", *arguments)
    assert (answer.status, answer.message) == (500, text)


async def test_channels_and_their_configuration(engine: Engine, ask: Any) -> None:
    channels = query_pb2.ChannelQueryResponse.FromString((await ask("cscc", b"GetChannels")).payload)
    assert [channel.channel_id for channel in channels.channels] == ["testing"]
    block = (await ask("cscc", b"GetConfigBlock", b"testing")).payload
    assert block == engine.ledger.block(0)
    config = configtx_pb2.Config.FromString((await ask("cscc", b"GetChannelConfig", b"testing")).payload)
    assert set(config.channel_group.groups) == {"Application", "Orderer"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Incorrect number of arguments, 0"),
        ([b"GetConfigBlock"], "Incorrect number of arguments, 1"),
        ([b"Get", b"x"], "Requested function Get not found."),
        ([b"GetChannelConfig", b""], "empty channel name provided"),
        (
            [b"GetConfigBlock", b"elsewhere"],
            "access denied for [GetConfigBlock][elsewhere]: Failed to get policy manager for channel "
            "[elsewhere]",
        ),
        (
            [b"JoinChain", b"block"],
            f"Failed to reconstruct the genesis block, error unmarshalling Block: {GO_DECODING}",
        ),
        (
            [b"JoinChain", b""],
            '"JoinChain" request failed to extract channel id from the block due to [failed to retrieve '
            "channel id - block is empty]",
        ),
        (
            [b"JoinChain", block_of("other")],
            "access denied for [JoinChain][other]: [Failed verifying that proposal's creator satisfies local "
            "MSP principal during channelless check policy with policy [Admins]: [The identity is not an "
            "admin under this MSP [AlphaMSP]: The identity does not contain OU [ADMIN], MSP: [AlphaMSP]]]",
        ),
        ([b"JoinChainBySnapshot", b""], "Cannot join the channel, no snapshot directory provided"),
    ],
)
async def test_channel_queries_that_cannot_be(ask: Any, arguments: list[bytes], text: str) -> None:
    answer = await ask("cscc", *arguments)
    assert (answer.status, answer.message) == (500, text)


async def test_joining_another_channel_is_refused_with_the_reason(
    engine: Engine, consortium: Consortium
) -> None:
    answer = await _ask(
        engine, consortium.administrators["AlphaMSP"], "cscc", b"JoinChain", block_of("other")
    )
    assert answer.response.message.startswith("Cannot join a channel: the embedded engine has one channel")


@pytest.mark.parametrize("function", [b"GetBlockByTxID", b"GetTransactionByID", b"GetBlockByHash"])
async def test_an_answer_that_would_quote_bytes_cannot_be_sent(ask: Any, function: bytes) -> None:
    answer = await ask("qscc", function, b"testing", b"\xff")
    assert (answer.status, answer.message) == (
        500,
        "error in simulation: transaction returned with failure: failed to marshal response: string field "
        "contains invalid UTF-8",
    )


async def test_bytes_for_a_number_are_quoted_as_go_does(ask: Any) -> None:
    answer = await ask("qscc", b"GetBlockByNumber", b"testing", b"\xfe1")
    assert answer.message.endswith('parsing "\\xfe1": invalid syntax')


async def test_no_snapshot_is_being_joined(engine: Engine, consortium: Consortium) -> None:
    administrator = consortium.administrators["AlphaMSP"]
    answer = await _ask(engine, administrator, "cscc", b"JoinBySnapshotStatus")
    assert answer.response.status == 200
    assert not query_pb2.JoinBySnapshotStatus.FromString(answer.response.payload).in_progress


async def test_a_query_without_a_channel_is_answered_without_endorsement(
    engine: Engine, consortium: Consortium
) -> None:
    without = await _ask(engine, consortium.clients["AlphaMSP"], "qscc", b"GetChainInfo", b"testing")
    assert not without.HasField("endorsement")
    assert not without.payload
    within = await _ask(
        engine, consortium.clients["BetaMSP"], "qscc", b"GetChainInfo", b"testing", channel_id="testing"
    )
    assert within.HasField("endorsement")
    action = proposal_pb2.ChaincodeAction.FromString(
        proposal_response_pb2.ProposalResponsePayload.FromString(within.payload).extension
    )
    assert (action.results, action.chaincode_id.name, action.chaincode_id.version) == (b"", "qscc", "syscc")


async def test_without_a_channel_a_peer_knows_its_own_organization_only(
    engine: Engine, consortium: Consortium
) -> None:
    with pytest.raises(PeerRefusal) as caught:
        await _ask(engine, consortium.clients["BetaMSP"], "cscc", b"GetChannels")
    assert caught.value.message == (
        "error validating proposal: access denied: channel [] creator org unknown, creator is malformed"
    )


async def test_without_a_channel_there_are_system_chaincodes_only(ask: Any) -> None:
    answer = await ask("basic", b"get", b"k")
    assert answer.message.endswith("could not get channel config for channel ''")


@pytest.mark.parametrize("chaincode", ["qscc", "cscc"])
async def test_chaincodes_may_not_ask(ask: Any, chaincode: str) -> None:
    answer = await ask("basic", b"relay", chaincode.encode(), channel_id="testing")
    assert answer.payload.startswith(f"Rejecting invoke of {chaincode.upper()} from another".encode())
