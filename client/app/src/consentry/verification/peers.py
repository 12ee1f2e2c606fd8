"""Live peers as copies of the chain: each organization's own, asked over the network."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from consentry.errors import LedgerUnreachable
from consentry.organization_gateway import organization_gateway
from consentry.profile import NetworkProfile, OrganizationProfile
from consentry.verification.encoding import read_block
from consentry.verification.errors import VerificationError
from consentry.verification.findings import Finding
from consentry.wallet import WalletIdentity
from fabric_gateway import Network, StreamError, StreamPatience

# A peer that is started again is back by then, and another one of its organization has answered long before.
_PATIENCE = StreamPatience(reconnect_for=30.0)


@dataclass(frozen=True)
class PeerSource:
    """One organization's peer; while it does not answer, the next of the organization's peers.

    Attributes:
        name: how results call it.
        network: the channel as that peer serves it.
        stop: number of the last block to ask for; None waits for new blocks for ever.
    """

    name: str
    network: Network
    stop: int | None

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """The peer's blocks as it sent them.

        Raises:
            LedgerUnreachable: the peer refused or the stream broke off.
        """
        if self.stop is not None and start > self.stop:
            return
        try:
            yield from self.network.blocks(start, self.stop, patience=_PATIENCE)
        except StreamError as error:
            raise unreachable(self.name, error) from error

    def newest(self) -> int:
        """Number of the newest block that the peer has.

        Raises:
            LedgerUnreachable: it gave no answer.
        """
        return _newest(self.name, self.network)


@contextmanager
def live_peers(
    profile: NetworkProfile,
    identity: WalletIdentity,
    organizations: Sequence[str] = (),
    *,
    follow: bool = False,
) -> Iterator[tuple[PeerSource, ...]]:
    """Connect to one peer of each organization that answers, as one member of the channel.

    Args:
        profile: where the peers are.
        identity: who asks; any member may read blocks.
        organizations: short names or MSP ids; none means all.
        follow: wait for new blocks instead of stopping at the newest block that all of the peers have.

    Yields:
        One source an organization, all of them to the same last block.

    Raises:
        ConfigurationError: an organization is not in the profile.
        LedgerUnreachable: no peer of an organization gave an answer.
    """
    wanted = [_organization(profile, name) for name in organizations] or list(profile.organizations.values())
    with ExitStack() as connections:
        networks = {
            f"{organization.msp_id}'s peer": connections.enter_context(
                organization_gateway(organization, identity)
            ).network(profile.channel)
            for organization in wanted
        }
        stop = None if follow else min(_newest(name, network) for name, network in networks.items())
        yield tuple(PeerSource(name, network, stop) for name, network in networks.items())


def own_peer(name: str, network: Network) -> PeerSource:
    """A connected peer as a copy of the chain, up to its newest block.

    Args:
        name: how results call it.
        network: the channel as that peer serves it.

    Raises:
        LedgerUnreachable: it gave no answer.
    """
    return PeerSource(name, network, _newest(name, network))


def unreachable(name: str, error: StreamError) -> LedgerUnreachable:
    """What broke a stream of blocks, and what to do about it."""
    return LedgerUnreachable(
        "LEDGER_UNREACHABLE",
        f"{name} gave no blocks ({error.message}); check `consentry network status`, "
        "or verify exported blocks",
        {"status": error.code},
    )


def _organization(profile: NetworkProfile, name: str) -> OrganizationProfile:
    return profile.organizations.get(name) or profile.organization_named(name)


def _newest(name: str, network: Network) -> int:
    try:
        data = network.newest_block()
    except StreamError as error:
        raise unreachable(name, error) from error
    try:
        return int(read_block(data, 0).header.number)
    except Finding as finding:
        raise VerificationError(
            "PEER_ANSWER_INVALID", f"{name} gave a newest block that cannot be read; ask another peer."
        ) from finding
