"""What the report on one subject says of the story that the ledger tells."""

import pytest
from sqlalchemy import Engine
from support.chain_members import REGULATOR
from support.story import (
    LAKESIDE,
    OTHER_SUBJECT,
    RIVERSIDE,
    SUBJECT,
    Story,
    attempt,
    consent,
    identifier,
    instant,
    permit,
    tell,
    version,
)

from consentry.index import IndexFault, IndexFollower, Trail, open_database
from consentry.reports import Report, Unavailable, html, json, subject_access_report
from consentry.reports.details import Details
from consentry.reports.values import lines
from consentry.verification import memory_source
from consentry_records import keys

MADE_AT = "2026-02-01T00:00:00.000Z"
OTHERS = (LAKESIDE, REGULATOR, RIVERSIDE)


def indexed(story: Story) -> Engine:
    engine = open_database("sqlite://")
    IndexFollower(engine, "consentry", story.chain.anchor).follow(memory_source("peer", story.chain.blocks))
    return engine


def report_of(story: Story, versions: list[str] | None, subject: str = SUBJECT) -> Report:
    engine = indexed(story)
    made = subject_access_report(
        Trail(engine), subject, generated_at=MADE_AT, manifest=lambda _consent, _subject: versions
    )
    engine.dispose()
    return made


@pytest.fixture(scope="module")
def story() -> Story:
    return tell()


@pytest.fixture(scope="module")
def report(story: Story) -> Report:
    return report_of(story, [identifier("version", 1)])


def field(report: Report, key: str) -> object:
    return next(entry.value for entry in report.fields if entry.key == key)


def test_it_states_whose_it_is_and_how_far_it_is_complete(story: Story, report: Report) -> None:
    assert (report.facts, report.generated_at) == (
        (("Custodian", "NorthgateMSP"), ("Subject", SUBJECT)),
        MADE_AT,
    )
    assert report.completeness.last_block == len(story.chain.blocks) - 1
    assert (report.completeness.genesis_hash, report.completeness.anchored) == (story.chain.anchor, True)
    assert report.basis == "Dataset versions are those whose row manifest names the consent."


def test_every_article_15_item_is_answered_or_unavailable_with_a_reason(report: Report) -> None:
    assert [entry.key for entry in report.fields] == [
        "processed",
        "controller",
        "controller_contact",
        "dpo_contact",
        "purposes",
        "legal_bases",
        "categories",
        "recipients",
        "third_countries",
        "retention",
        "rights",
        "complaint",
        "authority",
        "source",
        "automated_decisions",
        "safeguards",
        "copy",
    ]
    assert all(entry.article.startswith("GDPR Art. ") and lines(entry.value) for entry in report.fields)
    assert field(report, "processed") == "Yes: 1 dataset version on the ledger, listed below."
    assert field(report, "purposes") == (
        "treatment (TREAT): allowed by your consent",
        "health, medical or biomedical research (DUO:0000006): allowed by your consent, and used",
    )
    assert field(report, "legal_bases") == ("explicit consent (GDPR-9-2-a)",)
    assert field(report, "recipients") == ("RiversideMSP",)
    assert str(field(report, "third_countries")) == (
        "unavailable: the ledger names no country of RiversideMSP"
    )
    assert isinstance(field(report, "copy"), Unavailable)


def test_the_organization_states_what_the_ledger_lacks(story: Story) -> None:
    engine = indexed(story)
    told = {"retention": "Ten years.", "dpo_contact": "Office 12", "automated_decisions": "There are none."}
    made = subject_access_report(
        Trail(engine), SUBJECT, generated_at=MADE_AT, manifest=lambda *_: [], details=Details(told)
    )
    engine.dispose()
    assert {key: field(made, key) for key in told} == {
        key: (text, Details.MARK) for key, text in told.items()
    }
    assert isinstance(field(made, "source"), Unavailable)


def test_the_consent_is_told_with_its_withdrawal(report: Report) -> None:
    (row,) = report.rows("consents")
    assert row.state == (f"withdrawn {instant(8)}",)
    assert row.restrictions == ("non-commercial use only (DUO:0000046)",)
    assert row.recipients == ("every member",)
    assert row.recorded == (instant(2), "block 2")


def test_every_access_is_told_with_purpose_recipient_outcome_and_use(report: Report) -> None:
    permitted, denied, still_open = report.rows("accesses")
    assert permitted.when == (f"attempted {instant(5, 1)}", f"decided {instant(5, 1)}")
    assert permitted.who == (
        "RiversideMSP",
        "researcher-1",
        "roles: researcher",
        "unavailable: the person's name; ask the organization",
    )
    assert permitted.data == ("biopsies", identifier("version", 1))
    assert permitted.purpose == ("health, medical or biomedical research (DUO:0000006)", "not commercial")
    assert (permitted.outcome, permitted.consent) == ("permitted", "allowed this use")
    assert permitted.permission == (identifier("grant", 1), f"permitted until {instant(14)}")
    assert permitted.sessions == (identifier("session", 1),)
    assert permitted.model_versions == (identifier("modelversion", 1),)
    assert denied.outcome == (
        "denied",
        "the requester's certificate lacks the role researcher (ROLE_MISSING)",
    )
    assert (denied.permission, denied.sessions) == ("none: access was not permitted",) * 2
    assert still_open.outcome == "open: the custodian has not decided"
    assert still_open.when == (f"attempted {instant(5, 3)}", "not decided")


def test_sessions_and_model_versions_are_told(report: Report) -> None:
    (session,) = report.rows("sessions")
    assert session.trainer == ("RiversideMSP", "researcher-1")
    assert session.period == (f"started {instant(6, 1)}", f"completed {instant(6, 2)}")
    assert (session.rounds, session.model_versions) == ("1 recorded", (identifier("modelversion", 1),))
    (made,) = report.rows("model_versions")
    assert (made.model, made.owner) == ("risk", "RiversideMSP")
    assert made.made_from == (f"session {identifier('session', 1)}",)


def test_no_cell_is_blank_and_every_format_takes_it(report: Report) -> None:
    for table in report.tables:
        assert all(lines(cell) for row in table.cells for cell in row)
    assert identifier("modelversion", 1) in html.render(report)
    assert identifier("modelversion", 1) in json.render(report)


def test_a_subject_without_rows_is_told_that_there_are_none(story: Story) -> None:
    made = report_of(story, [], OTHER_SUBJECT)
    assert field(made, "processed") == (
        "No dataset version with data about you is on the ledger; your consents are listed below."
    )
    assert field(made, "recipients") == "none: no access was permitted"
    assert (
        made.rows("datasets"),
        made.rows("accesses"),
        made.rows("sessions"),
        made.rows("model_versions"),
    ) == ((), (), (), ())
    assert len(made.rows("consents")) == 1


def test_without_a_manifest_it_says_possibly(story: Story) -> None:
    made = report_of(story, None)
    assert field(made, "processed") == (
        "Possibly: 1 dataset version on the ledger, listed below, may hold data about you; "
        "only the custodian's own list says which."
    )
    assert made.basis.startswith("The row manifests of NorthgateMSP are not at hand")


def test_an_access_after_the_withdrawal_is_told_as_one_that_the_consent_did_not_allow() -> None:
    made = Story()
    made.put({keys.consent(identifier("consent", 1)): consent(1, state="withdrawn", withdrawn_at=instant(4))})
    made.put({keys.version(identifier("version", 1)): version(1)})
    made.put({keys.attempt(identifier("attempt", 1)): attempt(1)}, by=made.researcher)
    made.put({keys.decision(identifier("attempt", 1)): permit(1)}, by=made.service)
    made.put({keys.attempt(identifier("attempt", 2)): attempt(2, commercial=True)}, by=made.researcher)
    before = permit(2, decided_at=instant(3))
    made.put({keys.decision(identifier("attempt", 2)): before}, by=made.service)
    late, commercial = report_of(made, [identifier("version", 1)]).rows("accesses")
    assert late.consent == "did not allow this use: rows about you had to be left out"
    assert commercial.consent == "did not allow this use: rows about you had to be left out"


def test_a_forged_consent_is_shown_and_not_relied_on() -> None:
    made = Story()
    forged = consent(1, purposes=("DUO:0000042",), custodian=LAKESIDE)
    made.put(
        {keys.consent(identifier("consent", 1)): forged}, endorsers=("NorthgateMSP", REGULATOR, RIVERSIDE)
    )
    made.put({keys.consent(identifier("consent", 2)): consent(2, purposes=("TREAT",))})
    report = report_of(made, [])
    assert report.facts[0] == ("Custodian", "NorthgateMSP")
    assert report.rows("consents")[0].state == (
        "given, not withdrawn",
        "not endorsed by its custodian: not relied on",
    )
    assert field(report, "purposes") == ("treatment (TREAT): allowed by your consent",)
    assert report.remarks == (
        f"Block 2: The consent {identifier('consent', 1)} was written without the endorsement of "
        "LakesideMSP: forged.",
    )


def test_an_unknown_subject_and_an_empty_index_are_refused(story: Story) -> None:
    with pytest.raises(IndexFault, match=r"SUBJECT_NOT_INDEXED: .*check the commitment"):
        report_of(story, [], "hmac-sha256:" + "f" * 64)
    engine = open_database("sqlite://")
    with pytest.raises(IndexFault, match="INDEX_EMPTY"):
        subject_access_report(Trail(engine), SUBJECT, generated_at=MADE_AT)
    engine.dispose()
