"""The system chaincode `cscc`: channels and their configuration (`core/scc/cscc/configure.go`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.peer import proposal_response_pb2, query_pb2
from google.protobuf.message import DecodeError

from fabric_embedded import acl
from fabric_embedded.errors import AccessDenied
from fabric_embedded.system.calls import SystemCall, failed, succeeded, text_of
from fabric_protocol.blocks import last_config_index, parse_block
from fabric_protocol.errors import GO_DECODING

if TYPE_CHECKING:
    from fabric_embedded.storage.block_reader import BlockReader

NAME = "cscc"
_WITHOUT_ARGUMENT = ("GetChannels", "JoinBySnapshotStatus")
_ONE_CHANNEL = (
    "Cannot join a channel: the embedded engine has one channel, {channel}, which every peer has joined "
    "already; create a network of its own for another channel"
)


class _NoBlock(Exception):
    """Bytes that are no block of a channel; the text is Fabric's."""


class ChannelQueries:
    """`cscc` as one organization's peer runs it.

    Parameters:
        msp_id: of the organization.
    """

    def __init__(self, msp_id: str) -> None:
        self._msp_id = msp_id

    async def invoke(self, call: SystemCall) -> proposal_response_pb2.Response:
        """Answer one query."""
        arguments = call.arguments
        if not arguments or (call.function not in _WITHOUT_ARGUMENT and len(arguments) < 2):
            return failed(f"Incorrect number of arguments, {len(arguments)}")
        invoked = call.admitted.proposal.chaincode
        if invoked != NAME:
            return failed(
                f"Rejecting invoke of CSCC from another chaincode, original invocation for '{invoked}'"
            )
        function = call.function
        if function in ("GetConfigBlock", "GetChannelConfig"):
            return self._about_channel(call, function, text_of(arguments[1]))
        if function in ("JoinChain", "JoinChainBySnapshot"):
            return self._join(call, function, arguments[1])
        resource = f"{NAME}/{function}"
        if resource not in acl.LOCAL_POLICIES:
            return failed(f"Requested function {function} not found.")
        try:
            self._check_local(call, function)
        except AccessDenied as error:
            return failed(f"access denied for [{function}]: {error.message}")
        if function == "JoinBySnapshotStatus":
            return succeeded(_encoded(query_pb2.JoinBySnapshotStatus(in_progress=False)))
        channel = query_pb2.ChannelInfo(channel_id=call.config.channel_id)
        return succeeded(_encoded(query_pb2.ChannelQueryResponse(channels=[channel])))

    def _join(self, call: SystemCall, function: str, argument: bytes) -> proposal_response_pb2.Response:
        """Refuse to join: for what is asked, for who asks, and because there is one channel."""
        where = ""
        if function == "JoinChain":
            try:
                where = f"[{_channel_of(argument)}]"
            except _NoBlock as error:
                return failed(str(error))
        elif not argument:
            return failed("Cannot join the channel, no snapshot directory provided")
        try:
            self._check_local(call, function)
        except AccessDenied as error:
            return failed(f"access denied for [{function}]{where}: [{error.message}]")
        return failed(_ONE_CHANNEL.format(channel=call.config.channel_id))

    def _check_local(self, call: SystemCall, function: str) -> None:
        acl.check_local_access(call.config, f"{NAME}/{function}", self._msp_id, call.admitted.creator)

    def _about_channel(
        self, call: SystemCall, function: str, channel_id: str
    ) -> proposal_response_pb2.Response:
        if function == "GetChannelConfig" and not channel_id:
            return failed("empty channel name provided")
        try:
            if channel_id != call.config.channel_id:
                acl.refuse_channel(channel_id, f"{NAME}/{function}", self._msp_id, call.admitted.creator)
            acl.check_access(call.config, f"{NAME}/{function}", call.signed_data)
        except AccessDenied as error:
            return failed(f"access denied for [{function}][{channel_id}]: {error.message}")
        block = _config_block(call.snapshot.blocks)
        return succeeded(block if function == "GetConfigBlock" else _config(block))


def _channel_of(data: bytes) -> str:
    """The channel whose block this is (`protoutil/blockutils.go · GetChannelIDFromBlock`)."""
    extraction = '"JoinChain" request failed to extract channel id from the block due to '
    try:
        block = common_pb2.Block.FromString(data)
    except DecodeError as error:
        reason = f"error unmarshalling Block: {GO_DECODING}"
        raise _NoBlock(f"Failed to reconstruct the genesis block, {reason}") from error
    if not block.data.data:
        raise _NoBlock(f"{extraction}[failed to retrieve channel id - block is empty]")
    try:
        envelope = common_pb2.Envelope.FromString(block.data.data[0])
        payload = common_pb2.Payload.FromString(envelope.payload)
        header = common_pb2.ChannelHeader.FromString(payload.header.channel_header)
    except DecodeError as error:
        raise _NoBlock(f"{extraction}[{GO_DECODING}]") from error
    return str(header.channel_id)


def _config_block(blocks: BlockReader) -> bytes:
    last = parse_block(blocks.block(blocks.height() - 1) or b"")
    return blocks.block(last_config_index(last)) or b""


def _config(block: bytes) -> bytes:
    envelope = common_pb2.Envelope.FromString(parse_block(block).data.data[0])
    payload = common_pb2.Payload.FromString(envelope.payload)
    return _encoded(configtx_pb2.ConfigEnvelope.FromString(payload.data).config)


def _encoded(message: Any) -> bytes:
    data: bytes = message.SerializeToString(deterministic=True)
    return data
