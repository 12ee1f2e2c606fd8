"""Questions to the index: filters, pages, impact of a withdrawal, lineage."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine
from support import ledger_examples as examples
from support.chain_members import REGULATOR
from support.story import (
    LAKESIDE,
    NORTHGATE,
    RESEARCH,
    RIVERSIDE,
    SUBJECT,
    Story,
    attempt,
    consent,
    grant,
    identifier,
    instant,
    permit,
    settings,
    tell,
    version,
)

from consentry.errors import InputRejected
from consentry.index import (
    AccessFilter,
    Basis,
    IndexFault,
    IndexFollower,
    PageRequest,
    Trail,
    TransactionFilter,
    all_items,
    open_database,
)
from consentry.verification import memory_source
from consentry_records import keys
from consentry_records.grant import Suspension
from consentry_records.instants import shift
from consentry_records.settings import Settings


def indexed(story: Story) -> Engine:
    engine = open_database("sqlite://")
    IndexFollower(engine, "consentry").follow(memory_source("peer", story.chain.blocks))
    return engine


@pytest.fixture(scope="module")
def trail() -> Iterator[Trail]:
    engine = indexed(tell())
    yield Trail(engine)
    engine.dispose()


def numbers(trail: Trail, wanted: AccessFilter) -> list[int]:
    return [int(access.attempt_id[-2:], 16) for access in trail.accesses(wanted).items]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (AccessFilter(), [1, 2, 3]),
        (AccessFilter(outcome="permit"), [1]),
        (AccessFilter(outcome="deny"), [2]),
        (AccessFilter(outcome="open"), [3]),
        (AccessFilter(requester="clerk-1"), [2]),
        (AccessFilter(requester_msp=RIVERSIDE), [1, 2, 3]),
        (AccessFilter(requester_msp=NORTHGATE), []),
        (AccessFilter(custodian=NORTHGATE), [1, 2, 3]),
        (AccessFilter(dataset="biopsies"), [1, 2, 3]),
        (AccessFilter(dataset=identifier("dataset", 1)), [1, 2, 3]),
        (AccessFilter(dataset=identifier("version", 1)), [1, 2, 3]),
        (AccessFilter(dataset="other"), []),
        (AccessFilter(versions=()), []),
        (AccessFilter(versions=(identifier("version", 1),)), [1, 2, 3]),
        (AccessFilter(purpose=RESEARCH), [1, 2, 3]),
        (AccessFilter(purpose="TREAT"), []),
        (AccessFilter(since=instant(5, 2)), [2, 3]),
        (AccessFilter(until=instant(5, 2)), [1]),
        (AccessFilter(since=instant(5, 2), until=instant(5, 3)), [2]),
        (AccessFilter(from_block=7), [2, 3]),
        (AccessFilter(to_block=6), [1]),
        (AccessFilter(session=identifier("session", 1)), [1]),
        (AccessFilter(model=identifier("model", 1)), [1]),
        (AccessFilter(model=identifier("modelversion", 1)), [1]),
        (AccessFilter(model=identifier("model", 2)), []),
        (AccessFilter(grant=identifier("grant", 1)), [1]),
        (AccessFilter(grant=identifier("grant", 2)), []),
        (AccessFilter(reason="ROLE_MISSING"), [2]),
        (AccessFilter(reason="NO_GRANT"), []),
        (AccessFilter(reason="ROLE_MISSING", outcome="permit"), []),
    ],
)
def test_accesses_are_found_by_what_is_asked(trail: Trail, wanted: AccessFilter, expected: list[int]) -> None:
    assert numbers(trail, wanted) == expected


def test_a_reason_that_the_catalogue_lacks_is_refused(trail: Trail) -> None:
    with pytest.raises(InputRejected, match="REASON_UNKNOWN"):
        trail.accesses(AccessFilter(reason="%"))


def test_an_attempt_and_its_decision_are_one_access(trail: Trail) -> None:
    permitted, denied, open_one = trail.accesses().items
    assert (permitted.dataset, permitted.grant_id) == ("biopsies", identifier("grant", 1))
    assert (permitted.decided_at, permitted.permit_not_after) == (instant(5, 1), instant(14))
    assert [(reason.code, reason.words) for reason in denied.reasons] == [
        ("ROLE_MISSING", "the requester's certificate lacks the role researcher")
    ]
    assert (open_one.outcome, open_one.decision_block, open_one.reasons) == ("open", None, ())


def test_pages_follow_one_another_without_gap_or_repeat(trail: Trail) -> None:
    first = trail.accesses(page=PageRequest(2))
    assert (len(first.items), first.next) == (2, "7.0")
    second = trail.accesses(page=PageRequest(2, first.next))
    assert (len(second.items), second.next) == (1, None)
    everything = list(all_items(lambda page: trail.transactions(page=page), size=3))
    assert [row.block for row in everything] == list(range(len(everything)))


@pytest.mark.parametrize(
    ("size", "after"), [(0, None), (1001, None), (1, "x"), (1, "1"), (1, "-1.0"), (1, "")]
)
def test_a_page_that_is_none_is_refused(size: int, after: str | None) -> None:
    with pytest.raises(InputRejected, match="PAGE_INVALID"):
        PageRequest(size, after)


def test_several_attempts_in_one_block_page_by_position() -> None:
    story = Story()
    made = [attempt(number) for number in range(1, 6)]
    story.chain.commit(
        [
            story.envelope({keys.attempt(item.attempt_id): item.to_bytes()}, by=story.researcher)
            for item in made
        ]
    )
    engine = indexed(story)
    found = list(all_items(lambda page: Trail(engine).accesses(page=page), size=2))
    assert [access.attempt_id for access in found] == [item.attempt_id for item in made]
    engine.dispose()


def test_transactions_are_found_by_function_creator_and_id(trail: Trail) -> None:
    found = trail.transactions(TransactionFilter(function="access:attempt")).items
    assert [row.creator for row in found] == ["researcher-1", "clerk-1", "researcher-1"]
    assert len(trail.transactions(TransactionFilter(creator="service-1")).items) == 2
    assert len(trail.transactions(TransactionFilter(creator_msp=RIVERSIDE)).items) == 8
    one = trail.transactions(TransactionFilter(transaction_id=found[0].transaction_id)).items
    assert one == (found[0],)
    assert trail.transactions(TransactionFilter(from_block=3, to_block=4, code_name="VALID")).items
    second = found[1].proposal_time
    between = TransactionFilter(function="access:attempt", since=second, until=found[2].proposal_time)
    assert trail.transactions(between).items == (found[1],)


def test_the_genesis_block_is_a_row_too(trail: Trail) -> None:
    first = trail.transactions(page=PageRequest(1)).items[0]
    assert (first.block, first.code_name, first.creator_msp, first.chaincode) == (0, "VALID", "", "")


def test_a_withdrawal_reaches_everything_that_rests_on_the_consent(trail: Trail) -> None:
    found = trail.impact(identifier("consent", 1), lambda _consent, _subject: [identifier("version", 1)])
    assert found.basis is Basis.ROW_MANIFEST
    assert found.consent.state == "withdrawn"
    assert [row.record_id for row in found.versions] == [identifier("version", 1)]
    assert [row.record_id for row in found.grants] == [identifier("grant", 1)]
    assert [access.outcome for access in found.accesses] == ["permit", "deny", "open"]
    assert [row.record_id for row in found.sessions] == [identifier("session", 1)]
    assert [row.record_id for row in found.rounds] == [f"{identifier('session', 1)}/000001"]
    assert [row.record_id for row in found.model_versions] == [identifier("modelversion", 1)]


def test_without_a_manifest_versions_are_found_by_custodian_and_time_and_that_is_said(trail: Trail) -> None:
    found = trail.impact(identifier("consent", 1), lambda _consent, _subject: None)
    assert found.basis is Basis.CUSTODIAN_AND_TIME
    assert found.note == (
        "The row manifests of NorthgateMSP are not at hand: dataset versions are all that it registered "
        "while the consent held, whether or not they have a row of this subject."
    )
    assert [row.record_id for row in found.versions] == [identifier("version", 1)]


def test_a_consent_without_rows_touches_nothing(trail: Trail) -> None:
    found = trail.impact(identifier("consent", 2), lambda _consent, _subject: [])
    assert (found.versions, found.grants, found.accesses, found.sessions, found.model_versions) == ((),) * 5


def test_versions_before_the_consent_or_after_its_end_are_not_its_own() -> None:
    story = Story()
    early, late = version(1, registered_at=instant(1)), version(2, registered_at=instant(9))
    story.put(
        {keys.consent(identifier("consent", 1)): consent(1, state="withdrawn", withdrawn_at=instant(8))}
    )
    story.put({keys.version(item.version_id): item for item in (early, late)})
    engine = indexed(story)
    assert Trail(engine).impact(identifier("consent", 1)).versions == ()
    engine.dispose()


def test_derived_versions_are_reached_too() -> None:
    story = Story()
    first = version(1)
    made = examples.transformation()
    second = version(2, derived_from=(first.version_id,), transformation=made)
    third = version(3, derived_from=(second.version_id,), transformation=made)
    story.put({keys.consent(identifier("consent", 1)): consent(1)})
    story.put({keys.version(item.version_id): item for item in (first, second, third)})
    engine = indexed(story)
    found = Trail(engine).impact(identifier("consent", 1), lambda _consent, _subject: [first.version_id])
    assert [row.record_id for row in found.versions] == [item.version_id for item in (first, second, third)]
    engine.dispose()


def test_a_model_version_goes_back_to_data_and_grants(trail: Trail) -> None:
    found = trail.model_lineage(identifier("modelversion", 1))
    assert found.model is not None
    assert found.model.body["name"] == "risk"
    assert [row.record_id for row in found.sessions] == [identifier("session", 1)]
    assert [row.record_id for row in found.versions] == [identifier("version", 1)]
    assert [row.record_id for row in found.grants] == [identifier("grant", 1)]
    assert [access.attempt_id for access in found.accesses] == [identifier("attempt", 1)]
    assert (found.ancestors, len(found.rounds)) == ((), 1)


def test_unknown_ids_are_refused_with_what_to_do(trail: Trail) -> None:
    with pytest.raises(IndexFault, match=r"CONSENT_NOT_INDEXED: .*check the id"):
        trail.impact("consent-unknown")
    with pytest.raises(IndexFault, match=r"MODEL_VERSION_NOT_INDEXED: .*check the id"):
        trail.model_lineage("modelversion-unknown")


def test_records_are_found_by_owner_name_and_subject(trail: Trail) -> None:
    assert [row.record_id for row in trail.records("consent", subject=SUBJECT)] == [identifier("consent", 1)]
    assert len(trail.records("consent", owner=NORTHGATE)) == 2
    assert [row.owner for row in trail.records("model", name="risk")] == [RIVERSIDE]
    assert trail.record("model", "model-unknown") is None
    states = [change.state for change in trail.history("consent", identifier("consent", 1))]
    assert states == ["given", "withdrawn"]


def test_a_grant_that_the_regulator_suspended_shows_it_and_a_forged_suspension_does_not() -> None:
    story = Story()
    for number in (1, 2):
        story.put({keys.grant(identifier("grant", number)): grant(number)})
    officer = story.chain.organizations[REGULATOR].user("officer-1", "regulator")
    for number, endorsers in ((1, (REGULATOR, NORTHGATE, RIVERSIDE)), (2, (NORTHGATE, RIVERSIDE, LAKESIDE))):
        suspension = Suspension(
            grant_id=identifier("grant", number),
            regulator=REGULATOR,
            suspended_by="officer-1",
            suspended_at=instant(6),
        )
        story.put({keys.suspension(suspension.grant_id): suspension}, by=officer, endorsers=endorsers)
    engine = indexed(story)
    assert [row.state for row in Trail(engine).records("grant")] == ["suspended", "active"]
    found = Trail(engine).record("grant", identifier("grant", 1))
    assert found is not None
    assert found.state == "suspended"
    assert [finding.code for finding in Trail(engine).findings()] == ["FORGED"]
    engine.dispose()


def settings_of(period_ms: int) -> Settings:
    return replace(settings(), decision_period_ms=period_ms)


def test_attempts_show_as_open_once_the_time_is_up() -> None:
    story = Story()
    story.put({keys.SETTINGS: settings_of(60_000)})
    for number in (1, 2, 3):
        story.put({keys.attempt(identifier("attempt", number)): attempt(number)})
    other = attempt(4, custodian=LAKESIDE, proposal_time=instant(5, 1))
    story.put({keys.attempt(other.attempt_id): other})
    story.put({keys.decision(identifier("attempt", 2)): permit(2)})
    trail = Trail(indexed(story))

    def found(at: str, custodian: str | None = None) -> list[int]:
        return [int(item.attempt_id[-2:], 16) for item in trail.open_attempts(at, custodian).items]

    assert found(shift(instant(5, 1), 60_000)) == []
    assert found(shift(instant(5, 1), 60_001)) == [1, 4]
    assert found(instant(6, 0)) == [1, 3, 4]
    assert found(instant(6, 0), NORTHGATE) == [1, 3]
    page = trail.open_attempts(instant(6, 0), page=PageRequest(2))
    assert trail.open_attempts(instant(6, 0), page=PageRequest(2, page.next)).items[0].outcome == "open"


def test_open_attempts_need_an_instant_and_settings() -> None:
    story = Story()
    story.put({keys.SETTINGS: settings_of(60_000)})
    with pytest.raises(InputRejected):
        Trail(indexed(story)).open_attempts("yesterday")
    story = Story()
    story.put({keys.attempt(identifier("attempt", 1)): attempt(1)})
    with pytest.raises(IndexFault) as caught:
        Trail(indexed(story)).open_attempts(instant(6, 0))
    assert caught.value.code == "LEDGER_NOT_INITIALIZED"
