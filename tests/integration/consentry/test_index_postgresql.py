"""The trail index in a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pandas.testing import assert_frame_equal
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url
from support.postgresql import postgresql_server
from support.story import NORTHGATE, OTHER_SUBJECT, RESEARCH, SUBJECT, identifier, instant, tell

from consentry.index import (
    AccessFilter,
    IndexFault,
    IndexFollower,
    PageRequest,
    PermittedUse,
    Trail,
    TransactionFilter,
    open_database,
    permitted_subjects,
)
from consentry.index.migrations.running import upgrade
from consentry.index.schema import metadata
from consentry.index.store import BlockWriter
from consentry.verification import memory_source

pytestmark = [pytest.mark.integration, pytest.mark.optional_tool("postgresql")]
STORY = tell()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    from support.postgresql import find_postgresql

    with postgresql_server(find_postgresql()) as url:
        yield url


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the test's own."""
    name = f"trail_{abs(hash(request.node.name))}"
    engine = create_engine(make_url(server).set(drivername="postgresql+pg8000"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def contents(url: str) -> dict[str, list[Any]]:
    engine = open_database(url)
    try:
        with engine.connect() as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(select(table)).all()), key=repr)
                for table in metadata.sorted_tables
            }
    finally:
        engine.dispose()


def follow(url: str, **options: Any) -> None:
    engine = open_database(url)
    try:
        source = memory_source("peer", STORY.chain.blocks)
        IndexFollower(engine, "consentry", STORY.chain.anchor).follow(source, **options)
    finally:
        engine.dispose()


def test_it_holds_what_sqlite_holds(url: str, tmp_path: Any) -> None:
    follow(url)
    small = f"sqlite:///{tmp_path / 'index.sqlite'}"
    follow(small, blocks_a_transaction=1)
    assert contents(url) == contents(small)


def test_broken_off_nothing_is_lost_or_doubled(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    original: Callable[..., None] = BlockWriter.write
    left = [5]

    def break_off(self: BlockWriter, *arguments: Any) -> None:
        original(self, *arguments)
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(BlockWriter, "write", break_off)
        with pytest.raises(KeyboardInterrupt):
            follow(url, blocks_a_transaction=2)
    engine = open_database(url)
    assert Trail(engine).status().last_block == 3
    engine.dispose()
    follow(url)
    first = contents(url)
    follow(url)
    assert contents(url) == first


@pytest.mark.parametrize("factor", [0, 4])
def test_it_tells_who_allows_a_use_as_sqlite_does(
    url: str, factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each subject looked up, or all read."""
    monkeypatch.setattr(permitted_subjects, "_SCAN_FACTOR", factor)
    found = []
    for place in (url, "sqlite://"):
        engine = open_database(place)
        IndexFollower(engine, "consentry").follow(memory_source("peer", STORY.chain.blocks))
        use = PermittedUse(
            custodian="NorthgateMSP",
            purpose=RESEARCH,
            commercial=False,
            recipient="RiversideMSP",
            at=instant(5),
        )
        found.append(Trail(engine).permitted([SUBJECT, OTHER_SUBJECT, "hmac-sha256:" + "0" * 64], use))
        engine.dispose()
    assert found[0] == found[1]
    assert found[0]


def test_the_migrations_make_the_same_tables(url: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+pg8000"))
    with engine.begin() as connection:
        upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_wrong_password_is_said_without_naming_it(url: str) -> None:
    wrong = make_url(url).set(password="not-this-one").render_as_string(hide_password=False)
    with pytest.raises(IndexFault, match="INDEX_UNREACHABLE") as caught:
        open_database(wrong)
    assert "not-this-one" not in str(caught.value)


def test_followers_in_several_threads_prove_each_block_once(url: str) -> None:
    def run(_number: int) -> int:
        engine = open_database(url)
        try:
            source = memory_source("peer", STORY.chain.blocks)
            return IndexFollower(engine, "consentry").follow(source, blocks_a_transaction=3).transactions
        finally:
            engine.dispose()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(run, range(4))) == len(STORY.chain.blocks)


QUESTIONS: dict[str, Callable[[Trail], object]] = {
    "accesses": lambda trail: trail.accesses(),
    "pages": lambda trail: trail.accesses(page=PageRequest(1, trail.accesses(page=PageRequest(1)).next)),
    "dataset by name": lambda trail: trail.accesses(AccessFilter(dataset="biopsies")),
    "dataset by id": lambda trail: trail.accesses(AccessFilter(dataset=identifier("dataset", 1))),
    "no versions": lambda trail: trail.accesses(AccessFilter(versions=())),
    "session": lambda trail: trail.accesses(AccessFilter(session=identifier("session", 1))),
    "model": lambda trail: trail.accesses(AccessFilter(model=identifier("model", 1))),
    "model version": lambda trail: trail.accesses(AccessFilter(model=identifier("modelversion", 1))),
    "grant": lambda trail: trail.accesses(AccessFilter(grant=identifier("grant", 1))),
    "reason": lambda trail: trail.accesses(AccessFilter(reason="NO_GRANT")),
    "times": lambda trail: trail.accesses(AccessFilter(since=instant(1), until=instant(9), outcome="permit")),
    "blocks": lambda trail: trail.accesses(AccessFilter(from_block=4, to_block=12)),
    "open": lambda trail: trail.open_attempts(instant(23)),
    "transactions": lambda trail: trail.transactions(TransactionFilter(from_block=2, since=instant(0))),
    "one transaction": lambda trail: trail.transactions(
        TransactionFilter(transaction_id=trail.transactions().items[3].transaction_id)
    ),
    "invalid": lambda trail: trail.transactions(TransactionFilter(invalid_only=True)),
    "records": lambda trail: trail.records("grant", owner=NORTHGATE),
    "history": lambda trail: trail.history("consent", identifier("consent", 1)),
    "subject": lambda trail: trail.records("consent", subject=SUBJECT),
    "impact": lambda trail: trail.impact(identifier("consent", 1)),
    "lineage": lambda trail: trail.model_lineage(identifier("modelversion", 1)),
    "findings": lambda trail: trail.findings(),
    "status": lambda trail: trail.status(),
}


@pytest.fixture(scope="module")
def both(server: str) -> Iterator[tuple[Trail, Trail]]:
    """The story in PostgreSQL and in SQLite, for questions only."""
    engines = [open_database(place) for place in (server, "sqlite://")]
    for engine in engines:
        IndexFollower(engine, "consentry").follow(memory_source("peer", STORY.chain.blocks))
    yield Trail(engines[0]), Trail(engines[1])
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_answers_as_sqlite_does(both: tuple[Trail, Trail], question: str) -> None:
    postgresql, sqlite = map(QUESTIONS[question], both)
    assert postgresql == sqlite


@pytest.mark.parametrize("kind", ["consent", "attempt", "modelversion"])
def test_it_gives_the_frames_that_sqlite_gives(both: tuple[Trail, Trail], kind: str) -> None:
    postgresql, sqlite = (trail.to_frame(kind) for trail in both)
    assert_frame_equal(postgresql, sqlite)
    assert len(sqlite)
