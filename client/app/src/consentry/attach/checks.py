"""Whether a channel is one that Consentry can work on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from fabric_protos.peer import policy_pb2

from consentry.attach.connection_profile import ConnectionProfile, ProfileNode
from consentry.attach.endpoints import leads_to
from consentry.attach.findings import Finding, fine, refused, warning
from consentry.running_channel import tls_roots_of
from consentry_records.keys import COLLECTION_PREFIX
from fabric_gateway import EvaluateError, Network
from fabric_protocol.channel_reading import ChannelConfig
from fabric_protocol.collections import Collection, read_collections

_WINDOW = timedelta(seconds=60)
_MARGIN = timedelta(seconds=15)
# Fabric's own default of peer.authentication.timewindow.
_DEFAULT_WINDOW = timedelta(minutes=15)
_CAPABILITIES = (("Application", "V2_5", "private data can be purged"),)


def check_members(profile: ConnectionProfile, channel: ChannelConfig) -> list[Finding]:
    """MSP ids of the profile against the channel's, and each peer against its MSP's TLS authorities."""
    members = {organization.msp_id for organization in channel.organizations}
    found = []
    for msp_id, organization in profile.organizations.items():
        if msp_id not in members:
            found.append(
                refused(
                    msp_id,
                    "MSP_UNKNOWN",
                    f"no member of channel {channel.channel_id} has this MSP id; its members are "
                    f"{', '.join(sorted(members))}",
                )
            )
            continue
        found += [_belongs(peer, msp_id, channel) for peer in organization.peers]
    missing = sorted(members - set(profile.organizations))
    if missing:
        found.append(
            warning(
                "profile",
                "MEMBERS_WITHOUT_PEER",
                f"it has no peer of {', '.join(missing)}: their copies of the ledger cannot be compared; "
                "add their "
                "profiles to the command",
            )
        )
    return found


def _belongs(peer: ProfileNode, msp_id: str, channel: ChannelConfig) -> Finding:
    if leads_to(peer, tls_roots_of(channel, msp_id)):
        return fine(peer.name, f"its certificate is one of {msp_id}'s TLS authorities in the channel")
    return refused(
        peer.name,
        "PEER_OF_OTHER_MSP",
        f"its TLS certificate does not lead to the TLS authorities that {msp_id} has in the channel; the "
        "profile "
        "names it under the wrong organization, or the channel's configuration is out of date",
    )


def check_capabilities(channel: ChannelConfig) -> list[Finding]:
    """What the channel can do, against what the contracts use."""
    found = []
    for part, name, purpose in _CAPABILITIES:
        present = sorted(channel.capabilities.get(part, ()))
        if channel.has_capability(part, name):
            found.append(fine(f"{part} capability", f"{name}: {purpose}"))
            continue
        found.append(
            refused(
                f"{part} capability",
                "CAPABILITY_MISSING",
                f"got {', '.join(present) or 'none'}, expected {name}, so that {purpose}; the channel's "
                "administrators set it by a configuration update",
            )
        )
    return found


def check_definition(
    chaincode: str, definition: Any, channel: ChannelConfig, hospitals: Iterable[str]
) -> list[Finding]:
    """The committed definition: it exists, its policy is explicit, every hospital has its own collection."""
    subject = f"chaincode {chaincode}"
    if definition is None:
        return [
            refused(
                subject,
                "CHAINCODE_NOT_COMMITTED",
                f"channel {channel.channel_id} has no such chaincode; name another with --chaincode, or "
                "have the "
                "members approve and commit its definition",
            )
        ]
    policy = policy_pb2.ApplicationPolicy.FromString(definition.validation_parameter)
    found = [
        fine(subject, f"version {definition.version}, sequence {definition.sequence}")
        if policy.HasField("signature_policy")
        else warning(
            subject,
            "POLICY_IMPLICIT",
            f"its endorsement policy is the channel's {policy.channel_config_policy_reference}, which "
            "changes with "
            "the channel's members; an explicit one is expected",
        )
    ]
    collections = {item.name: item for item in read_collections(definition.collections.SerializeToString())}
    return found + [_collection(collections, msp_id) for msp_id in hospitals]


def _collection(collections: dict[str, Collection], msp_id: str) -> Finding:
    name = COLLECTION_PREFIX + msp_id
    collection = collections.get(name)
    if collection is None:
        return refused(
            f"collection {name}",
            "COLLECTION_MISSING",
            f"the definition has no such collection, in which {msp_id} keeps its private entries; it has "
            f"{', '.join(sorted(collections)) or 'none'}; or is {msp_id} no hospital (--regulator {msp_id})?",
        )
    if not (collection.member_only_read and collection.member_only_write):
        return refused(
            f"collection {name}",
            "COLLECTION_OPEN",
            "expected memberOnlyRead and memberOnlyWrite: as it is, any member of the channel can read or "
            "write it",
        )
    return fine(f"collection {name}", "for its members only")


def check_time_window(peer: str, network: Network) -> Finding:
    """Whether a peer refuses proposals whose time is too far from its own clock (DESIGN §7).

    Proposals are evaluated only: nothing is written.
    """
    now = datetime.now(UTC)
    if not _accepts(network, now):
        return refused(
            peer,
            "CLOCK_APART",
            "it refuses a proposal with this machine's time; the two clocks are too far apart: "
            "synchronize both",
        )
    if not _accepts(network, now - _WINDOW - _MARGIN) and not _accepts(network, now + _WINDOW + _MARGIN):
        return fine(peer, f"refuses proposals more than {_WINDOW.seconds} s from its clock")
    remedy = (
        "set peer.authentication.timewindow to 60s and TimeWindowCheck in authFilters of its core.yaml, "
        "or accept "
        "with --any-time that old and future proposals are endorsed"
    )
    if not _accepts(network, now - _DEFAULT_WINDOW - _MARGIN):
        return refused(
            peer,
            "TIME_WINDOW_WIDE",
            f"it endorses proposals more than {_WINDOW.seconds} s from its clock, though not of any time; "
            f"{remedy}",
        )
    return refused(peer, "TIME_WINDOW_MISSING", f"it endorses proposals of any time; {remedy}")


def _accepts(network: Network, proposal_time: datetime) -> bool:
    try:
        network.contract("qscc").evaluate("GetChainInfo", network.name, proposal_time=proposal_time)
    except EvaluateError as error:
        if "incorrect timestamp" in str(error):
            return False
        raise
    return True
