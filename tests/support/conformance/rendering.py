"""Answers in words that do not depend on keys, ports, clocks or block numbers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from fabric_protos.peer import chaincode_event_pb2, proposal_pb2, proposal_response_pb2

from fabric_protocol.rwset import CollectionSet, NamespaceSet, RangeQuery, Read, Write
from fabric_protocol.rwset_encoding import decode_rwset, encode_rwset
from fabric_protocol.state import Version

_TIMES = (
    # RFC 3339, and what Go's time.Time prints.
    re.compile(r"-?\d{4,}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4} UTC|Z)?( m=[+-][\d.]+)?"),
)
_PORT = re.compile(r"(127\.0\.0\.1|localhost):\d+")
_HEX = re.compile(r"\b[0-9a-f]{64}\b")
# Some texts quote a serialized identity whole.
_IDENTITY = re.compile(r"\b[0-9a-f]{200,}\b")
_FILE = re.compile(r"/[\w./-]+/(?=chaincodes/)")
_SERIAL = re.compile(r"serial \[?[0-9a-f]+\]?|serial number \d+")
_GAP = re.compile(r'(?<=["\w])  (?=[a-z_]+:)')
_LONG = 200


class Names:
    """Replaces what differs from run to run by names that are given in order of appearance."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._transactions: dict[str, str] = {}

    def transaction(self, identifier: str) -> str:
        """The name of a transaction id."""
        return self._transactions.setdefault(identifier, f"<transaction {len(self._transactions) + 1}>")

    def text(self, value: str) -> str:
        """A text of an engine."""
        # Go's protobuf library writes one or the other, by a choice made for each build.
        value = _GAP.sub(" ", value.replace("\u00a0", " "))
        for identifier, name in self._transactions.items():
            value = value.replace(identifier, name)
        for pattern in _TIMES:
            value = pattern.sub("<time>", value)
        value = _IDENTITY.sub("<identity>", _HEX.sub("<hash>", value))
        value = _FILE.sub("<data>/", value)
        return _SERIAL.sub("<serial>", _PORT.sub("<address>", value))

    def data(self, value: bytes) -> str:
        """Bytes: text where they are, else their length and digest."""
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = ""
        if text.isprintable() and len(text) <= _LONG:
            return self.text(text)
        return f"<{len(value)} bytes {hashlib.sha256(value).hexdigest()[:16]}>"

    def version(self, version: Version | None) -> Any:
        """A version by its distance from the scenario's start."""
        if version is None:
            return None
        if version.block < self._base:
            return "before"
        return [version.block - self._base, version.transaction]


def rendered_rwset(results: bytes, names: Names) -> dict[str, Any]:
    """A read-write set; `exact` says that our encoder gives the very bytes."""
    decoded = decode_rwset(results)
    return {
        "exact": encode_rwset(decoded) == results,
        "namespaces": {item.namespace: _namespace(item, names) for item in decoded.namespaces},
    }


def rendered_event(data: bytes, names: Names) -> Any:
    """A chaincode event as it stands in a transaction, None for none."""
    if not data:
        return None
    event = chaincode_event_pb2.ChaincodeEvent.FromString(data)
    return [event.chaincode_id, names.text(event.tx_id), event.event_name, names.data(event.payload)]


def rendered_endorsement(payload: bytes, names: Names) -> dict[str, Any]:
    """What an endorser signed: M(ProposalResponsePayload)."""
    content = proposal_response_pb2.ProposalResponsePayload.FromString(payload)
    action = proposal_pb2.ChaincodeAction.FromString(content.extension)
    return {
        "response": [
            action.response.status,
            names.text(action.response.message),
            names.data(action.response.payload),
        ],
        "chaincode": [action.chaincode_id.name, action.chaincode_id.version],
        "event": rendered_event(action.events, names),
        "results": rendered_rwset(action.results, names),
    }


def _namespace(item: NamespaceSet, names: Names) -> dict[str, Any]:
    rendered = {
        "reads": _reads(item.reads, names),
        "ranges": [_range(query, names) for query in item.range_queries],
        "writes": [_write(write, names) for write in item.writes],
        "metadata": [
            [names.data(write.key.encode()), [[entry.name, entry.value.hex()] for entry in write.entries]]
            for write in item.metadata_writes
        ],
        "collections": {part.name: _collection(part, names) for part in item.collections},
    }
    return {name: value for name, value in rendered.items() if value}


def _reads(reads: Sequence[Read], names: Names) -> list[Any]:
    return [[names.data(read.key.encode()), names.version(read.version)] for read in reads]


def _write(write: Write, names: Names) -> list[Any]:
    return [names.data(write.key.encode()), write.is_delete, names.data(write.value)]


def _range(query: RangeQuery, names: Names) -> dict[str, Any]:
    return {
        "from": names.data(query.start_key.encode()),
        "to": names.data(query.end_key.encode()),
        "exhausted": query.exhausted,
        "reads": None if query.reads is None else _reads(query.reads, names),
        # Hashes of versions differ with the block numbers; degree, depth and count do not.
        "merkle": None
        if query.merkle is None
        else [query.merkle.max_degree, query.merkle.max_level, len(query.merkle.max_level_hashes)],
    }


def _collection(part: CollectionSet, names: Names) -> dict[str, Any]:
    rendered = {
        "reads": [[read.key_hash.hex()[:16], names.version(read.version)] for read in part.reads],
        "writes": [
            [write.key_hash.hex()[:16], write.is_delete, write.value_hash.hex()[:16], write.is_purge]
            for write in part.writes
        ],
        "metadata": [
            [write.key_hash.hex()[:16], [[entry.name, entry.value.hex()] for entry in write.entries]]
            for write in part.metadata_writes
        ],
        "private": part.private_hash.hex()[:16],
    }
    return {name: value for name, value in rendered.items() if value}
