"""Limits of subjects as records of the index, and what the trail holds of one subject or row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from support.chain_members import REGULATOR
from support.ledger_gateway import LedgerGateway
from support.story import (
    LAKESIDE,
    NORTHGATE,
    OTHER_SUBJECT,
    RIVERSIDE,
    SUBJECT,
    Story,
    consent,
    identifier,
    instant,
    tell,
)

from consentry.errors import InputRejected
from consentry.index import IndexFault, IndexFollower, Trail, open_database
from consentry.index.row_manifests import find_row
from consentry.index.schema import chain_entries
from consentry.ledger import Ledger
from consentry.manifests import ManifestRow
from consentry.private_files import make_private_directory
from consentry.subjects import SubjectRegister
from consentry.verification import memory_source
from consentry_records import keys
from consentry_records.subject import OPT_OUT, ProcessingLimit, SubjectConsents
from consentry_records.trail_read import TrailRead

OTHERS = (LAKESIDE, REGULATOR, RIVERSIDE)
PERSON = "hmac-sha256:" + "a" * 64


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = open_database("sqlite://")
    yield made
    made.dispose()


def held(subject: str = PERSON, *kinds: str) -> SubjectConsents:
    limits = tuple(
        ProcessingLimit(
            kind=kind,
            purposes=(),
            since=instant(4),
            claimed_at=None,
            recorded_by="steward",
            rights_request_id=None,
        )
        for kind in kinds
    )
    return SubjectConsents(subject=subject, custodian=NORTHGATE, consents=(), limits=limits)


def opted(story: Story, *records: SubjectConsents, **options: Any) -> None:
    story.put({keys.subject(record.subject): record for record in records}, **options)


def follow(engine: Engine, story: Story) -> Trail:
    IndexFollower(engine, "consentry").follow(memory_source("peer", story.chain.blocks))
    return Trail(engine)


def test_an_opt_out_is_a_record_with_its_history(engine: Engine) -> None:
    story = tell()
    opted(story, held(PERSON, OPT_OUT), held(OTHER_SUBJECT))
    opted(story, held(PERSON))
    opted(story, held(PERSON, OPT_OUT, "objection"))
    trail = follow(engine, story)
    (row,) = trail.records("subject", owner=NORTHGATE)
    assert (row.record_id, row.state, row.honoured) == (PERSON, "objection,opt-out", True)
    assert [change.state for change in trail.history("subject", PERSON)] == [
        "opt-out",
        "",
        "objection,opt-out",
    ]
    frame = trail.to_frame("subject")
    assert frame["subject"].tolist() == [PERSON]
    assert [limit["kind"] for limit in frame["limits"][0]] == ["opt-out", "objection"]
    assert trail.findings() == []


def test_who_never_had_a_limit_has_no_record(engine: Engine) -> None:
    story = tell()
    opted(story, held(PERSON), held(OTHER_SUBJECT))
    assert follow(engine, story).records("subject") == []


def test_a_limit_that_its_custodian_did_not_endorse_is_forged(engine: Engine) -> None:
    story = tell()
    opted(story, held(PERSON, OPT_OUT), endorsers=OTHERS)
    trail = follow(engine, story)
    assert [finding.code for finding in trail.findings()] == ["FORGED"]
    assert [row.honoured for row in trail.records("subject")] == [False]


def test_limits_are_in_the_chain_of_their_subject_and_in_no_other(engine: Engine) -> None:
    story = tell()
    opted(story, held(SUBJECT, OPT_OUT), held(OTHER_SUBJECT))
    follow(engine, story)
    with engine.connect() as connection:
        query = select(chain_entries.c.chain).where(chain_entries.c.kind == "subject")
        assert connection.scalars(query).all() == [f"subject/{SUBJECT}"]


def test_a_subject_is_found_with_all_that_concerns_it(engine: Engine) -> None:
    story = tell()
    opted(story, held(SUBJECT, OPT_OUT))
    trail = follow(engine, story)
    found = trail.subject(SUBJECT, lambda _consent, _subject: [identifier("version", 1)])
    assert [row.record_id for row in found.consents] == [identifier("consent", 1)]
    assert found.limits is not None
    assert (found.limits.state, found.requests, found.rows_are_known) == ("opt-out", (), True)
    assert [row.record_id for row in found.versions] == [identifier("version", 1)]
    assert found.to_frame()["outcome"].tolist() == ["permit", "deny", "open"]
    without = trail.subject(SUBJECT)
    assert not without.rows_are_known
    only_opted_out = trail.subject(SUBJECT, lambda _consent, _subject: [])
    assert (only_opted_out.versions, only_opted_out.accesses) == ((), ())
    assert only_opted_out.to_frame().empty


def test_a_subject_without_a_consent_may_have_opted_out(engine: Engine) -> None:
    story = tell()
    opted(story, held(PERSON, OPT_OUT))
    found = follow(engine, story).subject(PERSON)
    assert (found.consents, found.limits is not None, found.accesses) == ((), True, ())


def test_a_subject_that_is_not_there_is_said(engine: Engine) -> None:
    with pytest.raises(IndexFault, match="SUBJECT_NOT_INDEXED"):
        follow(engine, tell()).subject(PERSON)


def test_the_consents_of_a_subject_that_were_forged_are_there_too(engine: Engine) -> None:
    story = tell()
    number = identifier("consent", 9)
    story.put({keys.consent(number): consent(9)}, endorsers=OTHERS)
    found = follow(engine, story).subject(SUBJECT)
    assert [row.honoured for row in found.consents] == [True, False]


@pytest.mark.parametrize(("version", "position"), [(1, 2), (1, -1), (2, 0)])
def test_a_row_that_the_custodian_does_not_keep_is_unknown(
    tmp_path: Path, version: int, position: int
) -> None:
    with SubjectRegister(tmp_path / "subjects.sqlite") as register:
        subject = register.ensure(["P-1"])["P-1"].commitment
        dataset = register.manifests.ensure_dataset("biopsies", identifier("dataset", 1))
        rows = [ManifestRow(f"hmac-sha256:{digit * 64}", subject, identifier("consent", 1)) for digit in "12"]
        register.manifests.add_version(identifier("version", 1), dataset.dataset_id, 1, rows)
        register.manifests.mark_registered(identifier("version", 1))
        held = (identifier("consent", 1), (identifier("version", 1),))
        assert find_row(register, identifier("version", 1), 1) == held
        with pytest.raises(InputRejected, match="ROW_UNKNOWN"):
            find_row(register, identifier("version", version), position)
    with pytest.raises(InputRejected, match="ROW_UNKNOWN"):
        find_row(None, identifier("version", 1), 0)


@pytest.fixture
def custodian(ledger_of: Any) -> Ledger:
    """Northgate's officer with a register of one subject, whose consent and opt-out are on the ledger."""
    ledger: Ledger = ledger_of("NorthgateMSP", "dpo")
    path = ledger.profile.subject_register("northgate")
    make_private_directory(path.parent)
    with SubjectRegister(path) as register:
        commitment = register.ensure(["P-0042"])["P-0042"].commitment
        dataset = register.manifests.ensure_dataset("biopsies", identifier("dataset", 1))
        rows = [ManifestRow("hmac-sha256:" + "1" * 64, commitment, identifier("consent", 9))]
        register.manifests.add_version(identifier("version", 1), dataset.dataset_id, 1, rows)
        register.manifests.mark_registered(identifier("version", 1))
    story = tell()
    story.put({keys.consent(identifier("consent", 9)): consent(9, subject=commitment)})
    opted(story, held(commitment, OPT_OUT))
    made = open_database(ledger.profile.index_url)
    follow(made, story)
    made.dispose()
    return ledger


def test_a_custodian_asks_by_pseudonym_and_that_is_on_record(
    custodian: Ledger, gateway: LedgerGateway
) -> None:
    found = custodian.trail.subject_of("P-0042")
    assert [row.record_id for row in found.consents] == [identifier("consent", 9)]
    assert found.limits is not None
    assert found.limits.state == "opt-out"
    assert found.rows_are_known
    assert len(found.accesses) == 3
    (read,) = reads(gateway)
    assert (read.question, read.concerned) == ("subject", (found.subject,))


def test_a_pseudonym_that_is_not_its_own_is_not_repeated(custodian: Ledger, gateway: LedgerGateway) -> None:
    with pytest.raises(InputRejected, match="SUBJECT_UNKNOWN") as caught:
        custodian.trail.subject_of("Jane Doe")
    assert "Jane" not in str(caught.value)
    assert reads(gateway) == []


def test_a_custodian_asks_by_row_and_that_is_one_read(custodian: Ledger, gateway: LedgerGateway) -> None:
    found = custodian.trail.row(identifier("version", 1), 0)
    assert (found.consent_id, found.versions) == (identifier("consent", 9), (identifier("version", 1),))
    assert found.to_frame()["outcome"].tolist() == ["permit", "deny", "open"]
    (read,) = reads(gateway)
    assert (read.question, read.concerned, read.row_count) == ("dataset", found.versions, 3)
    with pytest.raises(InputRejected, match="ROW_UNKNOWN"):
        custodian.trail.row(identifier("version", 1), 1)


def reads(gateway: LedgerGateway) -> list[TrailRead]:
    states = gateway.memory.states()
    return [TrailRead.from_bytes(value) for key, value in states.items() if key.startswith("trailread/")]
