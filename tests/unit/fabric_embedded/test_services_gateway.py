"""The Gateway's answers, with Fabric's codes and texts, on peers that answer as they are told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2, transaction_pb2
from hypothesis import given
from hypothesis import strategies as st
from support.fake_engine import FakeEngine, responding
from support.sample_channel import CHAINCODE, CHANNEL, SampleLedger, members, sample_proposal

from fabric_embedded.errors import PeerRefusal
from fabric_embedded.gateway.service import GatewayService
from fabric_embedded.ledger import CommittedEvent, TransactionStatus
from fabric_embedded.services.handlers import ServiceError
from fabric_embedded.services.status import StatusCode
from fabric_protocol.collections import Collection, collection_package
from fabric_protocol.interest import InterestCall
from fabric_protocol.policies import application_policy, parse_policy
from fabric_protocol.signatures import sign

pytestmark = pytest.mark.unit

ALPHA, BETA, GAMMA = "AlphaMSP", "BetaMSP", "GammaMSP"
ADDRESSES = {ALPHA: "127.0.0.1:1", BETA: "127.0.0.1:2", GAMMA: "127.0.0.1:3"}
Code = StatusCode


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def gateway(engine: FakeEngine, msp_id: str = ALPHA) -> GatewayService:
    return GatewayService(engine, msp_id, ADDRESSES, "127.0.0.1:9")  # type: ignore[arg-type]


def signed_proposal(**options: Any) -> Any:
    creator = members(ALPHA).client
    proposal = sample_proposal(creator, **options)
    return proposal_pb2.SignedProposal(
        proposal_bytes=proposal.data, signature=sign(creator.key, proposal.data)
    )


async def evaluate(engine: FakeEngine, *targets: str, **options: Any) -> Any:
    request = gateway_pb2.EvaluateRequest(
        proposed_transaction=signed_proposal(**options), target_organizations=targets
    )
    return await gateway(engine).evaluate(request)


async def endorse(engine: FakeEngine, *organizations: str, msp_id: str = ALPHA, **options: Any) -> list[str]:
    """MSP ids that endorsed, in order."""
    request = gateway_pb2.EndorseRequest(
        proposed_transaction=signed_proposal(**options), endorsing_organizations=organizations
    )
    answer = await gateway(engine, msp_id).endorse(request)
    assert not answer.prepared_transaction.signature
    payload = common_pb2.Payload.FromString(answer.prepared_transaction.payload)
    action = transaction_pb2.Transaction.FromString(payload.data).actions[0]
    endorsements = transaction_pb2.ChaincodeActionPayload.FromString(action.payload).action.endorsements
    by_identity = {members(other).peer.serialized: other for other in engine.peers}
    return [by_identity[endorsement.endorser] for endorsement in endorsements]


async def refused(call: Any, code: StatusCode) -> ServiceError:
    with pytest.raises(ServiceError) as refusal:
        await call
    assert refusal.value.status == code, refusal.value.message
    return refusal.value


async def test_evaluate_answers_with_the_chaincodes_response_of_the_own_peer(engine: FakeEngine) -> None:
    answer = await evaluate(engine)
    assert (answer.result.status, answer.result.message, answer.result.payload) == (200, "fine", b"done")
    assert [peer.asked for peer in engine.peers.values()] == [1, 0, 0]


async def test_evaluate_moves_on_only_where_another_peer_may_do_better(engine: FakeEngine) -> None:
    engine.peers[ALPHA].answer = responding(500, "chaincode stream terminated")
    assert (await evaluate(engine)).result.payload == b"done"
    engine.peers[ALPHA].answer = responding(404, "KEY_NOT_FOUND")
    error = await refused(evaluate(engine), Code.UNKNOWN)
    assert error.message == "evaluate call to endorser returned error: chaincode response 404, KEY_NOT_FOUND"
    assert [(item.address, item.msp_id, item.message) for item in error.failures] == [
        ("127.0.0.1:1", ALPHA, "chaincode response 404, KEY_NOT_FOUND")
    ]


async def test_evaluate_reads_refusals_as_fabric_does(engine: FakeEngine) -> None:
    engine.peers[ALPHA].answer = lambda _: PeerRefusal("X", "access denied", is_filter=False)
    error = await refused(evaluate(engine), Code.FAILED_PRECONDITION)
    assert error.message == "evaluate call to endorser returned error: access denied"
    for peer in engine.peers.values():
        peer.answer = lambda _: PeerRefusal("X", "request unauthorized", is_filter=True)
    error = await refused(evaluate(engine), Code.UNAVAILABLE)
    assert error.message == "failed to evaluate transaction, see attached details for more info"
    assert len(error.failures) == 3
    engine.peers[BETA].answer = lambda _: PeerRefusal("X", "access denied", is_filter=False)
    assert (await refused(evaluate(engine, BETA), Code.UNAVAILABLE)).failures[0].msp_id == BETA


async def test_transient_data_stays_with_the_own_organization_unless_told(engine: FakeEngine) -> None:
    engine.peers[ALPHA].serving = False
    error = await refused(evaluate(engine, transient={"key": b"secret"}), Code.FAILED_PRECONDITION)
    assert error.message.startswith(
        "no endorsers found in the gateway's organization; retry specifying target"
    )
    error = await refused(endorse(engine, transient={"key": b"secret"}), Code.FAILED_PRECONDITION)
    assert "retry specifying endorsing organization(s)" in error.message
    assert [peer.asked for peer in engine.peers.values()] == [0, 0, 0]
    assert (await evaluate(engine, BETA, transient={"key": b"secret"})).result.payload == b"done"


async def test_unknown_channels_and_chaincodes(engine: FakeEngine) -> None:
    error = await refused(evaluate(engine, channel_id="other"), Code.UNAVAILABLE)
    assert error.message == (
        "failed to get config for channel [other]: could not get last config for channel other"
    )
    error = await refused(evaluate(engine, chaincode="none"), Code.FAILED_PRECONDITION)
    assert error.message == f"no peers available to evaluate chaincode none in channel {CHANNEL}"
    for change, chaincode, channel in (
        ({"chaincode": "none"}, "none", CHANNEL),
        ({"channel_id": "o"}, "records", "o"),
    ):
        error = await refused(endorse(engine, **change), Code.FAILED_PRECONDITION)
        assert error.message == (
            "no combination of peers can be derived which satisfy the endorsement policy: "
            f"No metadata was found for chaincode {chaincode} in channel {channel}"
        )
    error = await refused(
        endorse(engine, channel_id="other", transient={"a": b"b"}), Code.FAILED_PRECONDITION
    )
    assert "retry specifying endorsing organization(s)" in error.message
    error = await refused(endorse(engine, BETA, channel_id="other"), Code.UNAVAILABLE)
    assert error.message == f"failed to find any endorsing peers for org(s): {BETA}"


@given(st.binary(max_size=200))
def test_whatever_comes_as_a_proposal_is_answered(data: bytes) -> None:
    signed = proposal_pb2.SignedProposal(proposal_bytes=data, signature=b"x")
    request = gateway_pb2.EvaluateRequest(proposed_transaction=signed)
    with pytest.raises(ServiceError) as refusal:
        asyncio.run(gateway(SHARED).evaluate(request))
    assert refusal.value.status in (Code.INVALID_ARGUMENT, Code.UNAVAILABLE)


SHARED = FakeEngine()


async def test_the_own_peer_endorses_first_and_one_more_completes_the_policy(engine: FakeEngine) -> None:
    assert await endorse(engine) == [ALPHA, BETA]
    assert [peer.asked for peer in engine.peers.values()] == [1, 1, 0]
    assert await endorse(engine, msp_id=GAMMA) == [GAMMA, ALPHA]


async def test_a_failed_peer_is_replaced_by_another(engine: FakeEngine) -> None:
    engine.peers[BETA].answer = responding(500, "timeout expired while executing transaction")
    assert await endorse(engine) == [ALPHA, GAMMA]
    engine.peers[GAMMA].answer = engine.endorsing(GAMMA, results=b"\x08\x01")
    error = await refused(endorse(engine), Code.ABORTED)
    assert (
        error.message
        == "failed to collect enough transaction endorsements, see attached details for more info"
    )
    assert [item.message for item in error.failures] == [
        "timeout expired while executing transaction",
        "ProposalResponsePayloads do not match",
    ]


async def test_the_first_endorsement_failing_ends_it(engine: FakeEngine) -> None:
    engine.peers[ALPHA].answer = responding(403, "DENIED")
    error = await refused(endorse(engine), Code.ABORTED)
    assert error.message == "failed to endorse transaction, see attached details for more info"
    assert error.failures[0].message == "chaincode response 403, DENIED"
    assert engine.peers[BETA].asked == 0


async def test_chosen_organizations_are_asked_and_no_others(engine: FakeEngine) -> None:
    assert sorted(await endorse(engine, GAMMA, BETA)) == [BETA, GAMMA]
    assert engine.peers[ALPHA].asked == 0
    error = await refused(endorse(engine, "NobodyMSP", BETA, "NoneMSP"), Code.UNAVAILABLE)
    assert error.message == "failed to find any endorsing peers for org(s): NobodyMSP, NoneMSP"
    engine.peers[BETA].answer = responding(400, "no")
    assert (await refused(endorse(engine, GAMMA, BETA), Code.ABORTED)).failures[0].msp_id == BETA


async def test_too_few_peers_say_who_is_missing(engine: FakeEngine) -> None:
    engine.peers[BETA].serving = engine.peers[GAMMA].serving = False
    error = await refused(endorse(engine), Code.FAILED_PRECONDITION)
    assert "due to unavailability of peers: [BetaMSP, GammaMSP]" in error.message


async def test_without_an_own_peer_a_plan_is_made_first(engine: FakeEngine) -> None:
    engine.peers[ALPHA].serving = False
    assert await endorse(engine) == [BETA, GAMMA]


def custodian_collection(msp_id: str) -> Collection:
    return Collection(
        name=f"custodian-{msp_id}",
        member_orgs_policy=parse_policy(f"OR('{msp_id}.member')"),
        endorsement_policy=application_policy(f"OR('{msp_id}.peer')"),
    )


async def test_a_private_write_is_endorsed_by_its_custodian_alone() -> None:
    collections = collection_package([custodian_collection(BETA)]).SerializeToString()
    write = InterestCall(CHAINCODE, "custodian-BetaMSP", no_private_reads=True)
    engine = FakeEngine(SampleLedger(collections=collections), (write,))
    assert await endorse(engine, msp_id=BETA, transient={"value": b"private"}) == [BETA]
    assert [peer.asked for peer in engine.peers.values()] == [0, 1, 0]


async def test_members_only_hear_of_private_data_that_the_policy_alone_would_spread() -> None:
    collection = Collection(
        name="shared", member_orgs_policy=parse_policy("OR('AlphaMSP.member', 'GammaMSP.member')")
    )
    collections = collection_package([collection]).SerializeToString()
    engine = FakeEngine(
        SampleLedger(collections=collections), (InterestCall(CHAINCODE, "shared", no_private_reads=True),)
    )
    assert await endorse(engine) == [ALPHA, BETA]
    assert await endorse(engine, transient={"value": b"private"}) == [ALPHA, GAMMA]


async def test_a_key_level_policy_decides_alone(engine: FakeEngine) -> None:
    policy = parse_policy("OR('GammaMSP.peer')").SerializeToString()
    engine.interest = (InterestCall(CHAINCODE, key_policies=(policy,), disregard_namespace_policy=True),)
    assert await endorse(engine) == [GAMMA]
    engine.interest = (InterestCall(CHAINCODE, key_policies=(policy,)),)
    assert await endorse(engine) == [ALPHA, GAMMA]


async def test_submit_hands_on_what_is_signed(engine: FakeEngine) -> None:
    envelope = common_pb2.Envelope(payload=b"payload", signature=b"signature")
    request = gateway_pb2.SubmitRequest(prepared_transaction=envelope, channel_id=CHANNEL)
    assert await gateway(engine).submit(request) == gateway_pb2.SubmitResponse()
    assert engine.broadcasts == [envelope]
    engine.broadcast_answer = (403, "no")
    error = await refused(gateway(engine).submit(request), Code.ABORTED)
    assert error.message == "received unsuccessful response from orderer: status=FORBIDDEN, info=no"
    engine.broadcast_answer = (503, "busy")
    error = await refused(gateway(engine).submit(request), Code.UNAVAILABLE)
    assert error.message == "no orderers could successfully process transaction"
    assert error.failures[0].address == "127.0.0.1:9"


@pytest.mark.parametrize(
    ("request_fields", "code"),
    [
        ({}, Code.INVALID_ARGUMENT),
        ({"prepared_transaction": {"payload": b"x"}, "channel_id": CHANNEL}, Code.INVALID_ARGUMENT),
        ({"prepared_transaction": {"payload": b"x", "signature": b"y"}}, Code.FAILED_PRECONDITION),
    ],
)
async def test_submit_refuses(engine: FakeEngine, request_fields: Any, code: StatusCode) -> None:
    await refused(gateway(engine).submit(gateway_pb2.SubmitRequest(**request_fields)), code)
    assert engine.broadcasts == []


def status_request(msp_id: str = ALPHA, role: str = "client", **fields: Any) -> Any:
    member = getattr(members(msp_id), role)
    values = {"identity": member.serialized, "channel_id": CHANNEL, "transaction_id": "tx", **fields}
    data = gateway_pb2.CommitStatusRequest(**values).SerializeToString()
    return gateway_pb2.SignedCommitStatusRequest(request=data, signature=sign(member.key, data))


async def test_commit_status_waits_and_answers_with_code_and_block(engine: FakeEngine) -> None:
    waiting = asyncio.create_task(gateway(engine).commit_status(status_request()))
    await asyncio.sleep(0)
    engine.ledger.transactions["tx"] = TransactionStatus(11, 7)
    engine.ledger.changed.set()
    answer = await waiting
    assert (answer.result, answer.block_number) == (11, 7)


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"identity": b""}, Code.INVALID_ARGUMENT, "no identity provided"),
        ({"channel_id": ""}, Code.INVALID_ARGUMENT, "no channel ID provided"),
        ({"transaction_id": ""}, Code.INVALID_ARGUMENT, "transaction ID should not be empty"),
        ({"channel_id": "other"}, Code.PERMISSION_DENIED, "Failed to get policy manager for channel [other]"),
        ({"identity": b"nobody"}, Code.PERMISSION_DENIED, None),
    ],
)
async def test_commit_status_refuses(
    engine: FakeEngine, fields: dict[str, Any], code: StatusCode, message: str | None
) -> None:
    error = await refused(gateway(engine).commit_status(status_request(**fields)), code)
    assert message in (None, error.message)


async def test_commit_status_is_for_signed_requests_of_readers(engine: FakeEngine) -> None:
    request = status_request()
    request.signature = sign(members(BETA).client.key, request.request)
    error = await refused(gateway(engine).commit_status(request), Code.PERMISSION_DENIED)
    assert error.message == (
        f"Failed evaluating policy on signed data during check policy on channel [{CHANNEL}] with policy "
        "[/Channel/Application/Readers]: [implicit policy evaluation failed - 0 sub-policies were satisfied, "
        "but this policy requires 1 of the 'Readers' sub-policies to be satisfied]"
    )
    await refused(
        gateway(engine).commit_status(gateway_pb2.SignedCommitStatusRequest()), Code.INVALID_ARGUMENT
    )
    broken = gateway_pb2.SignedCommitStatusRequest(request=b"\xff", signature=b"")
    await refused(gateway(engine).commit_status(broken), Code.INVALID_ARGUMENT)


def events_request(**fields: Any) -> Any:
    member = members(BETA).client
    values = {"identity": member.serialized, "channel_id": CHANNEL, "chaincode_id": CHAINCODE, **fields}
    data = gateway_pb2.ChaincodeEventsRequest(**values).SerializeToString()
    return gateway_pb2.SignedChaincodeEventsRequest(request=data, signature=sign(member.key, data))


def event(transaction: str, chaincode: str = CHAINCODE) -> CommittedEvent:
    return CommittedEvent(transaction, chaincode, "made", b"payload")


@pytest.fixture
def history(engine: FakeEngine) -> FakeEngine:
    engine.ledger.commit(b"0")
    engine.ledger.commit(b"1", event("a"), event("b", "other"), event("c"))
    engine.ledger.commit(b"2")
    engine.ledger.commit(b"3", event("d"))
    engine.ledger.transactions |= {
        "a": TransactionStatus(0, 1),
        "b": TransactionStatus(0, 1),
        "q": TransactionStatus(0, 2),
    }
    return engine


async def some_events(engine: FakeEngine, count: int, **fields: Any) -> list[tuple[int, list[str]]]:
    found = []
    async for response in gateway(engine).chaincode_events(events_request(**fields)):
        found.append((response.block_number, [item.tx_id for item in response.events]))
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"start_position": {"specified": {"number": 0}}}, [(1, ["a", "c"]), (3, ["d"])]),
        ({"start_position": {"specified": {"number": 2}}}, [(3, ["d"])]),
        ({"after_transaction_id": "a"}, [(1, ["c"]), (3, ["d"])]),
        ({"after_transaction_id": "b"}, [(1, ["c"]), (3, ["d"])]),
        ({"after_transaction_id": "a", "start_position": {"specified": {"number": 3}}}, [(1, ["c"])]),
    ],
)
async def test_events_of_the_past(history: FakeEngine, fields: Any, expected: list[Any]) -> None:
    assert await some_events(history, len(expected), **fields) == expected


@pytest.mark.parametrize("fields", [{}, {"start_position": {"next_commit": {}}}])
async def test_events_of_the_future(history: FakeEngine, fields: Any) -> None:
    reading = asyncio.create_task(some_events(history, 1, **fields))
    await asyncio.sleep(0)
    history.ledger.commit(b"4", event("e"))
    assert await reading == [(4, ["e"])]


async def test_after_a_transaction_without_event_nothing_ever_comes(history: FakeEngine) -> None:
    reading = asyncio.create_task(some_events(history, 1, after_transaction_id="q"))
    history.ledger.commit(b"4", event("e"))
    done, _ = await asyncio.wait([reading], timeout=0.05)
    assert not done
    reading.cancel()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"start_position": {"oldest": {}}}, Code.INVALID_ARGUMENT),
        ({"start_position": {"newest": {}}}, Code.INVALID_ARGUMENT),
        ({"identity": b""}, Code.PERMISSION_DENIED),
        ({"channel_id": ""}, Code.PERMISSION_DENIED),
        ({"channel_id": "other"}, Code.PERMISSION_DENIED),
    ],
)
async def test_events_refuse(engine: FakeEngine, fields: Any, code: StatusCode) -> None:
    await refused(some_events(engine, 1, **fields), code)
