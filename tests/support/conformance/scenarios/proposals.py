"""Proposals that are odd but signed: each through an endorser, evaluated, endorsed through the gateway."""

from __future__ import annotations

from functools import reduce
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.msp import identities_pb2
from fabric_protos.peer import chaincode_pb2, proposal_pb2
from support.conformance.bench import Bench
from support.conformance.engines import ALPHA, BETA, CHANNEL

from fabric_protocol.proposals import transaction_id


class Parts:
    """A proposal taken apart; `data` puts it together again."""

    def __init__(self, data: bytes) -> None:
        self.proposal = proposal_pb2.Proposal.FromString(data)
        self.header = common_pb2.Header.FromString(self.proposal.header)
        self.channel = common_pb2.ChannelHeader.FromString(self.header.channel_header)
        self.creator = common_pb2.SignatureHeader.FromString(self.header.signature_header)
        self.extension = proposal_pb2.ChaincodeHeaderExtension.FromString(self.channel.extension)
        self.payload = proposal_pb2.ChaincodeProposalPayload.FromString(self.proposal.payload)
        self.invocation = chaincode_pb2.ChaincodeInvocationSpec.FromString(self.payload.input)
        self.raw: dict[str, bytes] = {}

    @property
    def spec(self) -> Any:
        return self.invocation.chaincode_spec

    def rename(self) -> None:
        """The transaction id of nonce and creator."""
        self.channel.tx_id = transaction_id(self.creator.nonce, self.creator.creator)

    def data(self) -> bytes:
        raw = self.raw
        self.payload.input = raw.get("input", self.invocation.SerializeToString())
        self.channel.extension = raw.get("extension", self.extension.SerializeToString())
        self.header.channel_header = raw.get("channel", self.channel.SerializeToString())
        self.header.signature_header = raw.get("creator", self.creator.SerializeToString())
        self.proposal.payload = raw.get("payload", self.payload.SerializeToString())
        self.proposal.header = raw.get("header", self.header.SerializeToString())
        return self.proposal.SerializeToString()


def _set(path: str, value: Any) -> Any:
    *way, name = path.split(".")
    return lambda parts: setattr(reduce(getattr, way, parts), name, value)


def _raw(name: str, value: bytes) -> Any:
    return lambda parts: parts.raw.__setitem__(name, value)


def _clear(path: str, name: str) -> Any:
    return lambda parts: getattr(parts, path).ClearField(name)


def _creator(change: Any) -> Any:
    def changed(parts: Parts) -> None:
        identity = identities_pb2.SerializedIdentity.FromString(parts.creator.creator)
        change(identity)
        parts.creator.creator = identity.SerializeToString()
        parts.rename()

    return changed


def _renamed(change: Any) -> Any:
    def changed(parts: Parts) -> None:
        change(parts)
        parts.rename()

    return changed


_CHANGES: dict[str, Any] = {
    "as it is": lambda parts: None,
    **{f"type {kind}": _set("channel.type", kind) for kind in (0, 1, 2, 4, 5, 6, 7, 8, 99)},
    "version": _set("channel.version", 7),
    "epoch": _set("channel.epoch", 1),
    "certificate hash": _set("channel.tls_cert_hash", b"x" * 32),
    "no timestamp": _clear("channel", "timestamp"),
    "bad timestamp": lambda parts: setattr(parts.channel.timestamp, "nanos", -1),
    "timestamp after all time": lambda parts: setattr(parts.channel.timestamp, "seconds", 2**62),
    "no transaction id": _set("channel.tx_id", ""),
    "capitals in the transaction id": lambda parts: setattr(
        parts.channel, "tx_id", parts.channel.tx_id.upper()
    ),
    "no channel": _set("channel.channel_id", ""),
    "odd channel": _set("channel.channel_id", "Ä b"),
    "no nonce": _renamed(_set("creator.nonce", b"")),
    "short nonce": _renamed(_set("creator.nonce", b"n")),
    "no creator": _renamed(_set("creator.creator", b"")),
    "garbage creator": _renamed(_set("creator.creator", b"\xff\xff")),
    "creator of another organization": _creator(lambda identity: setattr(identity, "mspid", BETA)),
    "creator of an unknown organization": _creator(lambda identity: setattr(identity, "mspid", "GammaMSP")),
    "creator of no organization": _creator(lambda identity: setattr(identity, "mspid", "")),
    "creator without certificate": _creator(lambda identity: setattr(identity, "id_bytes", b"")),
    "creator with garbage": _creator(lambda identity: setattr(identity, "id_bytes", b"garbage")),
    "creator with bytes after": _creator(
        lambda identity: setattr(identity, "id_bytes", identity.id_bytes + b"after\n")
    ),
    "creator with bytes before": _creator(
        lambda identity: setattr(identity, "id_bytes", b"before\n" + identity.id_bytes)
    ),
    "creator twice": _creator(lambda identity: setattr(identity, "id_bytes", identity.id_bytes * 2)),
    "creator of another PEM type": _creator(
        lambda identity: setattr(identity, "id_bytes", identity.id_bytes.replace(b"CERTIFICATE", b"THING"))
    ),
    "no extension": _raw("extension", b""),
    "garbage extension": _raw("extension", b"\xff"),
    "no name": _set("extension.chaincode_id.name", ""),
    "a version in the name": _set("extension.chaincode_id.name", "probe:1"),
    "a version": lambda parts: setattr(parts.extension.chaincode_id, "version", "99"),
    "a path": lambda parts: setattr(parts.extension.chaincode_id, "path", "x"),
    "odd name": lambda parts: setattr(parts.extension.chaincode_id, "name", "odd name/Ä"),
    "another name inside": lambda parts: setattr(parts.spec.chaincode_id, "name", "nowhere"),
    "no name inside": lambda parts: parts.spec.ClearField("chaincode_id"),
    "another language": lambda parts: setattr(parts.spec, "type", 99),
    "a timeout inside": lambda parts: setattr(parts.spec, "timeout", 1),
    "no specification": lambda parts: parts.invocation.ClearField("chaincode_spec"),
    "no input": lambda parts: parts.spec.ClearField("input"),
    "no arguments": lambda parts: parts.spec.input.ClearField("args"),
    "empty arguments": lambda parts: parts.spec.input.args.extend([b"", b""]),
    "decorations": lambda parts: parts.spec.input.decorations.__setitem__("x", b"y"),
    "initialization": lambda parts: setattr(parts.spec.input, "is_init", True),
    "no invocation": _raw("input", b""),
    "garbage invocation": _raw("input", b"\xff"),
    "no payload": _raw("payload", b""),
    "garbage payload": _raw("payload", b"\xff"),
    "no header": _raw("header", b""),
    "garbage header": _raw("header", b"\xff"),
    "no channel header": _raw("channel", b""),
    "garbage channel header": _raw("channel", b"\xff"),
    "no signature header": _raw("creator", b""),
    "garbage signature header": _raw("creator", b"\xff"),
    "an extension of the proposal": lambda parts: setattr(parts.proposal, "extension", b"x"),
    "an unknown field": lambda parts: parts.raw.__setitem__(
        "payload", parts.proposal.payload + b"\xfa\x01\x01x"
    ),
}


def odd_proposals(bench: Bench) -> None:
    """One thing of each is not as clients make it."""
    gateway, endorser = bench.connections.gateway(ALPHA), bench.connections.endorser(ALPHA)
    client = bench.clients[ALPHA]
    for label, change in _CHANGES.items():
        parts = Parts(bench.proposal([["put", "proposals/k", "1"]]).data)
        change(parts)
        data = parts.data()
        bench.names.transaction(parts.channel.tx_id or "none")
        signed = proposal_pb2.SignedProposal(proposal_bytes=data, signature=client.sign(data))
        bench.process(f"{label}: peer", endorser, signed)
        name = parts.channel.tx_id
        bench.call(
            f"{label}: evaluate",
            gateway.Evaluate,
            gateway_pb2.EvaluateRequest(transaction_id=name, channel_id=CHANNEL, proposed_transaction=signed),
        )
        answer = bench.call(
            f"{label}: endorse",
            gateway.Endorse,
            gateway_pb2.EndorseRequest(transaction_id=name, channel_id=CHANNEL, proposed_transaction=signed),
        )
        if answer is not None:
            bench.observe(f"{label}: endorse", "endorsed")


SCENARIOS = (odd_proposals,)
