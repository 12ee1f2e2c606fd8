"""What a running channel says of itself, asked through one peer's gateway as one of its members."""

from __future__ import annotations

from typing import Any

from fabric_protos.common import common_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2
from google.protobuf.message import DecodeError

from consentry.errors import ConfigurationError
from fabric_gateway import EvaluateError, Network
from fabric_protocol.channel_reading import ChannelConfig
from fabric_protocol.errors import ProtocolError


def read_configuration(network: Network) -> ChannelConfig:
    """The channel's configuration now.

    Raises:
        ConfigurationError: CHANNEL_UNREADABLE, with what the peer answered.
    """
    try:
        data = network.contract("cscc").evaluate("GetConfigBlock", network.name)
        return ChannelConfig.from_block(common_pb2.Block.FromString(data))
    except (EvaluateError, DecodeError, ProtocolError) as error:
        raise ConfigurationError(
            "CHANNEL_UNREADABLE",
            f"the configuration of channel {network.name!r} cannot be had ({error}); is the channel's "
            "name right, "
            "and is the identity one of its members?",
        ) from error


def read_definition(network: Network, chaincode: str) -> Any:
    """The chaincode's committed definition (lifecycle.QueryChaincodeDefinitionResult) or None."""
    arguments = lifecycle_pb2.QueryChaincodeDefinitionArgs(name=chaincode).SerializeToString()
    try:
        data = network.contract("_lifecycle").evaluate("QueryChaincodeDefinition", arguments)
    except EvaluateError as error:
        if "is not defined" in str(error):
            return None
        raise ConfigurationError(
            "CHANNEL_UNREADABLE", f"the definition of chaincode {chaincode!r} cannot be had: {error}"
        ) from error
    return lifecycle_pb2.QueryChaincodeDefinitionResult.FromString(data)


def tls_roots_of(channel: ChannelConfig, msp_id: str) -> bytes:
    """PEM certificates of the TLS authorities of an organization, as its MSP in the channel has them."""
    content = _msp_of(channel, msp_id)
    return b"" if content is None else b"\n".join((*content.tls_root_certs, *content.tls_intermediate_certs))


def msp_roots_of(channel: ChannelConfig, msp_id: str) -> bytes:
    """PEM certificates of the authorities of an organization's members, as the channel has them."""
    content = _msp_of(channel, msp_id)
    return b"" if content is None else b"\n".join((*content.root_certs, *content.intermediate_certs))


def _msp_of(channel: ChannelConfig, msp_id: str) -> Any:
    """The msp.FabricMSPConfig of an organization, or None."""
    for part in ("Application", "Orderer"):
        for group in channel.group.groups[part].groups.values():
            content = msp_config_pb2.FabricMSPConfig.FromString(
                msp_config_pb2.MSPConfig.FromString(group.values["MSP"].value).config
            )
            if content.name == msp_id:
                return content
    return None
