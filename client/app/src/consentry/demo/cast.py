"""Who acts in the demo, and their connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from consentry.demo.data import HOSPITALS, Hospital
from consentry.ledger import Ledger, connect
from consentry.network import enroll_user
from consentry.wallet import WalletIdentity
from consentry_records.access import AccessDecision
from consentry_records.dataset import DatasetVersion
from consentry_records.grant import Grant

_AT_ONCE = 4
PEOPLE = (
    *((hospital, "steward", ("steward",)) for hospital in HOSPITALS),
    *((hospital, "dpo", ("dpo",)) for hospital in HOSPITALS),
    ("riverside", "researcher", ("researcher",)),
    ("lakeside", "researcher", ("researcher",)),
    ("riverside", "clerk", ()),
    ("regulator", "officer", ("auditor",)),
)


@dataclass
class Cast:
    """Everybody's identity, one open connection each, and what the steps hand on to one another."""

    directory: Path
    hospitals: dict[str, Hospital]
    connections: ExitStack
    identities: dict[str, WalletIdentity] = field(default_factory=dict)
    versions: dict[str, DatasetVersion] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    permits: dict[str, AccessDecision] = field(default_factory=dict)
    model_version_id: str = ""
    _ledgers: dict[str, Ledger] = field(default_factory=dict)

    def enroll(self) -> int:
        """Register and enrol everybody at their organization's CA; return how many there are."""
        # CAs hash secrets slowly, so that nobody guesses them: several at once.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            enrolled = pool.map(lambda person: enroll_user(self.directory, *person), PEOPLE)
            names = [f"{organization}/{label}" for organization, label, _ in PEOPLE]
            self.identities.update(zip(names, enrolled, strict=True))
        return len(PEOPLE)

    def ledger(self, who: str) -> Ledger:
        """The connection of `organization/label`, opened on first use and kept."""
        if who not in self._ledgers:
            opened = connect(self.directory, self.identities[who])
            self._ledgers[who] = self.connections.enter_context(opened)
        return self._ledgers[who]

    def back_dated(self, who: str, by: timedelta) -> Ledger:
        """A connection of somebody who has set his clock back."""
        return connect(self.directory, self.identities[who], clock=lambda: datetime.now(UTC) - by)


def msp_id(organization: str) -> str:
    """The MSP id of one of the demo's organizations."""
    return f"{organization.capitalize()}MSP"
