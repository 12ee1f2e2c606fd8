"""Deliver with every form of SeekInfo: positions, behaviours, contents, requests one after the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.orderer import ab_pb2
from support.conformance.bench import Bench
from support.conformance.engines import ALPHA, BETA, CHANNEL
from support.conformance.gateway_bench import SILENCE_SECONDS

_FOR_EVER = 2**64 - 1
Questions = dict[str, Callable[[], Any]]


def _position(kind: str, number: int = 0) -> Any:
    return {
        "oldest": ab_pb2.SeekPosition(oldest=ab_pb2.SeekOldest()),
        "newest": ab_pb2.SeekPosition(newest=ab_pb2.SeekNewest()),
        "next": ab_pb2.SeekPosition(next_commit=ab_pb2.SeekNextCommit()),
        "number": ab_pb2.SeekPosition(specified=ab_pb2.SeekSpecified(number=number)),
        "no kind": ab_pb2.SeekPosition(),
    }[kind]


def _services(bench: Bench) -> dict[str, Any]:
    peer = bench.connections.deliver(ALPHA)
    return {
        "peer": peer.Deliver,
        "filtered": peer.DeliverFiltered,
        "private": peer.DeliverWithPrivateData,
        "orderer": bench.connections.orderer().Deliver,
    }


def seek_positions(bench: Bench) -> None:
    """Every pair of positions, waiting and not."""
    bench.commit("put", [["put", "seeking/k", "1"], ["event", "seek", "x"]])
    height = bench.height()
    positions = {
        "oldest": _position("oldest"),
        "newest": _position("newest"),
        "next": _position("next"),
        "last": _position("number", height - 1),
        "height": _position("number", height),
        "above": _position("number", height + 1),
        "for ever": _position("number", _FOR_EVER),
        "no kind": _position("no kind"),
        "none": None,
    }
    asked: Questions = {}
    for start_name, start in positions.items():
        for stop_name, stop in positions.items():
            if start_name == "oldest" and stop_name not in ("oldest", "none"):
                continue  # Chains differ in length: engines' peers join at different heights.
            for behavior in (ab_pb2.SeekInfo.FAIL_IF_NOT_READY, ab_pb2.SeekInfo.BLOCK_UNTIL_READY):
                seek = ab_pb2.SeekInfo(start=start, stop=stop, behavior=behavior)
                name = ab_pb2.SeekInfo.SeekBehavior.Name(behavior)
                asked |= _asked(bench, f"{start_name} to {stop_name}, {name}", seek, ("peer", "orderer"))
    bench.at_once(asked)


def seek_contents(bench: Bench) -> None:
    """Headers only, errors answered or not, of all services; several requests on a stream."""
    bench.commit(
        "private", [["put_transient", f"own-{ALPHA}", "k", "v"]], transient={"v": b"x"}, endorsers=[ALPHA]
    )
    bench.commit("shared", [["put_private", "shared", "k", "v"], ["event", "seek", "x"]])
    bench.commit("invalid", [["put", "seeking/k", "1"], ["event", "seek", "x"]], endorsers=[ALPHA])
    last = _position("number", bench.height() - 1)
    base = _position("number", bench.base)
    asked: Questions = {}
    for content in (ab_pb2.SeekInfo.BLOCK, ab_pb2.SeekInfo.HEADER_WITH_SIG, 7):
        for answer in (ab_pb2.SeekInfo.STRICT, ab_pb2.SeekInfo.BEST_EFFORT, 7):
            for behavior in (0, 1, 7):
                seek = ab_pb2.SeekInfo(
                    start=base, stop=last, content_type=content, error_response=answer, behavior=behavior
                )
                # Filtered blocks without data are asked of the embedded engine alone (docs/conformance.md).
                services = ("peer", "private", "orderer") if content == 1 else ()
                label = f"content {content}, errors {answer}, behaviour {behavior}"
                asked |= _asked(bench, label, seek, services)
    genesis = _position("number", 0)
    headers = ab_pb2.SeekInfo(start=genesis, stop=genesis, content_type=ab_pb2.SeekInfo.HEADER_WITH_SIG)
    asked |= _asked(bench, "genesis, headers", headers, ("peer", "private", "orderer"))
    asked |= _asked(bench, "asked by another", ab_pb2.SeekInfo(start=base, stop=last), who=BETA)
    bench.at_once(asked | _several(bench))


def _several(bench: Bench) -> Questions:
    """Requests one after the other on a stream."""
    asked: Questions = {}
    newest = ab_pb2.SeekInfo(start=_position("newest"), stop=_position("newest"))
    missing = ab_pb2.SeekInfo(start=_position("newest"))
    for label, seeks in {
        "two": [newest, newest],
        "refused, then good": [missing, newest],
        "good, refused, good": [newest, missing, newest],
        "none": [],
    }.items():
        envelopes = [bench.clients[ALPHA].seek(CHANNEL, seek) for seek in seeks]
        for name, method in _services(bench).items():
            asked[f"{label}: {name}"] = partial(_answers, bench, method, envelopes)
    return asked


def seek_envelopes(bench: Bench) -> None:
    """Requests whose envelope is odd."""
    good = bench.clients[ALPHA].seek(
        CHANNEL, ab_pb2.SeekInfo(start=_position("newest"), stop=_position("newest"))
    )
    asked: Questions = {}
    for label, change in _CHANGES.items():
        envelope = _changed(bench, good, change)
        for name, method in _services(bench).items():
            asked[f"{label}: {name}"] = partial(_answers, bench, method, [envelope])
    bench.at_once(asked)


def _late(header: Any, seconds: int) -> None:
    header.timestamp.seconds += seconds


_CHANGES: dict[str, Any] = {
    "as it is": lambda payload, channel, creator: None,
    "another type": lambda payload, channel, creator: setattr(channel, "type", common_pb2.CONFIG),
    "no channel": lambda payload, channel, creator: setattr(channel, "channel_id", ""),
    "channel in capitals": lambda payload, channel, creator: setattr(channel, "channel_id", CHANNEL.upper()),
    "no transaction id": lambda payload, channel, creator: setattr(channel, "tx_id", ""),
    "another transaction id": lambda payload, channel, creator: setattr(channel, "tx_id", "x"),
    "no timestamp": lambda payload, channel, creator: channel.ClearField("timestamp"),
    "timestamp of zero": lambda payload, channel, creator: (
        channel.timestamp.Clear() or channel.timestamp.SetInParent()
    ),
    "epoch": lambda payload, channel, creator: setattr(channel, "epoch", 7),
    "version": lambda payload, channel, creator: setattr(channel, "version", 7),
    "extension": lambda payload, channel, creator: setattr(channel, "extension", b"\xff"),
    "certificate hash": lambda payload, channel, creator: setattr(channel, "tls_cert_hash", b"x" * 32),
    "no nonce": lambda payload, channel, creator: setattr(creator, "nonce", b""),
    "no creator": lambda payload, channel, creator: setattr(creator, "creator", b""),
    "garbage creator": lambda payload, channel, creator: setattr(creator, "creator", b"\xff\xff"),
    "no data": lambda payload, channel, creator: setattr(payload, "data", b""),
    "garbage data": lambda payload, channel, creator: setattr(payload, "data", b"\xff\xff"),
    "40 s late": lambda payload, channel, creator: _late(channel, -40),
    "80 s late": lambda payload, channel, creator: _late(channel, -80),
    "80 s early": lambda payload, channel, creator: _late(channel, 80),
    "20 min late": lambda payload, channel, creator: _late(channel, -1200),
    "20 min early": lambda payload, channel, creator: _late(channel, 1200),
}


def _changed(bench: Bench, envelope: Any, change: Any) -> Any:
    payload = common_pb2.Payload.FromString(envelope.payload)
    channel = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    creator = common_pb2.SignatureHeader.FromString(payload.header.signature_header)
    change(payload, channel, creator)
    payload.header.channel_header = channel.SerializeToString()
    payload.header.signature_header = creator.SerializeToString()
    data = payload.SerializeToString()
    return common_pb2.Envelope(payload=data, signature=bench.clients[ALPHA].sign(data))


def _asked(bench: Bench, label: str, seek: Any, services: Any = (), who: str = ALPHA) -> Questions:
    envelope = bench.clients[who].seek(CHANNEL, seek)
    return {
        f"{label}: {name}": partial(_answers, bench, method, [envelope])
        for name, method in _services(bench).items()
        if not services or name in services
    }


def _answers(bench: Bench, method: Any, envelopes: list[Any]) -> list[Any]:
    return bench.heard(method(iter(envelopes), timeout=SILENCE_SECONDS), partial(_rendered, bench))


def _rendered(bench: Bench, answer: Any) -> Any:
    kind = answer.WhichOneof("Type")
    if kind == "status":
        return common_pb2.Status.Name(answer.status)
    if kind == "filtered_block":
        block = answer.filtered_block
        return [
            block.channel_id,
            _number(bench, block.number),
            [bench.filtered(item) for item in block.filtered_transactions],
        ]
    if kind == "block":
        return _block(bench, answer.block)
    private = answer.block_and_private_data
    data = {
        str(place): [
            [
                entry.namespace,
                [[part.collection_name, bench.names.data(part.rwset)] for part in entry.collection_pvt_rwset],
            ]
            for entry in kept.ns_pvt_rwset
        ]
        for place, kept in sorted(private.private_data_map.items())
    }
    return [_block(bench, private.block), data]


def _block(bench: Bench, block: Any) -> list[Any]:
    """Number, entries, and which slots of metadata are filled."""
    entries = len(block.data.data) if block.HasField("data") else "no data"
    return [_number(bench, block.header.number), entries, [bool(slot) for slot in block.metadata.metadata]]


def _number(bench: Bench, number: int) -> Any:
    return number - bench.base if number >= bench.base else "before"


SCENARIOS = (seek_positions, seek_contents, seek_envelopes)
