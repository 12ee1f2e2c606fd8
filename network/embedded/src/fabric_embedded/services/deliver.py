"""Deliver: blocks to whoever may read them, from peers and from the ordering endpoint.

Source: fabric-behaviour §8 (`common/deliver/deliver.go`, `core/peer/deliverevents.go`).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.peer import events_pb2
from google.protobuf.message import DecodeError

from fabric_embedded import acl
from fabric_embedded.engine import Engine
from fabric_embedded.errors import AccessDenied
from fabric_embedded.expiry import is_expired
from fabric_embedded.services.filtered_blocks import filtered_block
from fabric_embedded.services.handlers import ConcurrencyLimit, Service, both_streams
from fabric_embedded.services.private_blocks import PrivateBlocks
from fabric_embedded.services.seek import SeekRange, SeekRefusal, SeekRequest, read_seek, resolve_range
from fabric_protocol.blocks import is_config_block
from fabric_protocol.policies import SignedData

_SERVICE = "protos.Deliver"
_CONCURRENCY = 2500
WINDOW_SECONDS = 60.0
"""How far a request's time may be from the node's (`authentication.timewindow` of peers and orderers)."""


@dataclass(frozen=True)
class DeliverForm:
    """What tells one Deliver from another.

    Parameters:
        check: refuses a signed request (AccessDenied), by the configuration in force.
        response: the `DeliverResponse` of a block, in bytes, for whoever signed the request.
    """

    check: Callable[[Any, SignedData], None]
    response: Callable[[bytes, bool, SignedData], Awaitable[bytes]]


class DeliverStream:
    """Answers SeekInfo requests of one stream, one after the other."""

    def __init__(self, engine: Engine, form: DeliverForm) -> None:
        self._engine = engine
        self._form = form

    async def responses(self, requests: AsyncIterator[Any]) -> AsyncIterator[bytes]:
        """For each request its blocks and SUCCESS; another status ends the stream."""
        async for envelope in requests:
            status = common_pb2.SUCCESS
            try:
                async for block in self._blocks(envelope):
                    yield block
            except SeekRefusal as refusal:
                status = refusal.status
            yield _status(status)
            if status != common_pb2.SUCCESS:
                return

    async def _blocks(self, envelope: Any) -> AsyncIterator[bytes]:
        request = read_seek(envelope, time.time(), WINDOW_SECONDS)
        if request.channel_id != self._engine.channel_id:
            raise SeekRefusal(common_pb2.NOT_FOUND)
        session = _Session(self._engine, self._form, request, envelope)
        session.check()
        wanted = resolve_range(request.seek, self._engine.ledger.height)
        for number in range(wanted.start, wanted.stop + 1):
            block = await self._block(number, wanted)
            session.check()
            yield await self._form.response(block, wanted.headers_only, session.signed)

    async def _block(self, number: int, wanted: SeekRange) -> bytes:
        block = self._engine.ledger.block(number)
        if block is not None:
            return block
        if not wanted.wait:
            raise SeekRefusal(common_pb2.NOT_FOUND)
        return await self._engine.ledger.wait_for_block(number)


class _Session:
    """One request's right to read: expiry before every block, policy when the configuration changed."""

    def __init__(self, engine: Engine, form: DeliverForm, request: SeekRequest, envelope: Any) -> None:
        self._engine = engine
        self._form = form
        self._creator = request.creator
        self.signed = SignedData(envelope.payload, request.creator, envelope.signature)
        self._sequence = -1

    def check(self) -> None:
        config = self._engine.config
        if is_expired(self._creator, config.msps, datetime.now(UTC)):
            raise SeekRefusal(common_pb2.FORBIDDEN)
        if config.sequence == self._sequence:
            return
        try:
            self._form.check(config, self.signed)
        except AccessDenied as refusal:
            raise SeekRefusal(common_pb2.FORBIDDEN) from refusal
        self._sequence = config.sequence


class PeerDeliverService:
    """`protos.Deliver` of one organization's peer, with the private data that it holds."""

    def __init__(self, engine: Engine, msp_id: str) -> None:
        may_read, may_read_filtered = _peer_check(acl.BLOCK_EVENTS), _peer_check(acl.FILTERED_BLOCK_EVENTS)
        private = PrivateBlocks(engine, msp_id)

        async def private_response(block: bytes, headers_only: bool, signed: SignedData) -> bytes:
            shown = _without_data(block) if headers_only else block
            response: bytes = (await private.response(block, shown, signed)).SerializeToString()
            return response

        self._blocks = _stream(engine, may_read, _block_response)
        self._filtered = _stream(engine, may_read_filtered, _filtered_response)
        self._private = _stream(engine, may_read, private_response)

    def handler(self) -> Service:
        """The service for a gRPC server."""
        limit = ConcurrencyLimit(_SERVICE, _CONCURRENCY)
        methods = {
            "Deliver": both_streams(limit, common_pb2.Envelope, self._blocks.responses, "Deliver"),
            "DeliverFiltered": both_streams(
                limit, common_pb2.Envelope, self._filtered.responses, "DeliverFiltered"
            ),
            "DeliverWithPrivateData": both_streams(
                limit, common_pb2.Envelope, self._private.responses, "DeliverWithPrivateData"
            ),
        }
        return Service(_SERVICE, methods)


def orderer_deliver(engine: Engine) -> DeliverStream:
    """Deliver of the ordering endpoint: blocks as an orderer has them, without a peer's metadata."""
    return DeliverStream(engine, DeliverForm(_check_channel_readers, _orderer_response))


def _stream(
    engine: Engine,
    check: Callable[[Any, SignedData], None],
    response: Callable[[bytes, bool, SignedData], Awaitable[bytes]],
) -> DeliverStream:
    return DeliverStream(engine, DeliverForm(check, response))


def _peer_check(resource: str) -> Callable[[Any, SignedData], None]:
    return lambda config, signed: acl.check_access(config, resource, signed)


def _check_channel_readers(config: Any, signed: SignedData) -> None:
    readers = "/Channel/Orderer/Readers" if config.is_in_maintenance else "/Channel/Readers"
    if not config.policies.policy(readers).evaluate([signed]):
        raise AccessDenied("ACCESS_DENIED", f"the signature does not satisfy {readers}")


def _status(status: int) -> bytes:
    serialized: bytes = events_pb2.DeliverResponse(status=status).SerializeToString()
    return serialized


async def _block_response(block: bytes, headers_only: bool, _signed: SignedData) -> bytes:
    return _wrap(_without_data(block) if headers_only else block)


async def _orderer_response(block: bytes, headers_only: bool, signed: SignedData) -> bytes:
    parsed = common_pb2.Block.FromString(block)
    for slot in (common_pb2.TRANSACTIONS_FILTER, common_pb2.COMMIT_HASH):
        if slot < len(parsed.metadata.metadata):
            parsed.metadata.metadata[slot] = b""
    return await _block_response(parsed.SerializeToString(), headers_only, signed)


async def _filtered_response(block: bytes, _headers_only: bool, _signed: SignedData) -> bytes:
    try:
        filtered = filtered_block(common_pb2.Block.FromString(block))
    except DecodeError:
        # As in Fabric, this status stands for a block with a transaction that cannot be opened.
        return _status(common_pb2.BAD_REQUEST)
    serialized: bytes = events_pb2.DeliverResponse(filtered_block=filtered).SerializeToString()
    return serialized


def _without_data(block: bytes) -> bytes:
    parsed = common_pb2.Block.FromString(block)
    if not is_config_block(parsed):
        parsed.ClearField("data")
    serialized: bytes = parsed.SerializeToString()
    return serialized


def _wrap(block: bytes) -> bytes:
    """M(DeliverResponse{block}) around stored bytes, which go out as they are (field 2, length-delimited)."""
    length, head = len(block), bytearray(b"\x12")
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + block
