"""One consortium for the whole session, on either engine, and ledgers that are closed again."""

from collections.abc import Callable, Iterator

import pytest
from support.engines import engine_parameters
from support.running_consortium import RunningConsortium, running_consortium

from consentry.ledger import Ledger

OpenLedger = Callable[..., Ledger]


@pytest.fixture(scope="session", params=engine_parameters())
def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningConsortium]:
    directory = tmp_path_factory.mktemp("consortium") / "network"
    with running_consortium(directory, request.param) as consortium:
        yield consortium


@pytest.fixture
def ledger_of(consortium: RunningConsortium) -> Iterator[OpenLedger]:
    opened: list[Ledger] = []

    def open_ledger(organization: str, role: str, **options: object) -> Ledger:
        opened.append(consortium.ledger(organization, role, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_ledger
    for ledger in opened:
        ledger.close()


@pytest.fixture
def steward(ledger_of: OpenLedger) -> Ledger:
    return ledger_of("northgate", "steward")


@pytest.fixture
def researcher(ledger_of: OpenLedger) -> Ledger:
    return ledger_of("riverside", "researcher")
