"""Opt-outs and other limits: in the report on a subject and in the chains; epochs that lack them say so."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from support.chains import Effects
from support.epochs import closer, index
from support.story import (
    LAKESIDE,
    NORTHGATE,
    RESEARCH,
    RIVERSIDE,
    SUBJECT,
    Story,
    attempt,
    identifier,
    instant,
    tell,
)

from consentry.index import Trail, open_database
from consentry.index.epochs import compute_epoch, followed
from consentry.reports import Report, consent_evidence, subject_access_report
from consentry.reports import json as report_json
from consentry.reports.evidence_making import RecordedManifest, completed
from consentry.reports.index_witness import IndexWitness
from consentry.reports.verifying import ReportRefused, ReportVerdict, verify_report
from consentry_records import ClosedEpoch, NewClosedEpoch, keys
from consentry_records.subject import OBJECTION, OPT_OUT, ProcessingLimit, SubjectConsents
from fabric_protocol.blocks import header_hash

ENDORSERS = (NORTHGATE, RIVERSIDE, LAKESIDE)
REQUEST = identifier("rightsrequest", 1)


def limit(kind: str = OPT_OUT, **changes: Any) -> ProcessingLimit:
    fields: dict[str, Any] = {
        "kind": kind,
        "purposes": (),
        "since": instant(3),
        "claimed_at": None,
        "recorded_by": "steward-1",
        "rights_request_id": None,
    }
    return ProcessingLimit(**(fields | changes))


def envelope(story: Story, limits: tuple[ProcessingLimit, ...], at: str, endorsers: Any = ENDORSERS) -> bytes:
    record = SubjectConsents(
        subject=SUBJECT, custodian=NORTHGATE, consents=(identifier("consent", 1),), limits=limits
    )
    effects = Effects(writes={keys.subject(SUBJECT): record.to_bytes()}, function="subjects:opt_out")
    time = datetime.fromisoformat(at)
    return story.chain.transaction(effects, creator=story.steward, endorsers=endorsers, time=time)


def put(story: Story, limits: tuple[ProcessingLimit, ...], at: str, endorsers: Any = ENDORSERS) -> int:
    return story.chain.commit([envelope(story, limits, at, endorsers)])


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = open_database("sqlite://")
    yield made
    made.dispose()


@pytest.fixture
def story() -> Story:
    return tell()


def document(engine: Engine) -> dict[str, Any]:
    manifest = RecordedManifest(lambda _consent, _subject: [identifier("version", 1)])
    trail = Trail(engine)
    report = subject_access_report(trail, SUBJECT, generated_at=instant(28), manifest=manifest)
    found: dict[str, Any] = json.loads(
        report_json.render(completed(trail, report, manifest, with_evidence=True))
    )
    return found


def verify(document: dict[str, Any], engine: Engine | None = None) -> ReportVerdict:
    witness = IndexWitness(Trail(engine)) if engine is not None else None
    return verify_report(json.dumps(document).encode(), witness)


def limits_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = document["tables"]["limits"]["rows"]
    return rows


def test_a_limit_is_told_with_what_it_forbids_since_when_and_where_it_is_on_record(
    story: Story, engine: Engine
) -> None:
    objection = limit(
        OBJECTION, purposes=(RESEARCH,), claimed_at=instant(2), rights_request_id=REQUEST, since=instant(4)
    )
    first = put(story, (limit(),), instant(3))
    second = put(story, (limit(), objection), instant(4))
    put(story, (objection,), instant(6))
    index(story, engine)
    opted_out, objected = limits_of(document(engine))
    assert opted_out["kind"] == "opt-out from secondary use (EHDS Art. 71)"
    assert opted_out["purposes"] == "all secondary use"
    assert opted_out["period"] == [f"since {instant(3)}", f"lifted {instant(6)}"]
    assert opted_out["record"][:2] == [SUBJECT, f"block {first}"]
    assert objected["purposes"] == ["health, medical or biomedical research (DUO:0000006)"]
    assert objected["period"] == [
        f"since {instant(4)}",
        f"the custodian claims {instant(2)}",
        "in force",
    ]
    assert objected["basis"] == REQUEST
    assert objected["record"][1] == f"block {second}"


def test_without_limits_the_report_says_that_there_are_none(story: Story, engine: Engine) -> None:
    put(story, (), instant(3))
    index(story, engine)
    assert limits_of(document(engine)) == []


@pytest.mark.parametrize(
    ("limits", "at", "told"),
    [
        ((limit(),), instant(3), "forbidden by your opt-out, objection or restriction"),
        ((limit(),), instant(6), "allowed this use"),
        ((limit(OBJECTION, purposes=("TREAT",)),), instant(3), "allowed this use"),
        ((limit(OBJECTION, purposes=(RESEARCH,)),), instant(3), "forbidden by your opt-out"),
    ],
)
def test_an_access_is_told_with_the_limits_of_its_time(
    story: Story, engine: Engine, limits: tuple[ProcessingLimit, ...], at: str, told: str
) -> None:
    put(story, limits, at)
    index(story, engine)
    rows = document(engine)["tables"]["accesses"]["rows"]
    (permitted,) = [row for row in rows if row["outcome"] == "permitted"]
    assert permitted["consent"].startswith(told)


def test_a_lifted_limit_forbids_nothing_later(story: Story, engine: Engine) -> None:
    put(story, (limit(),), instant(3))
    put(story, (), instant(4))
    index(story, engine)
    rows = document(engine)["tables"]["accesses"]["rows"]
    assert {row["consent"] for row in rows} == {"allowed this use"}


def test_a_limit_that_its_custodian_did_not_endorse_limits_nothing_and_is_named(
    story: Story, engine: Engine
) -> None:
    put(story, (limit(),), instant(3), endorsers=(RIVERSIDE, LAKESIDE, "RegulatorMSP"))
    index(story, engine)
    found = document(engine)
    assert limits_of(found) == []
    assert any("forged" in remark for remark in found["remarks"])


def test_a_limit_lifted_in_its_own_block_is_in_the_trail(story: Story, engine: Engine) -> None:
    story.chain.commit([envelope(story, (limit(),), instant(3)), envelope(story, (), instant(3, 1))])
    index(story, engine)
    (row,) = limits_of(document(engine))
    assert row["period"] == [f"since {instant(3)}", f"lifted {instant(3, 1)}"]


def test_a_limit_that_was_left_out_or_altered_is_refused(story: Story, engine: Engine) -> None:
    put(story, (limit(),), instant(3))
    assert closer(story, engine).close() is not None
    index(story, engine)
    honest = document(engine)
    assert verify(honest, engine).is_proved
    without_row = copy.deepcopy(honest)
    without_row["tables"]["limits"]["rows"] = []
    with pytest.raises(ReportRefused) as caught:
        verify(without_row)
    assert caught.value.code == "ROWS_DIFFER"
    for change in (_without_write, _altered_write):
        with pytest.raises(ReportRefused) as caught:
            verify(change(copy.deepcopy(honest)))
        assert caught.value.code == "CHAIN_DIFFERS"


def _place(document: dict[str, Any]) -> int:
    kinds = [write["kind"] for write in document["evidence"]["writes"]]
    return kinds.index("subject")


def _without_write(document: dict[str, Any]) -> dict[str, Any]:
    place = _place(document)
    for chain in document["evidence"]["chains"]:
        for epoch in chain["epochs"]:
            indices = epoch["writes"]
            if place in indices:
                indices.remove(place)
    return document


def _altered_write(document: dict[str, Any]) -> dict[str, Any]:
    write = document["evidence"]["writes"][_place(document)]
    write["value"] = write["value"].replace("opt-out", "erasure")
    return document


def evidence_of_consent(story: Story, engine: Engine) -> Report:
    """The report after one limit, in an epoch that is closed."""
    put(story, (limit(),), instant(3))
    assert closer(story, engine).close() is not None
    index(story, engine)
    trail = Trail(engine)
    report = consent_evidence(trail, SUBJECT, generated_at=instant(28))
    return completed(trail, report, with_evidence=True)


def test_consent_evidence_rests_on_the_limits_too(story: Story, engine: Engine) -> None:
    report = evidence_of_consent(story, engine)
    found = json.loads(report_json.render(report))
    assert "subject" in [write["kind"] for write in found["evidence"]["writes"]]
    assert verify(found, engine).is_proved
    access = subject_access_report(Trail(engine), SUBJECT, generated_at=instant(28))
    assert report.rows("limits") == access.rows("limits")
    (row,) = report.rows("limits")
    assert "opt-out" in row.kind


def test_a_limit_left_out_of_consent_evidence_is_refused(story: Story, engine: Engine) -> None:
    found = json.loads(report_json.render(evidence_of_consent(story, engine)))
    found["tables"]["limits"]["rows"] = []
    with pytest.raises(ReportRefused) as caught:
        verify(found, engine)
    assert caught.value.code == "ROWS_DIFFER"


def earlier_epoch(story: Story, engine: Engine) -> int:
    """An epoch as an earlier release closed it: without limits, and silent on them."""
    index(story, engine)
    with engine.connect() as connection:
        last = len(story.chain.blocks) - 1
        before = followed(connection, NORTHGATE)
        made = compute_epoch(connection, NORTHGATE, last, limits=False)
    record = ClosedEpoch(
        number=before.number + 1,
        first_block=before.last_block + 1,
        last_block=last,
        header_hash=header_hash(story.chain.block(last).header).hex(),
        chain_count=made.chain_count,
        root=f"sha256:{made.root.hex()}",
        custodian=NORTHGATE,
        closed_at=instant(20),
    ).to_dict()
    del record["limits"]
    record["schema"] = "consentry.closedepoch/1"
    value = json.dumps(record, sort_keys=True, separators=(",", ":")).encode()
    assert not ClosedEpoch.from_bytes(value).limits
    key = keys.closed_epoch(NORTHGATE, before.number + 1)
    story.chain.commit([story.envelope({key: value}, by=story.service)])
    index(story, engine)
    return last


def test_epochs_of_an_earlier_release_hold_and_are_said_to_be_silent_on_limits(
    story: Story, engine: Engine
) -> None:
    put(story, (limit(),), instant(3))
    last = earlier_epoch(story, engine)
    assert Trail(engine).findings() == []
    found = document(engine)
    assert (
        f"Nothing of {NORTHGATE} but subjects' opt-outs, objections, restrictions and erasures is left out "
        in (found["completeness"]["sentence"])
    )
    verdict = verify(found, engine)
    assert (verdict.is_proved, verdict.complete_through) == (True, {NORTHGATE: last})
    assert limits_of(found)


def test_the_first_epoch_with_limits_takes_in_those_before_it(story: Story, engine: Engine) -> None:
    put(story, (limit(),), instant(3))
    earlier_epoch(story, engine)
    story.put({keys.attempt(identifier("attempt", 8)): attempt(8)}, by=story.researcher)
    epoch = closer(story, engine).close()
    assert isinstance(epoch, NewClosedEpoch)
    assert epoch.limits
    index(story, engine)
    with engine.connect() as connection:
        assert followed(connection, NORTHGATE).has_limits
    found = document(engine)
    assert verify(found, engine).is_proved
    assert "opt-outs" not in found["completeness"]["sentence"]
    with pytest.raises(ReportRefused, match="CHAIN_DIFFERS"):
        verify(_without_write(copy.deepcopy(found)))


def test_an_epoch_that_says_to_have_limits_and_leaves_them_out_is_wrong(story: Story, engine: Engine) -> None:
    put(story, (limit(),), instant(3))
    index(story, engine)
    with engine.connect() as connection:
        assert (
            compute_epoch(connection, NORTHGATE, 10_000).root
            != compute_epoch(connection, NORTHGATE, 10_000, limits=False).root
        )
