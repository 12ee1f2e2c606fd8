"""The system chaincode `cscc`: channels and their configuration (`core/scc/cscc/configure.go`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabric_protos.common import common_pb2, configtx_pb2
from fabric_protos.peer import proposal_response_pb2, query_pb2

from fabric_embedded import acl
from fabric_embedded.errors import AccessDenied
from fabric_embedded.system.calls import SystemCall, failed, succeeded
from fabric_protocol.blocks import last_config_index, parse_block

if TYPE_CHECKING:
    from fabric_embedded.storage.block_reader import BlockReader

NAME = "cscc"
_WITHOUT_ARGUMENT = ("GetChannels", "JoinBySnapshotStatus")
_ONE_CHANNEL = (
    "Cannot join a channel: the embedded engine has one channel, {channel}, which every peer has joined "
    "already; create a network of its own for another channel"
)


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
            return self._about_channel(call, function, arguments[1].decode("utf-8", "replace"))
        resource = f"{NAME}/{function}"
        if resource not in acl.LOCAL_POLICIES:
            return failed(f"Requested function {function} not found.")
        try:
            acl.check_local_access(call.config, resource, self._msp_id, call.admitted.creator)
        except AccessDenied as error:
            return failed(f"access denied for [{function}]: {error.message}")
        if function == "JoinBySnapshotStatus":
            return succeeded(_encoded(query_pb2.JoinBySnapshotStatus(in_progress=False)))
        if function != "GetChannels":
            return failed(_ONE_CHANNEL.format(channel=call.config.channel_id))
        channel = query_pb2.ChannelInfo(channel_id=call.config.channel_id)
        return succeeded(_encoded(query_pb2.ChannelQueryResponse(channels=[channel])))

    def _about_channel(
        self, call: SystemCall, function: str, channel_id: str
    ) -> proposal_response_pb2.Response:
        if function == "GetChannelConfig" and not channel_id:
            return failed("empty channel name provided")
        try:
            if channel_id != call.config.channel_id:
                acl.refuse_channel(channel_id, f"{NAME}/{function}")
            acl.check_access(call.config, f"{NAME}/{function}", call.signed_data)
        except AccessDenied as error:
            return failed(f"access denied for [{function}][{channel_id}]: {error.message}")
        block = _config_block(call.snapshot.blocks)
        return succeeded(block if function == "GetConfigBlock" else _config(block))


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
