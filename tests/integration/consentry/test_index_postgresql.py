"""The trail index in a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url
from support.postgresql import postgresql_server
from support.story import OTHER_SUBJECT, RESEARCH, SUBJECT, instant, tell

from consentry.index import IndexFault, IndexFollower, PermittedUse, Trail, open_database, permitted_subjects
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
