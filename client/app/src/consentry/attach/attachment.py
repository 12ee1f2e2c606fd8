"""Check a running network by its connection profile, and write the network.json that all else works from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from consentry.attach.checks import check_capabilities, check_definition, check_members, check_time_window
from consentry.attach.connection_profile import (
    ConnectionProfile,
    ProfileNode,
    read_connection_profiles,
)
from consentry.attach.endpoints import check_endpoints, check_nodes
from consentry.attach.findings import Finding, State, refused, warning
from consentry.attach.writing import write_network
from consentry.errors import ConfigurationError, InputRejected
from consentry.running_channel import read_configuration, read_definition, tls_roots_of
from consentry.wallet import WalletIdentity
from fabric_gateway import EvaluateError, Gateway, Network, utc_clock
from fabric_protocol.channel_reading import ChannelConfig

_TIME_CODES = ("TIME_WINDOW_MISSING", "TIME_WINDOW_WIDE")


@dataclass(frozen=True)
class Attachment:
    """What was found, and whether network.json was written: nothing is written when anything is refused."""

    findings: tuple[Finding, ...]
    written: Path | None

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Why the network cannot be used."""
        return tuple(item for item in self.findings if item.state is State.REFUSED)


def attach(
    directory: Path,
    profiles: Sequence[Path],
    identity: WalletIdentity,
    *,
    label: str,
    channel: str = "",
    chaincode: str = "consentry",
    regulators: Collection[str] = (),
    any_time: bool = False,
) -> Attachment:
    """Check a network and write `directory`/network.json, its TLS roots, and `identity` into its wallet.

    Args:
        directory: Where clients shall find the network; it must not hold one.
        profiles: Connection profiles, one for all organizations or one for each.
        identity: A member of the channel, with whom the network is asked.
        label: Under which the identity is kept.
        channel: Its name; may be left out where the profiles name one only.
        chaincode: Name of the chaincode.
        regulators: MSP ids of organizations that hold no patients' data; all others are hospitals.
        any_time: Accept peers that endorse proposals of any time.

    Raises:
        ConfigurationError: NETWORK_EXISTS, CONNECTION_PROFILE_INVALID, CONNECTION_WITHOUT_TLS,
            CHANNEL_UNREADABLE.
        InputRejected: CHANNEL_AMBIGUOUS, ORGANIZATION_UNKNOWN.
    """
    if (directory / "network.json").exists():
        raise ConfigurationError(
            "NETWORK_EXISTS", f"{directory} holds a network; name another directory with --network"
        )
    profile = read_connection_profiles(profiles)
    name = channel or _only_channel(profile)
    _require_known(profile, {identity.msp_id, *regulators})
    findings = check_endpoints(profile)
    if any(item.state is State.REFUSED for item in findings):
        return Attachment(tuple(findings), None)
    with _asked(profile.organizations[identity.msp_id].peers[0], identity, name) as network:
        configuration = read_configuration(network)
        definition = read_definition(network, chaincode)
    hospitals = sorted(set(profile.organizations) - set(regulators))
    findings += check_members(profile, configuration)
    findings += check_capabilities(configuration)
    findings += check_definition(chaincode, definition, configuration, hospitals)
    findings += _time_windows(profile, identity, name, any_time)
    profile, found = _with_orderers(profile, configuration)
    findings += found
    attachment = Attachment(tuple(findings), None)
    if attachment.refusals:
        return attachment
    kinds = {msp_id: "regulator" if msp_id in regulators else "hospital" for msp_id in profile.organizations}
    written = write_network(directory, profile, name, chaincode, kinds, identity, label)
    return replace(attachment, written=written)


def _only_channel(profile: ConnectionProfile) -> str:
    if len(profile.channels) != 1:
        known = ", ".join(profile.channels) or "none"
        raise InputRejected(
            "CHANNEL_AMBIGUOUS",
            f"the profile names {known} of channels, expected one; name it with --channel",
        )
    return profile.channels[0]


def _require_known(profile: ConnectionProfile, msp_ids: Collection[str]) -> None:
    unknown = sorted(set(msp_ids) - set(profile.organizations))
    if unknown:
        raise InputRejected(
            "ORGANIZATION_UNKNOWN",
            f"{', '.join(unknown)}: the profile has no peer of this MSP id; it has "
            f"{', '.join(sorted(profile.organizations))}",
        )


@contextmanager
def _asked(peer: ProfileNode, identity: WalletIdentity, channel: str) -> Iterator[Network]:
    with Gateway.connect(
        peer.endpoint,
        identity=identity.serialized,
        signer=identity.signer,
        tls_roots=peer.tls_roots,
        server_name=peer.server_name,
        clock=utc_clock,
    ) as gateway:
        yield gateway.network(channel)


def _time_windows(
    profile: ConnectionProfile, identity: WalletIdentity, channel: str, any_time: bool
) -> list[Finding]:
    found = []
    for organization in profile.organizations.values():
        for peer in organization.peers:
            try:
                with _asked(peer, identity, channel) as network:
                    finding = check_time_window(peer.name, network)
            except EvaluateError as error:
                finding = refused(peer.name, "GATEWAY_UNUSABLE", f"its gateway service refuses: {error}")
            if any_time and finding.code in _TIME_CODES:
                finding = warning(finding.subject, finding.code, finding.sentence)
            found.append(finding)
    return found


def _with_orderers(
    profile: ConnectionProfile, channel: ChannelConfig
) -> tuple[ConnectionProfile, list[Finding]]:
    """Where the profile names no orderer, those of the channel's configuration."""
    if profile.orderers:
        return profile, []
    roots: dict[str, list[bytes]] = {}
    for msp_id, endpoints in channel.orderer_endpoints.items():
        for endpoint in endpoints:
            roots.setdefault(endpoint, []).append(tls_roots_of(channel, msp_id))
    nodes = [_orderer(endpoint, b"\n".join(known)) for endpoint, known in roots.items()]
    return replace(profile, orderers=tuple(nodes)), [_softened(item) for item in check_nodes(nodes)]


def _orderer(endpoint: str, roots: bytes) -> ProfileNode:
    host, _, port = endpoint.rpartition(":")
    host = host.strip("[]")
    return ProfileNode(f"orderer {endpoint}", host, int(port), host, roots)


def _softened(finding: Finding) -> Finding:
    """Clients reach orderers through their peer's gateway: one that does not answer here is no fault."""
    return replace(finding, state=State.WARNING) if finding.state is State.REFUSED else finding
