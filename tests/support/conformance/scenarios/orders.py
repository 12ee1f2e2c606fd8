"""Envelopes that go to the orderer past every gateway: what it takes, and what peers make of it."""

from __future__ import annotations

import time
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)
from support.conformance.bench import BOTH, Bench
from support.conformance.connections import SECONDS, blocks
from support.conformance.engines import ALPHA, BETA, CHANNEL

from fabric_protocol.blocks import transaction_flags
from fabric_protocol.endorsements import endorse
from fabric_protocol.ordering_config import BFT
from fabric_protocol.proposals import transaction_id

# An ordering node that does not lead hands an envelope on after two seconds.
_PATIENCE_SECONDS = 6.0


class Made:
    """An endorsed transaction taken apart."""

    def __init__(self, data: bytes) -> None:
        self.payload = common_pb2.Payload.FromString(data)
        self.channel = common_pb2.ChannelHeader.FromString(self.payload.header.channel_header)
        self.creator = common_pb2.SignatureHeader.FromString(self.payload.header.signature_header)
        self.transaction = transaction_pb2.Transaction.FromString(self.payload.data)
        self.action = transaction_pb2.ChaincodeActionPayload.FromString(self.transaction.actions[0].payload)
        self.response = proposal_response_pb2.ProposalResponsePayload.FromString(
            self.action.action.proposal_response_payload
        )
        self.chaincode = proposal_pb2.ChaincodeAction.FromString(self.response.extension)
        self.raw: dict[str, bytes] = {}
        self.after: Any = None

    def rename(self) -> None:
        self.channel.tx_id = transaction_id(self.creator.nonce, self.creator.creator)

    def data(self) -> bytes:
        raw = self.raw
        self.response.extension = raw.get("extension", self.chaincode.SerializeToString())
        self.action.action.proposal_response_payload = raw.get("response", self.response.SerializeToString())
        if self.transaction.actions:
            self.transaction.actions[0].payload = raw.get("action", self.action.SerializeToString())
        if self.after is not None:
            self.after(self)
        self.payload.data = raw.get("transaction", self.transaction.SerializeToString())
        self.payload.header.channel_header = raw.get("channel", self.channel.SerializeToString())
        self.payload.header.signature_header = raw.get("creator", self.creator.SerializeToString())
        return self.payload.SerializeToString()


def _raw(name: str, value: bytes) -> Any:
    return lambda made: made.raw.__setitem__(name, value)


def _set(path: str, value: Any) -> Any:
    part, _, name = path.partition(".")
    return lambda made: setattr(getattr(made, part), name, value)


def _nonce(nonce: bytes) -> Any:
    def changed(made: Made) -> None:
        made.creator.nonce = nonce
        made.rename()

    return changed


def _after(change: Any) -> Any:
    return lambda made: setattr(made, "after", change)


def _event(**fields: Any) -> Any:
    event = chaincode_event_pb2.ChaincodeEvent(**fields).SerializeToString()
    return _set("chaincode.events", event)


_CHANGES: dict[str, Any] = {
    "as it is": lambda made: None,
    **{f"type {kind}": _set("channel.type", kind) for kind in (0, 1, 4, 5, 6, 7, 8, 99)},
    "version": _set("channel.version", 9),
    "epoch": _set("channel.epoch", 1),
    "no timestamp": lambda made: made.channel.ClearField("timestamp"),
    "timestamp long ago": lambda made: setattr(made.channel.timestamp, "seconds", 1),
    "another transaction id": _set("channel.tx_id", "0" * 64),
    "no transaction id": _set("channel.tx_id", ""),
    "no nonce": _nonce(b""),
    "another nonce": _nonce(b"x"),
    "no extension of the header": _set("channel.extension", b""),
    "garbage in the header's extension": _set("channel.extension", b"\xff"),
    "another chaincode in the header": _set(
        "channel.extension",
        proposal_pb2.ChaincodeHeaderExtension(
            chaincode_id=chaincode_pb2.ChaincodeID(name="nowhere")
        ).SerializeToString(),
    ),
    "no transaction": _raw("transaction", b""),
    "garbage transaction": _raw("transaction", b"\xff\xff"),
    "no actions": _after(lambda made: made.transaction.ClearField("actions")),
    "two actions": _after(lambda made: made.transaction.actions.append(made.transaction.actions[0])),
    "no header of the action": _after(lambda made: made.transaction.actions[0].ClearField("header")),
    "garbage header of the action": _after(
        lambda made: setattr(made.transaction.actions[0], "header", b"\xff")
    ),
    "garbage action": _raw("action", b"\xff"),
    # An action without payload is asked of the embedded engine alone (docs/conformance.md).
    "no proposal": _set("action.chaincode_proposal_payload", b""),
    "another proposal": _set("action.chaincode_proposal_payload", b"\x0a\x01x"),
    "no endorsements": lambda made: made.action.action.ClearField("endorsements"),
    "the same endorsement twice": lambda made: made.action.action.endorsements[1].CopyFrom(
        made.action.action.endorsements[0]
    ),
    "three endorsements": lambda made: made.action.action.endorsements.append(
        made.action.action.endorsements[0]
    ),
    "garbage endorser": lambda made: setattr(made.action.action.endorsements[0], "endorser", b"\xff"),
    "garbage response": _raw("response", b"\xff"),
    "no response": _raw("response", b""),
    "garbage extension": _raw("extension", b"\xff"),
    "another hash": _set("response.proposal_hash", b"x" * 32),
    "no hash": _set("response.proposal_hash", b""),
    "garbage results": _set("chaincode.results", b"\xff"),
    "no results": _set("chaincode.results", b""),
    "no chaincode": lambda made: made.chaincode.ClearField("chaincode_id"),
    "another chaincode": lambda made: setattr(made.chaincode.chaincode_id, "name", "nowhere"),
    "no version": lambda made: setattr(made.chaincode.chaincode_id, "version", ""),
    "another version": lambda made: setattr(made.chaincode.chaincode_id, "version", "99"),
    "garbage event": _set("chaincode.events", b"\xff"),
    "event of another chaincode": _event(chaincode_id="nowhere", event_name="e", tx_id="x"),
    "event of no chaincode": _event(event_name="e", tx_id="x"),
    "event without a name": _event(chaincode_id="probe", tx_id="x"),
    "event of another transaction": _event(chaincode_id="probe", event_name="e", tx_id="x"),
    "failed": lambda made: setattr(made.chaincode.response, "status", 500),
}


def odd_orders(bench: Bench) -> None:
    """Transactions with one part changed after endorsement, signed by the client."""
    for label, change in _CHANGES.items():
        made = _endorsed(bench, label)
        change(made)
        _ordered(bench, label, made.data())


def self_endorsed_orders(bench: Bench) -> None:
    """The same with endorsements that hold: organizations that sign anything."""
    for label in (
        "as it is",
        "another hash",
        "garbage results",
        "no results",
        "no chaincode",
        "another chaincode",
        "no version",
        "another version",
        "garbage event",
        "event of another chaincode",
        "event without a name",
        "event of another transaction",
        "garbage extension",
        "failed",
    ):
        made = _endorsed(bench, label)
        _CHANGES[label](made)
        made.data()
        payload = made.action.action.proposal_response_payload
        made.action.action.ClearField("endorsements")
        for msp_id in BOTH:
            signer, identity = bench.engine.endorser(msp_id)
            made.action.action.endorsements.append(endorse(payload, signer, identity))
        _ordered(bench, label, made.data())


def _endorsed(bench: Bench, label: str) -> Made:
    proposal = bench.proposal([["put", "orders/k", "1"]])
    client = bench.clients[ALPHA]
    signed = client.signed(proposal)
    answers = [bench.connections.endorser(msp_id).ProcessProposal(signed, timeout=SECONDS) for msp_id in BOTH]
    return Made(bench.assembled(proposal, answers).payload)


def _ordered(bench: Bench, label: str, data: bytes) -> None:
    height = bench.height()
    answer = _broadcast(bench, data)
    seen: list[Any] = [common_pb2.Status.Name(answer.status), bench.names.text(answer.info)]
    if answer.status == common_pb2.SUCCESS:
        seen += _codes(bench, height, data)
    bench.observe(label, seen)


def _broadcast(bench: Bench, data: bytes) -> Any:
    envelope = common_pb2.Envelope(payload=data, signature=bench.clients[ALPHA].sign(data))
    return next(iter(bench.connections.orderer().Broadcast(iter([envelope]), timeout=SECONDS)))


def _reaches(bench: Bench, height: int) -> bool:
    """Whether both peers have so many blocks soon."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while min(bench.height(ALPHA), bench.height(BETA)) < height:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _codes(bench: Bench, height: int, data: bytes) -> list[str]:
    """Validation codes that an envelope got from a block on; none where ordering nodes left it out."""
    last = data
    if bench.engine.network.topology.ordering.consensus == BFT and not _reaches(bench, height + 1):
        # What SmartBFT leaves out, after it said SUCCESS, never comes: an honest one that follows it does.
        # They must not come in one block, for peers do not survive some of them beside another one.
        last = _endorsed(bench, "the next").data()
        _broadcast(bench, last)
    codes: list[str] = []
    found: list[bytes] = []
    while last not in found:
        bench.wait_for_height(height + 1)
        (block,) = blocks(bench.connections, bench.clients[ALPHA], CHANNEL, height, height)
        found = [common_pb2.Envelope.FromString(entry).payload for entry in block.data.data]
        named = [transaction_pb2.TxValidationCode.Name(code) for code in transaction_flags(block)]
        codes += [name for name, payload in zip(named, found, strict=True) if payload == data]
        height += 1
    return codes


def orders_of_a_stream(bench: Bench) -> None:
    """A stream of envelopes ends with the first that is refused."""
    client = bench.clients[ALPHA]
    good = [bench.prepare(f"good {number}", [["put", f"stream/{number}", "1"]]) for number in range(3)]
    garbage = common_pb2.Envelope(payload=b"\xff", signature=client.sign(b"\xff"))
    answers = bench.connections.orderer().Broadcast(iter([good[0], garbage, good[1]]), timeout=SECONDS)
    bench.observe("answers", [[common_pb2.Status.Name(item.status), item.info] for item in answers])
    bench.submit("after it", good[2])
    bench.evaluate("what was ordered", [["get_many", "stream/0", "stream/1", "stream/2"]])


SCENARIOS = (orders_of_a_stream, odd_orders, self_endorsed_orders)
