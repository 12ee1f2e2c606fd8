"""The index's database: its URL, and its tables from release to release."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select, update

from consentry.index import IndexFault, open_database
from consentry.index.migrations.running import migrations_config, upgrade
from consentry.index.schema import REVISION, metadata, version


def test_the_migrations_make_the_tables_that_the_release_uses() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.scalar(select(version.c.version_num)) == REVISION
    engine.dispose()
    assert ScriptDirectory.from_config(migrations_config()).get_current_head() == REVISION


def test_a_new_index_has_the_same_tables_without_migrations(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'index.sqlite'}")
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.scalar(select(version.c.version_num)) == REVISION
    engine.dispose()


def test_an_older_index_is_migrated_when_it_is_opened(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    older = create_engine(url)
    with older.begin() as connection:
        version.create(connection)
    older.dispose()
    engine = open_database(url)
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_an_index_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(update(version).values(version_num="9999"))
    engine.dispose()
    with pytest.raises(IndexFault, match=r"INDEX_VERSION: .*by a newer release \(tables 9999"):
        open_database(url)


def test_tables_of_no_release_are_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    with pytest.raises(IndexFault, match="INDEX_VERSION"):
        open_database(url)


@pytest.mark.parametrize(
    "url", ["", "index.sqlite", "mysql://localhost/index", "oracle://x", "postgresql+psycopg"]
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(IndexFault, match="INDEX_URL_INVALID"):
        open_database(url)


def test_a_database_that_cannot_be_opened_is_said_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(IndexFault, match="INDEX_UNREACHABLE") as caught:
        open_database(f"sqlite:///{tmp_path}/missing/index.sqlite")
    assert "missing" in str(caught.value)
