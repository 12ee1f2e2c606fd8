"""Who is in the consortium, changed by votes of its members: of those whose keys a directory holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from consentry.ledger import connect
from consentry.network.engines import Network, operated
from consentry.network.presets import REGULATOR
from consentry.network.users import wallet_identity
from consentry_records import OrganizationSetting, Settings
from consentry_records.roles import DPO
from fabric_protocol.topology import Organization


def vote_in(network: Network, added: Organization, progress: Callable[[str], None]) -> None:
    """Have the organizations here vote a new one into the ledger's settings, until a majority has.

    Raises:
        LedgerRefused: LEDGER_NOT_INITIALIZED, or what the contract says.
    """
    entry = OrganizationSetting(msp_id=added.msp_id, kind=added.kind, country=added.country)

    def grown(current: Settings) -> Settings:
        if added.msp_id in current.msp_ids:
            return current
        return replace(current, organizations=(*current.organizations, entry))

    if _change(network, [item for item in operated(network) if item != added], grown):
        progress(f"a majority of organizations voted {added.name} into the ledger's settings")
    else:
        progress(f"voted for {added.name} in the ledger's settings; a majority has to")


def vote_out(network: Network, removed: Organization, progress: Callable[[str], None]) -> None:
    """Have the organizations here vote one that leaves out of the settings; raises as `vote_in`."""

    def shrunk(current: Settings) -> Settings:
        staying = tuple(item for item in current.organizations if item.msp_id != removed.msp_id)
        return replace(current, organizations=staying)

    # Those that stay vote first; in a consortium of two they are no majority.
    voters = sorted(operated(network), key=lambda item: item == removed)
    if _change(network, voters, shrunk):
        progress(f"a majority of organizations voted {removed.name} out of the ledger's settings")
    else:
        progress(f"voted against {removed.name} in the ledger's settings; a majority has to")


def _change(network: Network, voters: Iterable[Organization], change: Callable[[Settings], Settings]) -> bool:
    """Cast votes one after another; whether what they are for is in force."""
    for voter in voters:
        role = REGULATOR if voter.kind == REGULATOR else DPO
        with connect(network.directory, wallet_identity(network.directory, voter.name, role, role)) as ledger:
            current = ledger.settings()
            wanted = change(current)
            if wanted == current:
                return True
            if not any(
                cast.settings == wanted.succeeding() and cast.voter_msp == voter.msp_id
                for cast in ledger.votes()
            ):
                ledger.vote(wanted)
            if change(after := ledger.settings()) == after:
                return True
    return False
