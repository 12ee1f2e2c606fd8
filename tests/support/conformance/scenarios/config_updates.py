"""Updates of the channel's configuration that an orderer refuses, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.orderer import configuration_pb2
from support.conformance.bench import Bench
from support.conformance.connections import SECONDS
from support.conformance.engines import ALPHA, BETA, CHANNEL

_ADMINS = (f"{ALPHA} admin", f"{BETA} admin")
_TIMEOUT = "BatchTimeout"


def refused_updates(bench: Bench) -> None:
    """One thing of each is wrong; none takes effect."""
    current = _current(bench)
    for label, update in _UPDATES.items():
        made = configtx_pb2.ConfigUpdate(channel_id=CHANNEL)
        update(made, current)
        _send(bench, label, _signed(bench, made.SerializeToString()))
    good = configtx_pb2.ConfigUpdate(channel_id=CHANNEL)
    _timeout("3s")(good, current)
    data = good.SerializeToString()
    _send(bench, "not signed", _signed(bench, data, ()))
    _send(bench, "signed by one", _signed(bench, data, _ADMINS[:1]))
    _send(bench, "signed by one twice", _signed(bench, data, (_ADMINS[0], _ADMINS[0])))
    _send(bench, "signed by clients", _signed(bench, data, (ALPHA, BETA)))
    forged = _signed(bench, data)
    forged.signatures[0].signature = b"forged"
    _send(bench, "one forged", forged)
    nameless = _signed(bench, data)
    nameless.signatures[0].signature_header = b"\xff"
    _send(bench, "a garbage header", nameless)
    _send_bytes(bench, "nothing", b"")
    _send_bytes(bench, "garbage", b"\xff\xff")
    _send(bench, "no update", configtx_pb2.ConfigUpdateEnvelope())
    _send(bench, "a garbage update", configtx_pb2.ConfigUpdateEnvelope(config_update=b"\xff"))
    _send(bench, "by a client", _signed(bench, data, ()), who=ALPHA)
    bench.observe("height", bench.height() - bench.base)


def _current(bench: Bench) -> Any:
    client = bench.clients[ALPHA]
    proposal = client.propose(CHANNEL, "cscc", [b"GetChannelConfig", CHANNEL.encode()])
    answer = bench.connections.endorser(ALPHA).ProcessProposal(client.signed(proposal), timeout=SECONDS)
    return configtx_pb2.Config.FromString(answer.response.payload).channel_group


def _timeout(text: str, versions: int = 1) -> Callable[[Any, Any], None]:
    """Changes the batch timeout, so many versions on."""

    def change(made: Any, current: Any) -> None:
        group = current.groups["Orderer"]
        for item in (made.read_set, made.write_set):
            item.version = current.version
            item.groups["Orderer"].version = group.version
        value = made.write_set.groups["Orderer"].values[_TIMEOUT]
        value.CopyFrom(group.values[_TIMEOUT])
        value.version += versions
        value.value = configuration_pb2.BatchTimeout(timeout=text).SerializeToString()

    return change


def _whole(made: Any, current: Any) -> None:
    made.read_set.CopyFrom(current)
    made.write_set.CopyFrom(current)


def _read_ahead(made: Any, current: Any) -> None:
    _timeout("3s")(made, current)
    made.read_set.version = 7


def _read_of_nothing(made: Any, current: Any) -> None:
    _timeout("3s")(made, current)
    made.read_set.groups["Nothing"].version = 0


def _garbage_value(made: Any, current: Any) -> None:
    _timeout("3s")(made, current)
    made.write_set.groups["Orderer"].values[_TIMEOUT].value = b"\xff"


def _no_rule(made: Any, current: Any) -> None:
    _timeout("3s")(made, current)
    made.write_set.groups["Orderer"].values[_TIMEOUT].mod_policy = ""


_UPDATES: dict[str, Callable[[Any, Any], None]] = {
    "no sets": lambda made, current: None,
    "empty sets": lambda made, current: (made.read_set.SetInParent(), made.write_set.SetInParent()),  # type: ignore[dict-item]
    "no change": _whole,
    "no channel": lambda made, current: setattr(made, "channel_id", ""),
    "another channel": lambda made, current: setattr(made, "channel_id", "elsewhere"),
    "two versions on": _timeout("3s", versions=2),
    "a version back": _timeout("3s", versions=0),
    "a later read set": _read_ahead,
    "a read set of nothing": _read_of_nothing,
    "no time": _timeout("soon"),
    "time of zero": _timeout("0s"),
    "a garbage value": _garbage_value,
    "a value without a policy": _no_rule,
}


def _signed(bench: Bench, data: bytes, signers: Sequence[str] = _ADMINS) -> Any:
    made = configtx_pb2.ConfigUpdateEnvelope(config_update=data)
    for who in signers:
        header = common_pb2.SignatureHeader(creator=bench.clients[who].identity.serialized, nonce=b"n" * 24)
        serialized = header.SerializeToString()
        signature = bench.clients[who].sign(serialized + data)
        made.signatures.add(signature_header=serialized, signature=signature)
    return made


def _send(bench: Bench, label: str, update: Any, who: str = _ADMINS[0]) -> None:
    _send_bytes(bench, label, update.SerializeToString(), who)


def _send_bytes(bench: Bench, label: str, data: bytes, who: str = _ADMINS[0]) -> None:
    client = bench.clients[who]
    channel = common_pb2.ChannelHeader(type=common_pb2.CONFIG_UPDATE, channel_id=CHANNEL)
    channel.timestamp.GetCurrentTime()
    creator = common_pb2.SignatureHeader(creator=client.identity.serialized, nonce=b"n" * 24)
    header = common_pb2.Header(
        channel_header=channel.SerializeToString(), signature_header=creator.SerializeToString()
    )
    payload = common_pb2.Payload(header=header, data=data).SerializeToString()
    envelope = common_pb2.Envelope(payload=payload, signature=client.sign(payload))
    answer = next(iter(bench.connections.orderer().Broadcast(iter([envelope]), timeout=SECONDS)))
    bench.observe(label, [common_pb2.Status.Name(answer.status), bench.names.text(answer.info)])


SCENARIOS = (refused_updates,)
