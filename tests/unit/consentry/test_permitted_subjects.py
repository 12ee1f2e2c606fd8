"""Which subjects allow a use, asked of the index: the contracts' own answer, from rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pandas as pd
import pytest
from sqlalchemy import Engine
from support.consent_frames import CARE, NON_COMMERCIAL, RESEARCH, consent_frame
from support.memory_trail import MemoryTrail
from support.story import LAKESIDE, NORTHGATE, RIVERSIDE, Story, consent, instant, settings

from consentry import subjects
from consentry.errors import InputRejected
from consentry.index import IndexFollower, PermittedUse, Trail, open_database, permitted_subjects
from consentry.index.consent_rows import NOBODY, limits_row
from consentry.verification import memory_source
from consentry_records import keys
from consentry_records.subject import ProcessingLimit, SubjectConsents

PEOPLE = [
    "research",
    "care",
    "no-profit",
    "withdrawn",
    "narrowed",
    "opted-out",
    "objecting",
    "riverside-only",
]
FRAME = pd.DataFrame({"pseudonym": [*PEOPLE, "stranger", "research", None], "value": range(len(PEOPLE) + 3)})


@pytest.fixture
def steward(ledger_of):
    return ledger_of(NORTHGATE, "steward,dpo")


@pytest.fixture
def trail(gateway, tmp_path) -> Iterator[MemoryTrail]:
    engine = open_database(f"sqlite:///{tmp_path / 'memory.sqlite'}")
    yield MemoryTrail(engine, gateway)
    engine.dispose()


@pytest.fixture
def told(steward):
    """Subjects of every kind that the rules tell apart."""
    consents = steward.consents
    consents.import_frame(consent_frame([name for name in PEOPLE if name not in {"care", "no-profit"}]))
    consents.import_frame(consent_frame(["care"], purposes=[CARE]))
    consents.import_frame(consent_frame(["no-profit"], restrictions=[NON_COMMERCIAL]))
    latest = steward.subjects.latest_consents(PEOPLE)
    consents.withdraw(pseudonym="withdrawn")
    consents.narrow([latest["narrowed"]], purposes=(CARE,))
    consents.narrow([latest["riverside-only"]], recipients=(RIVERSIDE,))
    consents.opt_out(["opted-out"])
    request = steward.rights.receive("objecting", "objection", purposes=[RESEARCH])
    steward.rights.advance(request.rights_request_id, "accepted")
    return consents


@pytest.mark.parametrize(("days", "factor"), [(0, 4), (0, 0), (366, 4)])
def test_the_index_answers_as_the_contracts_do(gateway, told, trail, days, factor, monkeypatch):
    # Whether subjects are looked up one by one or all are read makes no difference.
    for module in (subjects, permitted_subjects):
        monkeypatch.setattr(module, "_SCAN_FACTOR", factor)
    gateway.memory.advance(timedelta(days=days))
    kept = {}
    for use in product(
        (RESEARCH, CARE, "DUO:0000007"), (False, True), (None, RIVERSIDE, LAKESIDE, "OtherMSP")
    ):
        wanted = dict(zip(("purpose", "commercial", "recipient"), use, strict=True))
        asked = told.filter(FRAME, **wanted)
        assert list(told.filter(FRAME, trail=trail, **wanted).index) == list(asked.index), use
        kept[use] = len(asked)
    assert len(set(kept.values())) > (2 if days == 0 else 0)


def test_the_ledger_is_not_asked(gateway, told, trail):
    gateway.calls.clear()
    assert len(told.filter(FRAME, purpose=RESEARCH, trail=trail)) > 0
    assert gateway.calls == []


def test_a_withdrawal_counts_from_the_next_question_on(told, trail, steward):
    before = told.filter(FRAME, purpose=RESEARCH, trail=trail)
    told.withdraw(pseudonym="research")
    after = told.filter(FRAME, purpose=RESEARCH, trail=trail)
    assert set(before["pseudonym"]) - set(after["pseudonym"]) == {"research"}


@pytest.mark.parametrize("use", [{"purpose": "curiosity"}, {"purpose": RESEARCH, "recipient": "no msp"}])
def test_a_malformed_use_is_refused(told, trail, use):
    with pytest.raises(InputRejected) as caught:
        told.filter(FRAME, trail=trail, **use)
    assert caught.value.code == "FIELD_INVALID"


def indexed(story: Story) -> Engine:
    engine = open_database("sqlite://")
    IndexFollower(engine, "consentry").follow(memory_source("peer", story.chain.blocks))
    return engine


def use_at(at: str) -> PermittedUse:
    return PermittedUse(custodian=NORTHGATE, purpose=RESEARCH, commercial=False, recipient=RIVERSIDE, at=at)


def limited(subject: str) -> SubjectConsents:
    limit = ProcessingLimit(
        kind="opt-out",
        purposes=(),
        since=instant(3),
        claimed_at=None,
        recorded_by="steward-1",
        rights_request_id=None,
    )
    return SubjectConsents(subject=subject, custodian=NORTHGATE, consents=(), limits=(limit,))


def test_a_consent_that_its_custodian_did_not_endorse_allows_nothing() -> None:
    story = Story()
    given, forged = consent(1), consent(2, subject="hmac-sha256:" + "2" * 64)
    story.put({keys.SETTINGS: settings(), keys.consent(given.consent_id): given})
    story.put({keys.consent(forged.consent_id): forged}, endorsers=(RIVERSIDE, LAKESIDE))
    engine = indexed(story)
    found = Trail(engine).permitted([given.subject, forged.subject], use_at(instant(5)))
    assert found == {given.subject}
    assert Trail(engine).permitted([given.subject], use_at("2030-01-01T00:00:00.000Z")) == set()
    engine.dispose()


def test_a_limit_of_a_subject_counts_until_it_is_lifted() -> None:
    story = Story()
    given = consent(1)
    story.put({keys.SETTINGS: settings(), keys.consent(given.consent_id): given})
    key = keys.subject(given.subject)
    for record, expected in (
        (limited(given.subject), set()),
        (
            SubjectConsents(subject=given.subject, custodian=NORTHGATE, consents=(), limits=()),
            {given.subject},
        ),
    ):
        story.put({key: record})
        engine = indexed(story)
        assert Trail(engine).permitted([given.subject], use_at(instant(5))) == expected
        engine.dispose()


def test_a_subject_whose_record_cannot_be_read_allows_nothing() -> None:
    row = limits_row("hmac-sha256:" + "0" * 64, b"{}")
    assert row is not None
    assert (row["custodian"], row["limits"]) == (NOBODY, '[["erasure", []]]')
