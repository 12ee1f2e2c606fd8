"""A consortium on either engine with its people: three hospitals, a regulator, decision services."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from consentry.ledger import Ledger, connect
from consentry.network import EMBEDDED, bring_up, enroll_user, take_down
from consentry.network.engines import Network, load_network
from consentry.profile import NetworkProfile
from consentry.wallet import Wallet, WalletIdentity


class RunningConsortium:
    """A network directory with processes behind it, and ledgers of people with roles."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.profile = NetworkProfile.load(directory)

    def identity(self, organization: str, role: str) -> WalletIdentity:
        """The organization's person with this role, enrolled on first use; the label is the role."""
        wallet = Wallet(self.profile.wallet_directory(organization))
        if role in wallet.labels():
            return wallet.get(role)
        return enroll_user(self.directory, organization, role, [role])

    def ledger(
        self, organization: str, role: str, *, clock: Callable[[], datetime] | None = None, **options: Any
    ) -> Ledger:
        """A connected ledger of that person."""
        return connect(self.directory, self.identity(organization, role), clock=clock, **options)

    @property
    def engine(self) -> str:
        """Which engine runs it."""
        return self.profile.engine

    @property
    def engine_processes(self) -> list[str]:
        """The processes without which no hospital is served: the engine, or the hospitals' peers."""
        return (
            ["engine"] if self.engine == EMBEDDED else ["peer-northgate", "peer-lakeside", "peer-riverside"]
        )

    def kill(self, process: str) -> int:
        """Kill one of the network's processes without warning; the pid that it had."""
        pid = int(json.loads((self.directory / "run" / f"{process}.json").read_bytes())["pid"])
        os.kill(pid, signal.SIGKILL)
        return pid

    def restore(self) -> None:
        """Start whatever does not run."""
        bring_up(self.directory)

    @property
    def network(self) -> Network:
        """The engine's own view."""
        return load_network(self.directory)


@contextmanager
def running_consortium(directory: Path, engine: str = EMBEDDED) -> Iterator[RunningConsortium]:
    """A new consortium that is up; it is ended afterwards, its files stay."""
    bring_up(directory, "consortium", engine=engine)
    try:
        yield RunningConsortium(directory)
    finally:
        take_down(directory)
