"""What a new ledger needs before anybody can use it: settings, service identities, decision services."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from consentry.errors import LedgerRefused
from consentry.ledger import connect
from consentry.network.engines import Network, operated
from consentry.network.presets import HOSPITAL, REGULATOR
from consentry.network.users import wallet_identity
from consentry_records import OrganizationSetting, Settings
from fabric_protocol.topology import Organization

SERVICE = "service"
TIME_TOLERANCE_MS = 2_000


def prepare_ledger(network: Network, progress: Callable[[str], None], *, decides: bool = True) -> None:
    """Write the settings once, enrol each organization's service, start the hospitals' decision services.

    A bundle does so for its own organization alone; without `decides` somebody else starts the services.
    """
    members = operated(network)
    hospitals = [organization.name for organization in members if organization.kind == HOSPITAL]
    with ThreadPoolExecutor(len(members)) as pool:
        # Meanwhile, for each enrolment keeps another CA busy.
        enrolled = [
            pool.submit(wallet_identity, network.directory, name, SERVICE, SERVICE) for name in hospitals
        ]
        for organization in members:
            if organization.kind == REGULATOR:
                _initialize(network, organization.name, progress)
        for future in enrolled:
            future.result()
    for name in hospitals if decides else ():
        progress(f"starting the decision service of {name}")
        network.start_process(decision_process(name), decision_command(network.directory, name), {})


def own_services(directory: Path, organization: Organization) -> dict[str, tuple[str, ...]]:
    """Name and command of what an organization's machine keeps running beside its nodes."""
    if organization.kind != HOSPITAL:
        return {}
    return {decision_process(organization.name): decision_command(directory, organization.name, "python")}


def decision_process(organization: str) -> str:
    """Name of the process that is an organization's decision service."""
    return f"decide-{organization}"


def decision_command(directory: Path, organization: str, python: str = sys.executable) -> tuple[str, ...]:
    """The command line of an organization's decision service, for the network in a directory."""
    identity = f"{organization}/{SERVICE}"
    return (python, "-m", "consentry", "--network", str(directory), "--as", identity, "decide", "serve")


def _initialize(network: Network, regulator: str, progress: Callable[[str], None]) -> None:
    progress("the regulator writes the ledger's settings")
    identity = wallet_identity(network.directory, regulator, "regulator", REGULATOR)
    settings = Settings(
        organizations=tuple(
            OrganizationSetting(
                msp_id=organization.msp_id, kind=organization.kind, country=organization.country
            )
            for organization in network.topology.organizations
        ),
        time_tolerance_ms=TIME_TOLERANCE_MS,
    )
    with connect(network.directory, identity) as ledger:
        try:
            ledger.settings()
        except LedgerRefused as refusal:
            if refusal.code != "LEDGER_NOT_INITIALIZED":
                raise
            ledger.initialize(settings)
            progress("the ledger's first transaction is committed")
