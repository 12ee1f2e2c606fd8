"""Changes of a channel's configuration, signed by whom a test says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from support import chain_members
from support.sample_organizations import Member as SampleMember

from fabric_protocol.channel_config import ChannelConfig
from fabric_protocol.config_delta import compute_update
from fabric_protocol.config_signing import ConfigSigner, config_envelope, sign_update, update_envelope
from fabric_protocol.config_update import propose_config
from fabric_protocol.signatures import key_signer

Member = SampleMember | chain_members.Member


def config_signer(member: Member) -> ConfigSigner:
    """A member as a signer of configurations."""
    if isinstance(member, chain_members.Member):
        return ConfigSigner(member.identity, member.signer)
    return ConfigSigner(member.serialized, key_signer(member.key))


def signed_change(current: ChannelConfig, changed: Any, administrators: Sequence[Member]) -> Any:
    """Envelope of the update that leads to a changed tree; the first administrator sends it."""
    update = compute_update(current.channel_id, current.group, changed)
    return signed_update(current.channel_id, update, administrators)


def signed_update(channel_id: str, update: Any, administrators: Sequence[Member]) -> Any:
    """Envelope of an update that these administrators sign; the first one sends it."""
    data = update.SerializeToString()
    signers = [config_signer(member) for member in administrators]
    signatures = [sign_update(data, signer) for signer in signers]
    return update_envelope(channel_id, data, signatures, signers[0])


def ordered_change(
    current: ChannelConfig, changed: Any, administrators: Sequence[Member], orderer: Member
) -> bytes:
    """M(Envelope) of the configuration that an ordering node makes of a signed change."""
    config, _ = propose_config(current, signed_change(current, changed, administrators))
    envelope: bytes = config_envelope(current.channel_id, config, config_signer(orderer)).SerializeToString()
    return envelope
