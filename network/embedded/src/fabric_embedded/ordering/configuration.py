"""From a configuration update to the configuration that is ordered (`orderer/common/msgprocessor`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabric_protos.common import common_pb2, configtx_pb2

from fabric_embedded.ordering.admission import Refusal, check_content
from fabric_protocol.config_signing import ConfigSigner, config_envelope
from fabric_protocol.config_update import propose_config
from fabric_protocol.consensus_changes import check_maintenance, check_raft_metadata
from fabric_protocol.errors import ConfigError, IdentityError

if TYPE_CHECKING:
    from fabric_embedded.ordering.committer import OrderingNode
    from fabric_protocol.channel_config import ChannelConfig

_BLOCK_VALIDATION = "/Channel/Orderer/BlockValidation"
_METADATA_CHECK = "consensus metadata update for channel config update is invalid"
_MAINTENANCE_CHECKS = (
    "config update for existing channel did not pass maintenance checks: config transaction inspection failed"
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
        _check_metadata(current, found)
    except ConfigError as error:
        what = f"error applying config update to existing channel '{current.channel_id}': {error}"
        return Refusal(common_pb2.BAD_REQUEST, what)
    signer = ConfigSigner(node.identity, node.signer)
    envelope: common_pb2.Envelope = config_envelope(current.channel_id, content, signer)
    refusal = check_content(envelope, node.identity, current)
    if refusal is not None:
        return Refusal(refusal.status, f"{_FINAL_CHECKS}: {refusal.info}")
    try:
        check_maintenance(current, found, _config_update(update))
    except ConfigError as error:
        return Refusal(common_pb2.BAD_REQUEST, f"{_MAINTENANCE_CHECKS}: {error}")
    return _check_node(current, found, node) or envelope


def _check_metadata(current: ChannelConfig, found: ChannelConfig) -> None:
    try:
        check_raft_metadata(current, found)
    except ConfigError as error:
        raise ConfigError(error.code, f"{_METADATA_CHECK}: {error.message}") from error


def _config_update(update: common_pb2.Envelope) -> Any:
    payload = common_pb2.Payload.FromString(update.payload)
    content = configtx_pb2.ConfigUpdateEnvelope.FromString(payload.data)
    return configtx_pb2.ConfigUpdate.FromString(content.config_update)


def _check_node(current: ChannelConfig, found: ChannelConfig, node: OrderingNode) -> Refusal | None:
    """Refuse what Fabric allows and one ordering node cannot do: the channel would stand still."""
    if found.consensus_type != current.consensus_type or len(found.consenters) != 1:
        return Refusal(
            common_pb2.NOT_IMPLEMENTED,
            "the embedded engine has one ordering node, which orders as Raft does: its channel keeps one "
            f"consenter and the consensus type {current.consensus_type}",
        )
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
