"""Errors of every kind: of chaincode, of peers, of gateways, of orderers."""

from __future__ import annotations

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2
from support.conformance.bench import BOTH, Bench, arguments
from support.conformance.connections import SECONDS
from support.conformance.engines import ALPHA, BETA, CHANNEL


def chaincode_errors(bench: Bench) -> None:
    """What a chaincode refuses, how it crashes, where its peers disagree."""
    for label, script in {
        "refusal": [["fail", 404, "not found"]],
        "refusal of 400": [["fail", 400, ""]],
        "failure": [["fail", 500, "ä broken"]],
        "crash": [["crash"]],
        "unknown operation": [["nothing"]],
        "empty key": [["put", "", "x"]],
        "empty value": [["put", "errors/k", ""]],
        "after a write": [["put", "errors/k", "1"], ["fail", 409, "conflict"]],
    }.items():
        bench.evaluate(f"{label}: evaluate", script)
        bench.prepare(f"{label}: endorse", script)
        bench.endorse(f"{label}: peers", bench.proposal(script), at=BOTH)
    bench.evaluate("peers disagree: evaluate", [["put", "errors/k", "x"], ["get", "errors/none"]])
    client = bench.clients[ALPHA]
    for label, given in {
        "no function": [],
        "unknown function": [b"nothing"],
        "too few arguments": [b"probe:run"],
    }.items():
        bench.endorse(label, bench.named(client.propose(CHANNEL, "probe", given)))


def disagreement(bench: Bench) -> None:
    """Peers whose chaincode answers differently make no transaction."""
    answer = bench.prepare("differ", [["process"], ["put", "errors/k", "x"]])
    bench.observe("nothing was made", answer is None)


def unknown_names(bench: Bench) -> None:
    """Channels, chaincodes, organizations and transactions that do not exist."""
    client = bench.clients[ALPHA]
    gateway = bench.connections.gateway(ALPHA)
    bench.evaluate("unknown chaincode: evaluate", [], chaincode="nowhere")
    bench.prepare("unknown chaincode: endorse", [], chaincode="nowhere")
    bench.endorse("unknown chaincode: peers", bench.proposal([], chaincode="nowhere"), at=BOTH)
    bench.evaluate("unknown channel: evaluate", [], channel="elsewhere")
    proposal = bench.named(client.propose("elsewhere", "probe", arguments([])))
    bench.endorse("unknown channel: peer", proposal)
    bench.prepare_proposal("unknown channel: endorse", proposal)
    bench.status("unknown channel: status", "0" * 64, channel="elsewhere")
    envelope = bench.prepare("good", [["put", "names/k", "1"]])
    request = gateway_pb2.SubmitRequest(
        transaction_id="0" * 64, channel_id="elsewhere", prepared_transaction=envelope
    )
    bench.call("unknown channel: submit", gateway.Submit, request)
    bench.evaluate("unknown organization: evaluate", [["get", "k"]], targets=["GammaMSP"])
    bench.prepare("unknown organization: endorse", [["get", "k"]], endorsers=["GammaMSP"])
    bench.evaluate("another organization: evaluate", [["get", "k"]], targets=[BETA])
    bench.chaincode_events("unknown channel: events", channel="elsewhere")


def malformed_requests(bench: Bench) -> None:
    """Requests to the gateway and to endorsers that lack something, or are signed by somebody else."""
    client, other = bench.clients[ALPHA], bench.clients[BETA]
    gateway, endorser = bench.connections.gateway(ALPHA), bench.connections.endorser(ALPHA)
    proposal = bench.proposal([["get", "k"]])
    signed = client.signed(proposal)
    forged = proposal_pb2.SignedProposal(proposal_bytes=proposal.data, signature=other.sign(proposal.data))
    unsigned = proposal_pb2.SignedProposal(proposal_bytes=proposal.data)
    garbage = proposal_pb2.SignedProposal(proposal_bytes=b"\xff\xff", signature=b"x")
    for label, item in {
        "forged": forged,
        "unsigned": unsigned,
        "garbage": garbage,
        "empty": proposal_pb2.SignedProposal(),
    }.items():
        bench.process(f"{label}: peer", endorser, item)
        for call, kind, method in (
            ("evaluate", gateway_pb2.EvaluateRequest, gateway.Evaluate),
            ("endorse", gateway_pb2.EndorseRequest, gateway.Endorse),
        ):
            request = kind(
                transaction_id=proposal.transaction_id, channel_id=CHANNEL, proposed_transaction=item
            )
            bench.call(f"{label}: {call}", method, request)
    bench.call("no proposal: evaluate", gateway.Evaluate, gateway_pb2.EvaluateRequest())
    bench.call("no proposal: endorse", gateway.Endorse, gateway_pb2.EndorseRequest())
    bench.call("no transaction: submit", gateway.Submit, gateway_pb2.SubmitRequest())
    bench.call("no request: status", gateway.CommitStatus, gateway_pb2.SignedCommitStatusRequest())
    empty = gateway_pb2.SubmitRequest(channel_id=CHANNEL, prepared_transaction=common_pb2.Envelope())
    bench.call("empty transaction: submit", gateway.Submit, empty)
    unsigned_submit = gateway_pb2.SubmitRequest(
        transaction_id=proposal.transaction_id,
        channel_id=CHANNEL,
        prepared_transaction=common_pb2.Envelope(payload=b"x"),
    )
    bench.call("unsigned transaction: submit", gateway.Submit, unsigned_submit)
    inner = gateway_pb2.CommitStatusRequest(
        transaction_id="0" * 64, channel_id=CHANNEL, identity=client.identity.serialized
    ).SerializeToString()
    forged_status = gateway_pb2.SignedCommitStatusRequest(request=inner, signature=other.sign(inner))
    bench.call("forged: status", gateway.CommitStatus, forged_status)
    bench.process("as another", endorser, _renamed(bench))
    bench.process("by hand", endorser, signed)


def _renamed(bench: Bench) -> object:
    """A proposal whose header names another transaction id than nonce and creator give."""
    proposal = bench.proposal([["get", "k"]])
    content = proposal_pb2.Proposal.FromString(proposal.data)
    header = common_pb2.Header.FromString(content.header)
    channel = common_pb2.ChannelHeader.FromString(header.channel_header)
    channel.tx_id = "0" * 64
    header.channel_header = channel.SerializeToString()
    content.header = header.SerializeToString()
    data = content.SerializeToString()
    return proposal_pb2.SignedProposal(proposal_bytes=data, signature=bench.clients[ALPHA].sign(data))


def broadcasting(bench: Bench) -> None:
    """What an orderer refuses at once."""
    client, other = bench.clients[ALPHA], bench.clients[BETA]
    good = bench.prepare("good", [["put", "broadcast/k", "1"]])
    forged = common_pb2.Envelope(payload=good.payload, signature=other.sign(good.payload))
    payload = common_pb2.Payload.FromString(good.payload)
    channel = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    channel.channel_id = "elsewhere"
    payload.header.channel_header = channel.SerializeToString()
    elsewhere = payload.SerializeToString()
    for label, envelope in {
        "empty": common_pb2.Envelope(),
        "garbage": common_pb2.Envelope(payload=b"\xff\xff", signature=b"x"),
        "no header": common_pb2.Envelope(payload=b"", signature=b"x"),
        "forged": forged,
        "unsigned": common_pb2.Envelope(payload=good.payload),
        "unknown channel": common_pb2.Envelope(payload=elsewhere, signature=client.sign(elsewhere)),
        "good": good,
    }.items():
        answer = next(iter(bench.connections.orderer().Broadcast(iter([envelope]), timeout=SECONDS)))
        bench.observe(
            label + ": orderer", [common_pb2.Status.Name(answer.status), bench.names.text(answer.info)]
        )


SCENARIOS = (chaincode_errors, disagreement, unknown_names, malformed_requests, broadcasting)
