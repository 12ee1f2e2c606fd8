"""Usual changes of a channel's configuration: each gives a changed copy of the tree.

`fabric_protocol.config_delta` makes the update that leads to it.

Source: fabric-behaviour §1.2, §11.2.
"""

from collections.abc import Sequence
from typing import Any

from fabric_protos.common import configtx_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2

from fabric_protocol.channel_config import (
    OrganizationConfig,
    anchor_peer,
    application_organization,
    check_organizations,
    orderer_organization,
)
from fabric_protocol.channel_policies import add_implicit_policies, add_signature_policy
from fabric_protocol.config_elements import ROOT
from fabric_protocol.errors import ConfigError
from fabric_protocol.msp_config import read_msp_config
from fabric_protocol.revocation import parse_revocation_list

_PARTS = ("Application", "Orderer")


def with_batch_size(group: Any, **limits: int) -> Any:
    """Cut blocks by other limits.

    Parameters:
        group: ConfigGroup of the channel.
        limits: `max_message_count`, `absolute_max_bytes`, `preferred_max_bytes`; those left out stay.
    """
    changed = _copy(group)
    value = changed.groups["Orderer"].values["BatchSize"]
    size = orderer_pb2.BatchSize.FromString(value.value)
    for name, limit in limits.items():
        setattr(size, name, limit)
    value.value = _encode(size)
    return changed


def with_implicit_policy(group: Any, path: str, rule: str) -> Any:
    """Set a policy that counts child groups.

    Parameters:
        group: ConfigGroup of the channel.
        path: e.g. "/Channel/Application/Endorsement".
        rule: e.g. "MAJORITY Endorsement".

    Raises:
        ConfigError: CONFIG_PATH_UNKNOWN.
    """
    changed = _copy(group)
    holder, name = _holder(changed, path)
    add_implicit_policies(holder, {name: rule})
    return changed


def with_signature_policy(group: Any, path: str, envelope: Any) -> Any:
    """Set a policy that names who signs (SignaturePolicyEnvelope), as `with_implicit_policy` does.

    Raises:
        ConfigError: CONFIG_PATH_UNKNOWN.
    """
    changed = _copy(group)
    holder, name = _holder(changed, path)
    add_signature_policy(holder, name, envelope)
    return changed


def with_organization(group: Any, organization: OrganizationConfig) -> Any:
    """Add an organization that runs peers and orders.

    Raises:
        ConfigError: CHANNEL_CONFIG_INVALID, if it has a name that is taken, or cannot be used.
    """
    check_organizations([organization])
    changed = _copy(group)
    if any(organization.name in changed.groups[part].groups for part in _PARTS):
        raise ConfigError("CHANNEL_CONFIG_INVALID", f"the channel has an organization {organization.name}")
    changed.groups["Application"].groups[organization.name].CopyFrom(application_organization(organization))
    changed.groups["Orderer"].groups[organization.name].CopyFrom(orderer_organization(organization))
    return changed


def with_anchor_peers(group: Any, name: str, endpoints: Sequence[str]) -> Any:
    """Have others contact an organization's peers at these addresses first, in place of those so far.

    Parameters:
        group: ConfigGroup of the channel.
        name: of the organization's group.
        endpoints: "host:port" of each.

    Raises:
        ConfigError: ORGANIZATION_UNKNOWN; CHANNEL_CONFIG_INVALID, an address of another form.
    """
    changed = _copy(group)
    members = changed.groups["Application"].groups
    if name not in members:
        raise ConfigError("ORGANIZATION_UNKNOWN", f"the channel has no organization {name}")
    value = members[name].values["AnchorPeers"]
    value.value = _encode(peer_pb2.AnchorPeers(anchor_peers=[anchor_peer(item) for item in endpoints]))
    value.mod_policy = value.mod_policy or "Admins"
    return changed


def with_revocation_list(group: Any, msp_id: str, revocations: bytes) -> Any:
    """Put a certificate revocation list into an organization's MSP, wherever the channel has it.

    A list replaces those of the same authority, as each names all that it has revoked.

    Parameters:
        group: ConfigGroup of the channel.
        msp_id: of the organization.
        revocations: PEM or DER.

    Raises:
        ConfigError: REVOCATION_LIST_INVALID; ORGANIZATION_UNKNOWN.
    """
    authority = parse_revocation_list(revocations).authority_key_identifier
    changed, was_found = _copy(group), False
    for part in _PARTS:
        for organization in changed.groups[part].groups.values():
            value = organization.values["MSP"]
            config = msp_config_pb2.MSPConfig.FromString(value.value)
            content = read_msp_config(config)
            if content.name != msp_id:
                continue
            kept = [
                known
                for known in content.revocation_list
                if parse_revocation_list(known).authority_key_identifier != authority
            ]
            content.revocation_list[:] = [*kept, revocations]
            config.config = _encode(content)
            value.value, was_found = _encode(config), True
    if not was_found:
        raise ConfigError("ORGANIZATION_UNKNOWN", f"the channel has no organization with MSP id {msp_id}")
    return changed


def _holder(root: Any, path: str) -> tuple[Any, str]:
    *groups, name = path.removeprefix(f"/{ROOT}/").split("/")
    found = root
    for group in groups:
        if group not in found.groups:
            raise ConfigError("CONFIG_PATH_UNKNOWN", f"the configuration has no group for {path}")
        found = found.groups[group]
    return found, name


def _copy(group: Any) -> Any:
    copied = configtx_pb2.ConfigGroup()
    copied.CopyFrom(group)
    return copied


def _encode(message: Any) -> bytes:
    serialized: bytes = message.SerializeToString(deterministic=True)
    return serialized
