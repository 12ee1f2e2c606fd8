"""What a Gateway is asked beside the usual: fields that disagree, odd organizations, events, waits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc
from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.orderer import ab_pb2
from support.conformance.bench import Bench, arguments
from support.conformance.engines import ALPHA, BETA, CHAINCODE, CHANNEL
from support.conformance.gateway_bench import SILENCE_SECONDS
from support.conformance.rendering import rendered_event


def gateway_proposals(bench: Bench) -> None:
    """Evaluate and Endorse with organizations named, transient data, system chaincodes, other people."""
    script: Any = [["put", "gateway/k", "1"]]
    transient = {"t": b"x"}
    for label, organizations in {
        "own": [ALPHA],
        "other": [BETA],
        "both": [ALPHA, BETA],
        "both turned": [BETA, ALPHA],
        "twice": [ALPHA, ALPHA],
        "with an unknown": [ALPHA, "GammaMSP"],
        "two unknown": ["GammaMSP", "DeltaMSP"],
        "empty name": [""],
    }.items():
        bench.evaluate(f"evaluate {label}", script, targets=organizations)
        bench.evaluate(f"evaluate {label}, transient", script, targets=organizations, transient=transient)
        bench.prepare(f"endorse {label}", script, endorsers=organizations)
        bench.prepare(f"endorse {label}, transient", script, endorsers=organizations, transient=transient)
    bench.evaluate("transient", script, transient=transient)
    bench.prepare("transient, endorse", script, transient=transient)
    for label, chaincode, given in (
        ("qscc", "qscc", [b"GetChainInfo", b"elsewhere"]),
        ("cscc", "cscc", [b"GetChannels"]),
        ("lifecycle", "_lifecycle", [b"QueryChaincodeDefinition", b"\x0a\x07nowhere"]),
        ("lscc", "lscc", [b"getid", CHANNEL.encode(), b"probe"]),
        ("unknown", "nowhere", [b"x"]),
    ):
        for options in ({}, {"transient": transient}):
            _both_calls(bench, f"{label}{', transient' if options else ''}", chaincode, given, options)
    _both_calls(bench, "somebody else's client", CHAINCODE, arguments(script), {}, who=BETA)
    _both_calls(bench, "an administrator", CHAINCODE, arguments(script), {}, who=f"{ALPHA} admin")
    proposal = bench.proposal(script)
    signed = bench.clients[ALPHA].signed(proposal)
    for label, fields in {
        "no channel": {"transaction_id": proposal.transaction_id},
        "another channel": {"transaction_id": proposal.transaction_id, "channel_id": "elsewhere"},
        "no transaction id": {"channel_id": CHANNEL},
        "another transaction id": {"channel_id": CHANNEL, "transaction_id": "0" * 64},
    }.items():
        gateway = bench.connections.gateway(ALPHA)
        request = gateway_pb2.EvaluateRequest(proposed_transaction=signed, **fields)
        bench.call(f"evaluate, {label}", gateway.Evaluate, request)
        wanted = gateway_pb2.EndorseRequest(proposed_transaction=signed, **fields)
        _endorsed(bench, f"endorse, {label}", wanted)


def _both_calls(
    bench: Bench, label: str, chaincode: str, given: list[bytes], options: dict[str, Any], who: str = ALPHA
) -> None:
    gateway = bench.connections.gateway(ALPHA)
    proposal = bench.named(bench.clients[who].propose(CHANNEL, chaincode, given, **options))
    fields = {
        "transaction_id": proposal.transaction_id,
        "channel_id": CHANNEL,
        "proposed_transaction": bench.clients[who].signed(proposal),
    }
    bench.call(f"{label}: evaluate", gateway.Evaluate, gateway_pb2.EvaluateRequest(**fields))
    _endorsed(bench, f"{label}: endorse", gateway_pb2.EndorseRequest(**fields))


def _endorsed(bench: Bench, label: str, request: Any) -> None:
    answer = bench.call(label, bench.connections.gateway(ALPHA).Endorse, request)
    if answer is not None:
        bench.observe(label, bench.transaction(answer.prepared_transaction))


def gateway_submissions(bench: Bench) -> None:
    """Submit with fields that disagree, and envelopes that are none."""
    good = bench.prepare("good", [["put", "gateway/s", "1"]])
    client = bench.clients[ALPHA]
    forged = common_pb2.Envelope(payload=good.payload, signature=bench.clients[BETA].sign(good.payload))
    gateway = bench.connections.gateway(ALPHA)
    for label, envelope, channel in (
        ("garbage", common_pb2.Envelope(payload=b"\xff", signature=b"x"), CHANNEL),
        ("no payload", common_pb2.Envelope(signature=b"x"), CHANNEL),
        ("no payload, signed", common_pb2.Envelope(signature=client.sign(b"")), CHANNEL),
        ("forged", forged, CHANNEL),
        ("no channel", good, ""),
        ("another channel", good, "elsewhere"),
        ("too large", common_pb2.Envelope(payload=bytes(11 << 20), signature=b"x"), CHANNEL),
    ):
        request = gateway_pb2.SubmitRequest(
            transaction_id="0" * 64, channel_id=channel, prepared_transaction=envelope
        )
        bench.call(label, gateway.Submit, request)
    bench.submit("in the end", good)


def gateway_statuses(bench: Bench) -> None:
    """CommitStatus: fields that lack, identities that are none, a transaction that never comes."""
    client = bench.clients[ALPHA]
    known = bench.commit("known", [["put", "gateway/s", "2"]])
    asked: dict[str, Callable[[], Any]] = {}
    fields = {"transaction_id": known, "channel_id": CHANNEL, "identity": client.identity.serialized}
    for label, change in {
        "known": {},
        "in capitals": {"transaction_id": known.upper()},
        "unknown": {"transaction_id": "0" * 64},
        "no transaction id": {"transaction_id": ""},
        "no channel": {"channel_id": ""},
        "another channel": {"channel_id": "elsewhere"},
        "no identity": {"identity": b""},
        "garbage identity": {"identity": b"\xff\xff"},
        "another's identity": {"identity": bench.clients[BETA].identity.serialized},
        "nothing": {"identity": b"", "channel_id": "", "transaction_id": ""},
    }.items():
        inner = gateway_pb2.CommitStatusRequest(**(fields | change)).SerializeToString()
        asked[label] = partial(_status, bench, inner, client.sign(inner))
    inner = gateway_pb2.CommitStatusRequest(**fields).SerializeToString()
    asked["not signed"] = partial(_status, bench, inner, b"")
    asked["garbage"] = partial(_status, bench, b"\xff\xff", client.sign(b"\xff\xff"))
    bench.at_once(asked)


def _status(bench: Bench, inner: bytes, signature: bytes) -> Any:
    request = gateway_pb2.SignedCommitStatusRequest(request=inner, signature=signature)
    method = bench.connections.gateway(ALPHA).CommitStatus
    try:
        answer = method(request, timeout=SILENCE_SECONDS)
    except grpc.RpcError as error:
        is_waiting = error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        return "waits" if is_waiting else bench.refused(error)
    return [answer.result, answer.block_number - bench.base]


def gateway_events(bench: Bench) -> None:
    """ChaincodeEvents: every start, after transactions with and without events, chaincodes that are none."""
    silent = bench.commit("silent", [["put", "gateway/e", "1"]])
    first = bench.commit("first", [["event", "one", "1"], ["put", "gateway/e", "2"]])
    bad = bench.commit("invalid", [["event", "bad", "1"], ["put", "gateway/e", "3"]], endorsers=[ALPHA])
    second = bench.commit("second", [["event", "two", "2"]])
    base = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=bench.base))
    far = ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=bench.height() + 1000))
    asked: dict[str, Callable[[], Any]] = {}
    for label, fields in {
        "from the start": {"start_position": base},
        "far away": {"start_position": far},
        "next": {"start_position": ab_pb2.SeekPosition(next_commit=ab_pb2.SeekNextCommit())},
        "oldest": {"start_position": ab_pb2.SeekPosition(oldest=ab_pb2.SeekOldest())},
        "newest": {"start_position": ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest())},
        "no kind": {"start_position": ab_pb2.SeekPosition()},
        "no start": {},
        "after the first": {"after_transaction_id": first},
        "after the second": {"after_transaction_id": second},
        "after the silent one": {"after_transaction_id": silent},
        "after the invalid one": {"after_transaction_id": bad},
        "after an unknown one": {"after_transaction_id": "0" * 64, "start_position": base},
        "after the first, starting later": {"after_transaction_id": first, "start_position": far},
        "after the first, starting nowhere": {
            "after_transaction_id": first,
            "start_position": ab_pb2.SeekPosition(oldest=ab_pb2.SeekOldest()),
        },
        "of an unknown chaincode": {"chaincode_id": "nowhere", "start_position": base},
        "of no chaincode": {"chaincode_id": ""},
        "of no channel": {"channel_id": ""},
        "of another channel": {"channel_id": "elsewhere"},
        "without identity": {"identity": b""},
        "with another's identity": {"identity": bench.clients[BETA].identity.serialized},
        "with nothing": {"identity": b"", "channel_id": "", "chaincode_id": ""},
    }.items():
        asked[label] = partial(_events, bench, _inner(bench, fields))
    bench.at_once(
        asked | {"nothing": partial(_events, bench, b""), "garbage": partial(_events, bench, b"\xff\xff")}
    )


def _inner(bench: Bench, fields: dict[str, Any]) -> bytes:
    usual = {
        "channel_id": CHANNEL,
        "chaincode_id": CHAINCODE,
        "identity": bench.clients[ALPHA].identity.serialized,
    }
    data: bytes = gateway_pb2.ChaincodeEventsRequest(**(usual | fields)).SerializeToString()
    return data


def _events(bench: Bench, inner: bytes) -> Any:
    client = bench.clients[ALPHA]
    request = gateway_pb2.SignedChaincodeEventsRequest(request=inner, signature=client.sign(inner))
    stream = bench.connections.gateway(ALPHA).ChaincodeEvents(request, timeout=SILENCE_SECONDS)
    return bench.heard(
        stream,
        lambda answer: [
            answer.block_number - bench.base,
            [rendered_event(event.SerializeToString(), bench.names) for event in answer.events],
        ],
    )


SCENARIOS = (gateway_proposals, gateway_submissions, gateway_statuses, gateway_events)
