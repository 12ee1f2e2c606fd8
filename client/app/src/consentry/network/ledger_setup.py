"""What a new ledger needs before anybody can use it: settings, service identities, decision services."""

from __future__ import annotations

import sys
from collections.abc import Callable

from consentry.errors import LedgerRefused
from consentry.ledger import connect
from consentry.network.engines import Network
from consentry.network.presets import HOSPITAL, REGULATOR
from consentry.network.users import enroll_user
from consentry.profile import NetworkProfile
from consentry.wallet import Wallet, WalletIdentity
from consentry_records import OrganizationSetting, Settings

SERVICE = "service"
TIME_TOLERANCE_MS = 2_000


def prepare_ledger(network: Network, progress: Callable[[str], None]) -> None:
    """Write the settings once, enrol each organization's service, start the hospitals' decision services."""
    kinds = {organization.name: organization.kind for organization in network.topology.organizations}
    for name, kind in kinds.items():
        if kind == REGULATOR:
            progress("the regulator writes the ledger's settings")
            _initialize(network, _identity(network, name, "regulator", REGULATOR))
    for name, kind in kinds.items():
        if kind == HOSPITAL:
            progress(f"starting the decision service of {name}")
            _identity(network, name, SERVICE, SERVICE)
            network.start_process(f"decide-{name}", decision_command(network, name), {})


def decision_command(network: Network, organization: str) -> tuple[str, ...]:
    """The command line of an organization's decision service."""
    directory = str(network.directory)
    identity = f"{organization}/{SERVICE}"
    return (sys.executable, "-m", "consentry", "--network", directory, "--as", identity, "decide", "serve")


def _identity(network: Network, organization: str, label: str, role: str) -> WalletIdentity:
    profile = NetworkProfile.load(network.directory)
    wallet = Wallet(profile.wallet_directory(organization))
    if label in wallet.labels():
        return wallet.get(label)
    return enroll_user(network.directory, organization, label, [role])


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
