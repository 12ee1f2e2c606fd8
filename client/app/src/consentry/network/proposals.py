"""Changes of the channel's configuration as files: each organization looks and signs, anyone submits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from consentry.errors import ConfigurationError, ConsentryError
from consentry.network.engines import Network, load_network, native_network, operated
from consentry.network.translation import translated
from fabric_native import MemberFile
from fabric_operator.proposals import Proposals, missing_words
from fabric_protocol.config_editing import (
    with_anchor_peers,
    with_batch_size,
    with_organization,
    with_revocation_list,
)
from fabric_protocol.config_review import Review
from fabric_protocol.membership_editing import with_consenter, without_organization

__all__ = [
    "missing_words",
    "propose_anchor_peers",
    "propose_batch_size",
    "propose_member",
    "propose_removal",
    "propose_revocations",
    "propose_rotation",
    "review",
    "sign",
    "submit",
]


@translated()
def propose_member(directory: Path, member: Path, target: Path, organization: str | None = None) -> Review:
    """Propose to take an organization in, with its ordering node.

    Args:
        directory: The network's directory, whose ordering nodes must be up.
        member: The file that the organization wrote.
        target: File of the proposal.
        organization: Who proposes; None is the one that a bundle is for.

    Raises:
        ConsentryError: TOPOLOGY_INVALID, ORDERER_UNREACHABLE, or why the change cannot be made.
    """
    known = MemberFile.from_json(read_file(member))

    def grown(group: Any) -> Any:
        return with_consenter(with_organization(group, known.config), known.consenter)

    return _propose(directory, organization, target, grown)


@translated()
def propose_removal(directory: Path, name: str, target: Path, organization: str | None = None) -> Review:
    """Propose to remove an organization with its ordering node; as :func:`propose_member`."""
    return _propose(directory, organization, target, lambda group: without_organization(group, name))


@translated()
def propose_rotation(directory: Path, node: str, target: Path) -> Review:
    """Have an ordering node's next certificates issued by its own CA, and propose that the channel know them.

    The node goes on with those that it has until :func:`consentry.network.rotate_certificates` is called.

    Args:
        directory: The bundle of the node's organization; its CA and the channel's ordering nodes must be up.
        node: Such as `orderer-northgate`.
        target: File of the proposal.

    Raises:
        ConsentryError: NODE_UNKNOWN, ORDERER_UNREACHABLE, or what the CA says.
    """
    network = native_network(directory)
    entry = network.renew_certificates(node)
    return _propose(directory, None, target, lambda group: with_consenter(group, entry))


@translated()
def propose_revocations(directory: Path, organization: str, revocations: bytes, target: Path) -> Review:
    """Propose that the channel refuse what an organization's CA has revoked.

    Args:
        directory: The network's directory, whose ordering nodes must be up.
        organization: Whose CA; it proposes.
        revocations: The CA's list (PEM).
        target: File of the proposal.

    Raises:
        ConsentryError: REVOCATION_LIST_INVALID, ORGANIZATION_UNKNOWN, ORDERER_UNREACHABLE.
    """
    msp_id = load_network(directory).topology.organization(organization).msp_id
    return _propose(
        directory, organization, target, lambda group: with_revocation_list(group, msp_id, revocations)
    )


@translated()
def propose_anchor_peers(
    directory: Path, endpoints: Sequence[str], target: Path, organization: str | None = None
) -> Review:
    """Propose other anchor peers ("host:port") of the proposing organization; as :func:`propose_member`."""
    name = _acting(load_network(directory), organization)
    return _propose(directory, name, target, lambda group: with_anchor_peers(group, name, endpoints))


@translated()
def propose_batch_size(
    directory: Path, limits: dict[str, int], target: Path, organization: str | None = None
) -> Review:
    """Propose other limits of a block; as :func:`propose_member`.

    Args:
        directory: The network's directory.
        limits: As for :func:`fabric_protocol.config_editing.with_batch_size`.
        target: File of the proposal.
        organization: Who proposes.
    """
    return _propose(directory, organization, target, lambda group: with_batch_size(group, **limits))


@translated()
def review(directory: Path, proposal: Path, organization: str | None = None) -> Review:
    """Look at a proposal beside the configuration in force, as the own ordering node has it.

    Raises:
        ConsentryError: ORDERER_UNREACHABLE, CONFIG_UPDATE_INVALID, CONFIG_VERSION_CONFLICT.
    """
    return _proposals(directory, organization).review(read_file(proposal))


@translated()
def sign(directory: Path, proposal: Path, organization: str | None = None) -> Review:
    """Add the organization's administrator's signature to a proposal's file.

    Raises:
        ConsentryError: as :func:`review`; PROPOSAL_ALTERED, PROPOSAL_SIGNED, SIGNATURE_WORTHLESS.
    """
    proposals = _proposals(directory, organization)
    signed = proposals.sign(read_file(proposal))
    _write_file(proposal, signed)
    return proposals.review(signed)


@translated()
def submit(directory: Path, proposal: Path, organization: str | None = None) -> int:
    """Send a proposal that enough have signed, and wait until the peers that run here have the change; the
    number of the block that brings it.

    Raises:
        ConsentryError: as :func:`review`; PROPOSAL_UNSIGNED, with who is missing; CONFIG_CHANGE_REFUSED;
            CONFIG_CHANGE_UNSEEN, it was sent and is not in force yet.
    """
    number = _proposals(directory, organization).submit(read_file(proposal))
    load_network(directory).await_block(number)
    return number


def read_file(path: Path) -> bytes:
    """Content of a file.

    Raises:
        ConfigurationError: FILE_UNREADABLE.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError("FILE_UNREADABLE", f"{path} cannot be read: {error.strerror}") from error


def _propose(directory: Path, organization: str | None, target: Path, change: Callable[[Any], Any]) -> Review:
    proposals = _proposals(directory, organization)
    proposal = proposals.propose(change)
    found = proposals.review(proposal)
    _write_file(target, proposal)
    return found


def _write_file(path: Path, content: bytes) -> None:
    """Whole or not at all: a file with signatures of others is not lost half-way."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise ConfigurationError("FILE_UNWRITABLE", f"{path} cannot be written: {error.strerror}") from error


def _proposals(directory: Path, organization: str | None) -> Proposals:
    network = load_network(directory)
    return network.proposals(_acting(network, organization))


def _acting(network: Network, organization: str | None) -> str:
    here = [item.name for item in operated(network)]
    if organization is not None:
        return network.topology.organization(organization).name
    if len(here) != 1:
        raise ConsentryError(
            "ORGANIZATION_UNNAMED",
            f"{network.directory} holds the keys of {', '.join(here)}: name the one that acts",
        )
    return here[0]
