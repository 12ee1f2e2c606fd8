from collections.abc import Iterator

import pytest
from benchmarks.trail_events import Filling, fill
from sqlalchemy import Engine
from support.web_bench import WebBench

from consentry.index import open_database

EVENTS = 600


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Filling]]:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('web') / 'index.sqlite'}")
    yield engine, fill(engine, EVENTS)
    engine.dispose()


@pytest.fixture
def bench(filled: tuple[Engine, Filling]) -> WebBench:
    return WebBench(filled[0])


@pytest.fixture
def filling(filled: tuple[Engine, Filling]) -> Filling:
    return filled[1]
