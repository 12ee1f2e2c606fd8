"""Consents over time: counted with each block, and the same after a migration."""

from pathlib import Path

from alembic.command import upgrade
from sqlalchemy import Engine, create_engine, insert, select
from support.story import LAKESIDE, NORTHGATE, RIVERSIDE, Story, consent, instant, tell

from consentry.index import IndexFollower, Trail, open_database
from consentry.index.consent_history import ConsentDays, consent_history
from consentry.index.migrations.running import migrations_config
from consentry.index.schema import REVISION, blocks, version
from consentry.verification import memory_source
from consentry_records import keys


def indexed(story: Story, url: str = "sqlite://") -> Engine:
    engine = open_database(url)
    IndexFollower(engine, "consentry").follow(memory_source("peer", story.chain.blocks))
    return engine


def history(engine: Engine, custodian: str = NORTHGATE) -> list[ConsentDays]:
    with Trail(engine).snapshot() as connection:
        return consent_history(connection, custodian)


def test_consents_given_and_withdrawn_are_counted_by_day() -> None:
    engine = indexed(tell())
    (day,) = history(engine)
    assert (day.began, day.ended) == (2, 1)
    assert history(engine, RIVERSIDE) == []
    engine.dispose()


def test_a_block_later_on_the_same_day_adds_to_it() -> None:
    story = tell()
    third = consent(3)
    story.put({keys.consent(third.consent_id): third})
    story.put({keys.consent(third.consent_id): consent(3, withdrawn_at=instant(9))})
    engine = indexed(story)
    (day,) = history(engine)
    assert (day.began, day.ended) == (3, 2)
    engine.dispose()


def test_a_consent_that_its_custodian_did_not_endorse_is_not_counted() -> None:
    story = Story()
    forged = consent(1)
    story.put({keys.consent(forged.consent_id): forged}, endorsers=(RIVERSIDE, LAKESIDE))
    story.put({keys.consent(forged.consent_id): consent(1, withdrawn_at=instant(8))})
    engine = indexed(story)
    assert history(engine) == []
    engine.dispose()


def test_an_index_of_an_earlier_release_is_emptied_and_filled_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'index.sqlite'}"
    earlier = create_engine(url)
    with earlier.begin() as connection:
        upgrade(migrations_config(connection), "0004")
        connection.execute(insert(blocks), [{"number": 0, "header_hash": b"x"}])
    earlier.dispose()
    engine = open_database(url)
    with engine.connect() as connection:
        assert connection.execute(select(blocks)).all() == []
        assert connection.scalar(select(version.c.version_num)) == REVISION
    engine.dispose()
    again, new = indexed(tell(), url), indexed(tell())
    assert history(again) == history(new)
    again.dispose()
    new.dispose()
