"""What a new ledger needs before anybody can use it: settings, service identities, decision services."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from consentry.errors import LedgerRefused
from consentry.ledger import connect
from consentry.network.engines import Network, operated
from consentry.network.presets import HOSPITAL, REGULATOR
from consentry.network.users import wallet_identity
from consentry.wallet import WalletIdentity
from consentry_records import OrganizationSetting, Settings

SERVICE = "service"
TIME_TOLERANCE_MS = 2_000


def prepare_ledger(network: Network, progress: Callable[[str], None], *, decides: bool = True) -> None:
    """Write the settings once, enrol each organization's service, start the hospitals' decision services.

    A bundle does so for its own organization alone; without `decides` somebody else starts the services.
    """
    kinds = {organization.name: organization.kind for organization in operated(network)}
    for name, kind in kinds.items():
        if kind == REGULATOR:
            progress("the regulator writes the ledger's settings")
            _initialize(network, wallet_identity(network.directory, name, "regulator", REGULATOR))
    for name, kind in kinds.items():
        if kind == HOSPITAL:
            wallet_identity(network.directory, name, SERVICE, SERVICE)
            if decides:
                progress(f"starting the decision service of {name}")
                command = decision_command(network.directory, name)
                network.start_process(decision_process(name), command, {})


def decision_process(organization: str) -> str:
    """Name of the process that is an organization's decision service."""
    return f"decide-{organization}"


def decision_command(directory: Path, organization: str, python: str = sys.executable) -> tuple[str, ...]:
    """The command line of an organization's decision service, for the network in a directory."""
    identity = f"{organization}/{SERVICE}"
    return (python, "-m", "consentry", "--network", str(directory), "--as", identity, "decide", "serve")


def _initialize(network: Network, regulator: WalletIdentity) -> None:
    settings = Settings(
        organizations=tuple(
            OrganizationSetting(
                msp_id=organization.msp_id, kind=organization.kind, country=organization.country
            )
            for organization in network.topology.organizations
        ),
        time_tolerance_ms=TIME_TOLERANCE_MS,
    )
    with connect(network.directory, regulator) as ledger:
        try:
            ledger.settings()
        except LedgerRefused as refusal:
            if refusal.code != "LEDGER_NOT_INITIALIZED":
                raise
            ledger.initialize(settings)
