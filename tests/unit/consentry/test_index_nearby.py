"""What is around a record: bounded, newest first, counted; the same as what lineage follows whole."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine
from support.story import (
    NORTHGATE,
    RIVERSIDE,
    Story,
    attempt,
    grant,
    identifier,
    instant,
    permit,
    tell,
    version,
)

from consentry.errors import InputRejected
from consentry.index import (
    Access,
    AccessFilter,
    Basis,
    IndexFault,
    IndexFollower,
    Page,
    PageRequest,
    Trail,
    all_items,
    open_database,
)
from consentry.index.accesses import count_by_recipient, every_access, find_accesses
from consentry.index.nearby import (
    counted_by_target,
    named,
    newest,
    newest_of_each,
    pointing_to,
)
from consentry.index.nearby_impact import impact_of_consent
from consentry.index.nearby_lineage import lineage_of_model_version, lineage_of_versions
from consentry.verification import memory_source
from consentry_records import keys
from consentry_records.dataset import Dataset
from consentry_records.grant import Grant

VERSION, GRANT = identifier("version", 1), identifier("grant", 1)
SESSION, MODEL_VERSION = identifier("session", 1), identifier("modelversion", 1)


def long_story() -> Story:
    """The story, with five more datasets, six more grants on the first, and a version derived from it."""
    story = tell()
    for number in range(2, 7):
        name = f"dataset-{9 - number}"
        data = Dataset(dataset_id=identifier("dataset", number), name=name, custodian=NORTHGATE)
        story.put({keys.dataset(data.dataset_id): data})
    for number in range(2, 8):
        story.put({keys.grant(identifier("grant", number)): grant(number)})
    derived = version(2, supersedes=VERSION, registered_at=instant(9))
    story.put({keys.version(derived.version_id): derived})
    story.put({keys.grant(identifier("grant", 9)): grant(9, versions=(derived.version_id,))})
    for number in range(4, 9):
        made = attempt(number, version_id=(VERSION, derived.version_id)[number % 2])
        story.put({keys.attempt(made.attempt_id): made}, by=story.researcher)
    decided = permit(4)
    story.put({keys.decision(decided.attempt_id): decided}, by=story.service)
    return story


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    opened = open_database("sqlite://")
    IndexFollower(opened, "consentry").follow(memory_source("peer", long_story().chain.blocks))
    yield opened
    opened.dispose()


def test_pages_of_records_hold_each_once_newest_first(engine: Engine) -> None:
    with Trail(engine).snapshot() as connection:
        ids = pointing_to("version", [VERSION], "grant")
        whole = newest(connection, "grant", ids, 100)
        found, after = [], None
        while True:
            page = newest(connection, "grant", ids, 3, after)
            assert (len(page.rows) <= 3, page.count) == (True, 7)
            found += [row.record_id for row in page.rows]
            after = page.next
            if after is None:
                break
    assert found == [row.record_id for row in whole.rows]
    assert found == [identifier("grant", number) for number in (7, 6, 5, 4, 3, 2, 1)]
    assert (whole.left_out, whole.next) == (0, None)


def test_pages_of_names_hold_each_once_in_order(engine: Engine) -> None:
    with Trail(engine).snapshot() as connection:
        names, after = [], None
        while True:
            page = named(connection, "dataset", 2, after)
            names += [row.body["name"] for row in page.rows]
            after = page.next
            if after is None:
                break
    assert names == ["biopsies", *(f"dataset-{number}" for number in range(3, 8))]


@pytest.mark.parametrize("after", ["", "grant-x", "' OR 1=1 --", "x" * 10_000, identifier("grant", 99)])
def test_a_page_after_what_is_not_there_is_refused(engine: Engine, after: str) -> None:
    with Trail(engine).snapshot() as connection:
        with pytest.raises(InputRejected, match="PAGE_INVALID"):
            newest(connection, "grant", pointing_to("version", [VERSION], "grant"), 3, after)
        with pytest.raises(InputRejected, match="PAGE_INVALID"):
            named(connection, "dataset", 3, after)


def test_records_around_others_are_counted(engine: Engine) -> None:
    with Trail(engine).snapshot() as connection:
        versions = [VERSION, identifier("version", 2)]
        assert counted_by_target(connection, "version", versions, "grant") == {
            VERSION: 7,
            identifier("version", 2): 1,
        }


@pytest.mark.parametrize("newest_first", [True, False])
def test_accesses_to_several_versions_are_in_order_over_pages(engine: Engine, newest_first: bool) -> None:
    wanted = AccessFilter(versions=(VERSION, identifier("version", 2), identifier("version", 3)))
    with Trail(engine).snapshot() as connection:

        def ask(page: PageRequest) -> Page[Access]:
            return find_accesses(connection, wanted, replace(page, newest_first=newest_first))

        found = list(all_items(ask, size=2))
        every = every_access(connection, wanted)
        counts = count_by_recipient(connection, wanted.versions or ())
    assert found == list(reversed(every) if newest_first else every)
    assert [int(access.attempt_id[-2:], 16) for access in every] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert counts == {(RIVERSIDE, "permit"): 2, (RIVERSIDE, "deny"): 1, (RIVERSIDE, "open"): 5}


def test_lineage_of_a_dataset_is_what_rests_on_it(engine: Engine) -> None:
    with Trail(engine).snapshot() as connection:
        found = lineage_of_versions(connection, [VERSION], 3)
    assert [row.record_id for row in found.versions.rows] == [identifier("version", 2), VERSION]
    assert (len(found.grants.rows), found.grants.count, found.grants.left_out) == (3, 8, 5)
    assert [row.record_id for row in found.sessions.rows] == [SESSION]
    assert [row.record_id for row in found.model_versions.rows] == [MODEL_VERSION]
    assert (("version", VERSION), ("version", identifier("version", 2))) in found.edges
    # The grant of its permit is left out, so the session hangs on the version itself.
    assert (("version", VERSION), ("session", SESSION)) in found.edges
    assert (("session", SESSION), ("modelversion", MODEL_VERSION)) in found.edges


def test_a_session_rests_on_the_grant_of_its_permit(engine: Engine) -> None:
    with Trail(engine).snapshot() as connection:
        found = lineage_of_model_version(connection, MODEL_VERSION, 20)
    assert set(found.edges) == {
        (("version", VERSION), ("grant", GRANT)),
        (("grant", GRANT), ("session", SESSION)),
        (("session", SESSION), ("modelversion", MODEL_VERSION)),
    }


def test_lineage_agrees_with_what_reports_follow_whole(engine: Engine) -> None:
    trail = Trail(engine)
    whole, impact = trail.model_lineage(MODEL_VERSION), trail.impact(identifier("consent", 1))
    with trail.snapshot() as connection:
        model = lineage_of_model_version(connection, MODEL_VERSION, 50)
        reached = impact_of_consent(connection, identifier("consent", 1), None, 50)
    assert {row.record_id for row in model.versions.rows} == {row.record_id for row in whole.versions}
    assert {row.record_id for row in model.grants.rows} == {row.record_id for row in whole.grants}
    assert {row.record_id for row in model.sessions.rows} == {row.record_id for row in whole.sessions}
    for name in ("versions", "grants", "sessions", "model_versions"):
        nearby = {row.record_id for row in getattr(reached.lineage, name).rows}
        assert nearby == {row.record_id for row in getattr(impact, name)}, name
    assert reached.basis is impact.basis is Basis.CUSTODIAN_AND_TIME
    assert sum(reached.attempts.values()) == len(impact.accesses)
    assert not reached.is_cut


def test_a_grant_narrowed_away_from_what_was_used_under_it_is_reached() -> None:
    story = tell()
    other, whole = identifier("version", 2), Trail(open_index(story)).record("grant", GRANT)
    assert whole is not None
    narrowed = replace(Grant.from_dict(whole.body), versions=(other,), revision=2)
    story.put({keys.grant(GRANT): narrowed}, by=story.steward)
    opened = open_index(story)
    with Trail(opened).snapshot() as connection:
        reached = impact_of_consent(connection, identifier("consent", 1), lambda *_: [VERSION], 9)
    assert GRANT in {row.record_id for row in reached.lineage.grants.rows}
    impact = Trail(opened).impact(identifier("consent", 1), lambda *_: [VERSION])
    assert GRANT in {row.record_id for row in impact.grants}
    opened.dispose()


def test_impact_with_row_manifests_reaches_what_they_name(engine: Engine) -> None:
    with Trail(engine).snapshot() as connection:
        none = impact_of_consent(connection, identifier("consent", 1), lambda *_: [], 5)
        one = impact_of_consent(
            connection, identifier("consent", 1), lambda *_: [identifier("version", 2)], 5
        )
    assert (none.versions, none.attempts, none.lineage.grants.count) == ((), {}, 0)
    assert one.basis is Basis.ROW_MANIFEST
    assert one.versions == (identifier("version", 2),)
    assert [row.record_id for row in one.lineage.grants.rows] == [identifier("grant", 9)]


def test_what_is_not_indexed_is_said(engine: Engine) -> None:
    with Trail(engine).snapshot() as connection:
        with pytest.raises(IndexFault, match="CONSENT_NOT_INDEXED"):
            impact_of_consent(connection, identifier("consent", 99), None, 5)
        with pytest.raises(IndexFault, match="MODEL_VERSION_NOT_INDEXED"):
            lineage_of_model_version(connection, "<script>", 5)


def test_models_made_from_models_are_reached() -> None:
    story = tell()
    session = identifier("session", 1)
    made = Trail(open_index(story)).record("modelversion", MODEL_VERSION)
    assert made is not None
    from consentry_records.model import ModelVersion

    first = ModelVersion.from_dict(made.body)
    for number in (2, 3):
        child = replace(
            first,
            model_version_id=identifier("modelversion", number),
            parent=identifier("modelversion", number - 1),
            sessions=(identifier("session", 90 + number),),
        )
        story.put({keys.model_version(child.model_version_id): child}, by=story.researcher)
    opened = open_index(story)
    with Trail(opened).snapshot() as connection:
        found = lineage_of_versions(connection, [VERSION], 9)
        child_lineage = lineage_of_model_version(connection, identifier("modelversion", 3), 9)
    assert {row.record_id for row in found.model_versions.rows} == {
        identifier("modelversion", number) for number in (1, 2, 3)
    }
    assert [row.record_id for row in child_lineage.sessions.rows] == [session]
    opened.dispose()


def test_an_empty_ledger_has_nothing_around(tmp_path: object) -> None:
    opened = open_database("sqlite://")
    with Trail(opened).snapshot() as connection:
        assert named(connection, "dataset", 5).rows == ()
        assert newest(connection, "grant", [VERSION], 5).rows == ()
        found = lineage_of_versions(connection, [], 5)
        assert find_accesses(connection, AccessFilter(versions=()), PageRequest(5)).items == ()
    assert (found.versions.count, found.edges) == (0, ())
    opened.dispose()


def open_index(story: Story) -> Engine:
    opened = open_database("sqlite://")
    IndexFollower(opened, "consentry").follow(memory_source("peer", story.chain.blocks))
    return opened


def test_the_newest_of_each_is_the_first_of_its_own_page(engine: Engine) -> None:
    versions = [VERSION, identifier("version", 2), identifier("version", 3)]
    with Trail(engine).snapshot() as connection:
        found = newest_of_each(connection, "version", versions, "grant")
        for version_id in versions:
            first = newest(connection, "grant", pointing_to("version", [version_id], "grant"), 1).rows
            assert [found[version_id]] == list(first) if first else version_id not in found
        assert newest_of_each(connection, "version", [], "grant") == {}
