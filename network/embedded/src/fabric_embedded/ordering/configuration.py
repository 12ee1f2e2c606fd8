"""From a configuration update to the configuration that is ordered (`orderer/common/msgprocessor`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabric_protos.common import common_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2

from fabric_embedded.ordering.admission import Refusal, check_content
from fabric_protocol.config_signing import ConfigSigner, config_envelope
from fabric_protocol.config_update import propose_config
from fabric_protocol.errors import ConfigError, IdentityError

if TYPE_CHECKING:
    from fabric_embedded.ordering.committer import OrderingNode
    from fabric_protocol.channel_config import ChannelConfig

_BLOCK_VALIDATION = "/Channel/Orderer/BlockValidation"
_CONSENSUS_CHANGES = (
    "config update for existing channel did not pass maintenance checks: "
    "config transaction inspection failed: "
)
_FINAL_CHECKS = "config update for existing channel did not pass final checks"


def make_configuration(
    update: common_pb2.Envelope, current: ChannelConfig, node: OrderingNode
) -> common_pb2.Envelope | Refusal:
    """Apply an update, and sign what comes of it.

    Parameters:
        update: envelope of type CONFIG_UPDATE that has passed the first checks.
        current: the configuration in force.
        node: the ordering node.

    Returns:
        The envelope of type CONFIG to be ordered, or why there is none.
    """
    try:
        content, found = propose_config(current, update)
    except ConfigError as error:
        what = f"error applying config update to existing channel '{current.channel_id}': {error}"
        return Refusal(common_pb2.BAD_REQUEST, what)
    refusal = _check_consensus(current, found) or _check_node(found, node)
    if refusal is not None:
        return refusal
    signer = ConfigSigner(node.identity, node.signer)
    envelope: common_pb2.Envelope = config_envelope(current.channel_id, content, signer)
    refusal = check_content(envelope, node.identity, current)
    if refusal is not None:
        return Refusal(refusal.status, f"{_FINAL_CHECKS}: {refusal.info}")
    return envelope


def _check_consensus(current: ChannelConfig, found: ChannelConfig) -> Refusal | None:
    before, after = _consensus(current), _consensus(found)
    if before.type != after.type:
        return Refusal(
            common_pb2.BAD_REQUEST,
            f"{_CONSENSUS_CHANGES}attempted to change consensus type from {before.type} to {after.type}, "
            "but current config ConsensusType.State is not in maintenance mode",
        )
    if before != after or current.consenters != found.consenters:
        return Refusal(
            common_pb2.NOT_IMPLEMENTED,
            "the embedded engine has one ordering node: its consensus and consenters cannot be changed",
        )
    return None


def _check_node(found: ChannelConfig, node: OrderingNode) -> Refusal | None:
    """Fabric has more ordering nodes; here the channel would stand still."""
    try:
        identity = found.msps.deserialize(node.identity)
        may_sign = found.policies.policy(_BLOCK_VALIDATION).evaluate_identities([identity])
    except IdentityError:
        may_sign = False
    if may_sign:
        return None
    return Refusal(
        common_pb2.NOT_IMPLEMENTED,
        "the embedded engine has one ordering node, which could sign no block under this configuration",
    )


def _consensus(config: ChannelConfig) -> Any:
    value = config.group.groups["Orderer"].values["ConsensusType"].value
    return orderer_pb2.ConsensusType.FromString(value)
