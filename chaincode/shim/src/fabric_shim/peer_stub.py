"""The stub that speaks to a peer: each method is one request, or a write that is gathered."""

# ruff: noqa: D102 - Stub documents what its implementations do
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from fabric_protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_response_pb2

from fabric_shim import keys as key_rules
from fabric_shim.caller import Caller
from fabric_shim.errors import ContractError, PeerError
from fabric_shim.exchange import Exchange
from fabric_shim.iterators import QueryIterator, decode_entry, decode_modification, read_page
from fabric_shim.messages import (
    COMPLETED,
    DEL_STATE,
    GET_HISTORY_FOR_KEY,
    GET_QUERY_RESULT,
    GET_STATE_BY_RANGE,
    GET_STATE_METADATA,
    INVOKE_CHAINCODE,
    PUT_STATE,
    PUT_STATE_METADATA,
    VALIDATION_PARAMETER,
    ChaincodeMessage,
    Negotiated,
    operation_name,
    read_answer,
)
from fabric_shim.private_data import PrivateData
from fabric_shim.proposals import SignedProposal
from fabric_shim.reads import Reads, request_about
from fabric_shim.stub import ChaincodeResponse, EntryIterator, KeyModification, Page, StateIterator
from fabric_shim.writes import Writes


class PeerStub(PrivateData):
    """One transaction on one peer; implements ``Stub``, whose docstrings say what each method does.

    Args:
        exchange: the transaction's requests.
        chaincode_input: the protobuf ``ChaincodeInput`` of the call.
        proposal: the signed proposal that came with it.
        negotiated: what the peer can do.
    """

    def __init__(
        self, exchange: Exchange, chaincode_input: Any, proposal: SignedProposal, negotiated: Negotiated
    ) -> None:
        super().__init__(exchange, Writes(exchange, negotiated.write_batch))
        self.channel_id = exchange.channel_id
        self.transaction_id = exchange.transaction_id
        self.arguments: Sequence[bytes] = tuple(chaincode_input.args)
        self.event: tuple[str, bytes] | None = None
        self._input = chaincode_input
        self._proposal = proposal
        self._reads = Reads(exchange, negotiated.get_multiple)

    @property
    def is_init(self) -> bool:
        return bool(self._input.is_init)

    @property
    def transient(self) -> Mapping[str, bytes]:
        return self._proposal.transient

    @property
    def decorations(self) -> Mapping[str, bytes]:
        return MappingProxyType(dict(self._input.decorations))

    @property
    def caller(self) -> Caller:
        return self._proposal.caller

    @property
    def proposal_time(self) -> datetime:
        return self._proposal.proposal_time

    @property
    def signed_proposal(self) -> bytes:
        return self._proposal.serialized

    @property
    def binding(self) -> bytes:
        return self._proposal.binding

    # public state

    async def get_state(self, key: str) -> bytes | None:
        return await self._reads.get(key_rules.check_text(key, "key"))

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        return await self._reads.get_many(key_rules.check_texts(keys))

    async def put_state(self, key: str, value: bytes) -> None:
        await self._write(PUT_STATE, "", key_rules.check_written_key(key), key_rules.check_value(value))

    async def put_states(self, values: Mapping[str, bytes]) -> None:
        await self._put_all("", values)

    async def delete_state(self, key: str) -> None:
        await self._write(DEL_STATE, "", key_rules.check_text(key, "key"), b"")

    async def set_key_policy(self, key: str, policy: bytes, collection: str = "") -> None:
        if not isinstance(policy, bytes):
            raise ContractError("POLICY_INVALID", "a key policy is bytes of a SignaturePolicyEnvelope")
        await self._write(PUT_STATE_METADATA, collection, key_rules.check_written_key(key), policy)

    async def get_key_policy(self, key: str, collection: str = "") -> bytes | None:
        key_rules.check_text(key, "key")
        # GetStateMetadata has the fields of GetState.
        answer = await request_about(self._exchange, GET_STATE_METADATA, collection, key)
        operation = operation_name(GET_STATE_METADATA)
        for entry in read_answer(chaincode_shim_pb2.StateMetadataResult, answer, operation).entries:
            if entry.metakey == VALIDATION_PARAMETER:
                return bytes(entry.value) or None
        return None

    def get_range(self, start: str, end: str) -> StateIterator:
        return self._range("", *key_rules.simple_range(start, end))

    async def get_range_page(self, start: str, end: str, page_size: int, bookmark: str = "") -> Page:
        return await self._range_page(*key_rules.simple_range(start, end), page_size, bookmark)

    def create_composite_key(self, object_type: str, attributes: Sequence[str]) -> str:
        return key_rules.create_composite_key(object_type, attributes)

    def split_composite_key(self, key: str) -> tuple[str, list[str]]:
        return key_rules.split_composite_key(key)

    def get_by_partial_composite_key(self, object_type: str, attributes: Sequence[str]) -> StateIterator:
        return self._range("", *key_rules.partial_composite_range(object_type, attributes))

    async def get_by_partial_composite_key_page(
        self, object_type: str, attributes: Sequence[str], page_size: int, bookmark: str = ""
    ) -> Page:
        bounds = key_rules.partial_composite_range(object_type, attributes)
        return await self._range_page(*bounds, page_size, bookmark)

    async def _range_page(self, start: str, end: str, page_size: int, bookmark: str) -> Page:
        request = chaincode_shim_pb2.GetStateByRange(
            startKey=start, endKey=end, metadata=_pagination(page_size, bookmark)
        )
        # The peer refuses writes beside a page, in either order: the author's order decides which is refused.
        await self.flush()
        return await read_page(self._exchange, GET_STATE_BY_RANGE, request.SerializeToString())

    def query(self, query: str) -> StateIterator:
        payload = chaincode_shim_pb2.GetQueryResult(query=query).SerializeToString()
        return QueryIterator(self._exchange, GET_QUERY_RESULT, payload, decode_entry)

    async def query_page(self, query: str, page_size: int, bookmark: str = "") -> Page:
        request = chaincode_shim_pb2.GetQueryResult(query=query, metadata=_pagination(page_size, bookmark))
        await self.flush()
        return await read_page(self._exchange, GET_QUERY_RESULT, request.SerializeToString())

    def history(self, key: str) -> EntryIterator[KeyModification]:
        payload = chaincode_shim_pb2.GetHistoryForKey(
            key=key_rules.check_text(key, "key")
        ).SerializeToString()
        return QueryIterator(self._exchange, GET_HISTORY_FOR_KEY, payload, decode_modification)

    # the rest

    def set_event(self, name: str, payload: bytes) -> None:
        self._check_writable()
        if not isinstance(name, str) or not name:
            raise ContractError("EVENT_INVALID", "got an event without a name, expected a name of type str")
        if not isinstance(payload, bytes):
            raise ContractError("EVENT_INVALID", "got an event payload that is not bytes, expected bytes")
        self.event = (key_rules.check_text(name, "name of an event"), payload)

    async def invoke_chaincode(
        self, name: str, arguments: Sequence[bytes], channel: str = ""
    ) -> ChaincodeResponse:
        request = chaincode_pb2.ChaincodeSpec(
            chaincode_id=chaincode_pb2.ChaincodeID(name=f"{name}/{channel}" if channel else name),
            input=chaincode_pb2.ChaincodeInput(args=arguments),
        )
        # The callee runs on what the peer has: a write that is refused must be refused before it runs.
        await self.flush()
        answer = await self._exchange.request(INVOKE_CHAINCODE, request.SerializeToString())
        operation = operation_name(INVOKE_CHAINCODE)
        message = read_answer(ChaincodeMessage, answer, operation)
        if message.type != COMPLETED:
            raise PeerError(operation, message.payload.decode(errors="replace"))
        response = read_answer(proposal_response_pb2.Response, message.payload, operation)
        return ChaincodeResponse(response.status, response.message, response.payload)


def _pagination(page_size: int, bookmark: str) -> bytes:
    if not isinstance(page_size, int) or not 0 < page_size < 2**31:
        raise ContractError("PAGE_SIZE_INVALID", "a page size is an integer from 1 to 2147483647")
    metadata = chaincode_shim_pb2.QueryMetadata(
        pageSize=page_size, bookmark=key_rules.check_text(bookmark, "bookmark")
    )
    payload: bytes = metadata.SerializeToString()
    return payload
