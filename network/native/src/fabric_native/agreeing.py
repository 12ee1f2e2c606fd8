"""A chaincode definition that each organization approves for itself, and whoever comes last commits.

Source: fabric-behaviour §12: a majority's peers endorse what is committed, each once its organization has
approved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from fabric_native.deployment import Deployment
from fabric_native.errors import AdministrationError
from fabric_native.peer_client import PeerClient
from fabric_protocol.definitions import Definition

_SEEN_SECONDS = 30.0
_AGAIN_SECONDS = 0.2


def agree(
    channel: Deployment, definition: Definition, reachable: Collection[str], progress: Callable[[str], None]
) -> bool:
    """Install and approve for the one organization here, and commit once a majority has approved.

    Parameters:
        channel: of one organization, and one peer of each other.
        definition: what is wanted.
        reachable: MSP ids of those others whose peers can be asked.
        progress: told a sentence for each step, and who has approved.

    Returns:
        Whether the definition is in force.

    Raises:
        AdministrationError: DEFINITION_DIFFERS, the channel is further, or not as far, as this organization's
            directory; or a peer refused.
    """
    (member,) = channel.members
    if sum(channel.install(peer, member) for peer in member.peers):
        progress("the chaincode's package is installed")
    _require_next(channel, definition)
    if not channel.has_approved(definition, member):
        channel.approve(definition, member)
        progress(f"{member.msp_id} has approved {_named(definition)}")
    if _is_in_force(channel, definition):
        return True
    approvals = channel.approvals(definition)
    progress(approvals_words(definition, approvals))
    needed = _majority(approvals)
    if sum(approvals.values()) < needed:
        return False
    endorsers = {member.msp_id: member.peers[0], **{key: channel.others[key] for key in reachable}}
    asked = {key: peer for key, peer in endorsers.items() if approvals.get(key)}
    if len(asked) < needed:
        progress(f"{needed} of those who approved have to be reached, {len(asked)} can be")
        return False
    _commit(channel, definition, asked)
    progress(f"{_named(definition)} is in force")
    return True


def approvals_words(definition: Definition, approvals: Mapping[str, bool]) -> str:
    """Who has approved a definition and who has not, in a sentence."""
    given = sorted(msp_id for msp_id, approved in approvals.items() if approved)
    missing = sorted(approvals.keys() - set(given))
    return (
        f"{_named(definition)}: approved by {', '.join(given) or 'nobody'}; not by "
        f"{', '.join(missing) or 'nobody'}; {_majority(approvals)} of {len(approvals)} have to"
    )


def _commit(channel: Deployment, definition: Definition, asked: Mapping[str, PeerClient]) -> None:
    deadline = time.monotonic() + _SEEN_SECONDS
    for msp_id, peer in asked.items():
        # A peer that has not heard of its own organization's approval yet endorses nothing.
        while not channel.approvals(definition, peer).get(msp_id) and time.monotonic() < deadline:
            time.sleep(_AGAIN_SECONDS)
    try:
        channel.commit(definition, list(asked.values()))
    except AdministrationError:
        # Another organization came first.
        if not _is_in_force(channel, definition):
            raise


def _require_next(channel: Deployment, definition: Definition) -> None:
    found = channel.sequence_in_force(definition.name)
    if definition.sequence in (found, found + 1):
        return
    behind, ahead = (
        "do here, in order, what the other organizations have done meanwhile",
        "have the other organizations do, in order, what was done here, then give this again",
    )
    raise AdministrationError(
        "DEFINITION_DIFFERS",
        f"sequence {found} of {definition.name} is in force, this directory has {definition.sequence}: "
        f"{behind if definition.sequence < found else ahead} (network adopt, release, upgrade)",
    )


def _is_in_force(channel: Deployment, definition: Definition) -> bool:
    return channel.sequence_in_force(definition.name) >= definition.sequence


def _majority(approvals: Mapping[str, bool]) -> int:
    return len(approvals) // 2 + 1


def _named(definition: Definition) -> str:
    return f"version {definition.version}, sequence {definition.sequence}, of {definition.name}"
