"""Opening the index's database, SQLite or PostgreSQL, and bringing its tables up to date."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from consentry.index.checkpoint import IndexFault
from consentry.index.schema import REVISION, checkpoint, metadata, version

_DRIVER = "postgresql+pg8000"
_WRITES = "consentry_writes"
_SAMPLED_ROWS = 1_000
_MIGRATING = 0x636F6E73
"""Number of the PostgreSQL lock that stands for making tables."""


def open_database(url: str) -> Engine:
    """Connect to the index's database and migrate its tables to what this release needs.

    Args:
        url: SQLAlchemy URL, e.g. ``sqlite:////var/lib/consentry/index.sqlite`` or
            ``postgresql://reader@db.example.org/trail`` (needs ``pip install consentry[postgresql]``; the
            password may come from the environment variable ``PGPASSWORD``); ``sqlite://`` is in memory.

    Returns:
        The engine; whoever asked for it disposes of it.

    Raises:
        IndexFault: INDEX_URL_INVALID, INDEX_UNREACHABLE; INDEX_VERSION if a newer release made the index.
    """
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            is_current = _found_revision(connection) == REVISION
        if not is_current:
            with _alone(engine) as connection:
                _migrate(connection)
    except DBAPIError as error:
        engine.dispose()
        raise IndexFault(
            "INDEX_UNREACHABLE",
            f"The index at {engine.url.render_as_string()} cannot be opened ({type(error.orig).__name__}); "
            "check that the database runs and that its user may create tables.",
        ) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: of several, in any number of programs, one after the other; readers go on.

    Args:
        engine: from ``open_database``.

    Yields:
        A connection that sees what the one before committed; its changes are committed at the end.
    """
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            # Before anything is read: what a transaction sees is settled with its first query.
            connection.exec_driver_sql(f"LOCK TABLE {checkpoint.name} IN SHARE ROW EXCLUSIVE MODE")
        yield connection


def refresh_statistics(engine: Engine) -> None:
    """Let the database see how many rows an index gives for a value, from a sample; milliseconds.

    Without that SQLite takes all columns to be alike, and reads every consent for those of one subject.
    PostgreSQL does so by itself.
    """
    if engine.dialect.name == "sqlite":
        with writing(engine) as connection:
            connection.exec_driver_sql(f"PRAGMA analysis_limit={_SAMPLED_ROWS}")
            connection.exec_driver_sql("ANALYZE")


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that makes or changes tables, while no other program does."""
    if engine.dialect.name == "sqlite":
        with writing(engine) as connection:
            yield connection
        return
    # What another one made while this one waited has to be seen.
    options = {"isolation_level": "READ COMMITTED"}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")
        yield connection


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            return _postgresql(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(url, parsed.database)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise _invalid_url() from error
    raise _invalid_url()


def _invalid_url() -> IndexFault:
    return IndexFault(
        "INDEX_URL_INVALID",
        "An index is sqlite:///FILE or postgresql://USER@HOST/DATABASE "
        "(with `pip install consentry[postgresql]`); got something else.",
    )


def _postgresql(url: str) -> Engine:
    parsed = make_url(url).set(drivername=_DRIVER)
    if parsed.password is None and "PGPASSWORD" in os.environ:
        parsed = parsed.set(password=os.environ["PGPASSWORD"])
    # One snapshot for all questions of a transaction; a follower that lost a race is refused, not merged.
    return create_engine(parsed, isolation_level="REPEATABLE READ", pool_pre_ping=True)


def _sqlite(url: str, database: str | None) -> Engine:
    if database in (None, "", ":memory:"):
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        # What is indexed is pseudonymised and still about people: for its owner's eyes only.
        with suppress(OSError):
            Path(str(database)).touch(mode=0o600)
        # A connection is an open file; whoever serves many readers at once must not wait for one.
        engine = create_engine(url, max_overflow=-1)
    _use_real_transactions(engine)
    return engine


def _use_real_transactions(engine: Engine) -> None:
    """Let SQLAlchemy begin transactions itself: the driver begins too late and so reads outside of them."""

    @event.listens_for(engine, "connect")
    def configure(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA busy_timeout=60000")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and then finds that another one wrote could only start again.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _found_revision(connection: Connection) -> str | None:
    """The migration that the tables are at; None where there are none."""
    tables = set(inspect(connection).get_table_names())
    if version.name not in tables:
        if tables & set(metadata.tables):
            raise _other_release("before the first release")
        return None
    # Without a row the tables are at the very beginning.
    return str(connection.scalar(select(version.c.version_num)) or "")


def _migrate(connection: Connection) -> None:
    found = _found_revision(connection)
    if found is None:
        metadata.create_all(connection)
        version.create(connection)
        connection.execute(insert(version), {"version_num": REVISION})
        return
    if found > REVISION:
        raise _other_release(f"by a newer release (tables {found}, expected {REVISION})")
    if found < REVISION:
        from consentry.index.migrations.running import upgrade

        upgrade(connection)


def _other_release(when: str) -> IndexFault:
    return IndexFault(
        "INDEX_VERSION",
        f"The index was made {when}; use that one, or name another index and fill it again from block 0.",
    )
