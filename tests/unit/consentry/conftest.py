"""The real contracts in memory, and ledgers of people with roles."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.fake_ledger import FakeLedger
from support.ledger_gateway import LedgerGateway, running_gateway

from consentry.cli.context import CommandContext
from consentry.ledger import Ledger

OpenLedger = Callable[..., Ledger]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[LedgerGateway]:
    with running_gateway(tmp_path) as gateway:
        yield gateway


@pytest.fixture
def ledger_of(gateway: LedgerGateway, tmp_path: Path) -> Iterator[OpenLedger]:
    opened: list[Ledger] = []

    def open_ledger(msp_id: str, *roles: str, **options: object) -> Ledger:
        ledger = gateway.ledger(gateway.identity(msp_id, *roles), tmp_path, **options)  # type: ignore[arg-type]
        opened.append(ledger)
        return ledger

    yield open_ledger
    for ledger in opened:
        ledger.close()


@pytest.fixture
def fake_ledger(monkeypatch: pytest.MonkeyPatch) -> FakeLedger:
    """Commands that connect get this one."""
    made = FakeLedger()
    monkeypatch.setattr(CommandContext, "connect", lambda _context: made)
    return made
