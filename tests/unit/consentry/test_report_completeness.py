"""A report from which a row was left out, or to which one was done anything, does not verify."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from support.epochs import closer, commit, index
from support.story import (
    NORTHGATE,
    OTHER_SUBJECT,
    SUBJECT,
    Story,
    attempt,
    consent,
    identifier,
    permit,
    tell,
    version,
)

from consentry.index import IndexFollower, Trail, open_database
from consentry.reports import (
    Details,
    Report,
    consent_evidence,
    dataset_access_report,
    disclosures_report,
    person_access_report,
    processing_report,
    subject_access_report,
)
from consentry.reports import json as report_json
from consentry.reports.evidence_making import RecordedManifest, completed
from consentry.reports.index_witness import IndexWitness
from consentry.reports.verifying import ReportRefused, ReportVerdict, verify_report
from consentry.verification import memory_source
from consentry_records import keys

MADE_AT = "2026-02-01T00:00:00.000Z"
VERSIONS = [identifier("version", 1)]
KINDS: dict[str, Callable[[Trail, RecordedManifest], Report]] = {
    "gdpr-15": lambda trail, manifest: subject_access_report(
        trail, SUBJECT, generated_at=MADE_AT, manifest=manifest
    ),
    "gdpr-7": lambda trail, _: consent_evidence(trail, SUBJECT, generated_at=MADE_AT),
    "ehds-9": lambda trail, manifest: person_access_report(
        trail, SUBJECT, generated_at=MADE_AT, manifest=manifest
    ),
    "ehds-73": lambda trail, _: dataset_access_report(trail, "biopsies", generated_at=MADE_AT),
    "hipaa-164-528": lambda trail, manifest: disclosures_report(
        trail,
        SUBJECT,
        generated_at=MADE_AT,
        manifest=manifest,
        details=Details({"recipient_contacts": "Riverside, 1 Main Street"}),
    ),
}


@dataclass(frozen=True)
class Told:
    """A story whose epochs were closed, with something after them, and its index."""

    story: Story
    engine: Engine
    last_closed: int

    @property
    def trail(self) -> Trail:
        return Trail(self.engine)

    def document(self, kind: str, named: list[str] | None = VERSIONS) -> dict[str, Any]:
        manifest = RecordedManifest(None if named is None else lambda _consent, _subject: named)
        report = completed(self.trail, KINDS[kind](self.trail, manifest), manifest, with_evidence=True)
        found: dict[str, Any] = json.loads(report_json.render(report))
        return found

    def verify(self, document: dict[str, Any]) -> ReportVerdict:
        return verify_report(json.dumps(document).encode(), IndexWitness(self.trail))


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    story, engine = tell(), open_database("sqlite://")
    assert closer(story, engine).close() is not None
    story.put({keys.attempt(identifier("attempt", 8)): attempt(8)}, by=story.researcher)
    story.put({keys.decision(identifier("attempt", 8)): permit(8)}, by=story.service)
    epoch = closer(story, engine).close()
    assert epoch is not None
    story.put({keys.attempt(identifier("attempt", 9)): attempt(9)}, by=story.researcher)
    index(story, engine)
    yield Told(story, engine, epoch.last_block)
    engine.dispose()


def alone(document: dict[str, Any]) -> ReportVerdict:
    """Verified with nothing but itself: what an outsider with the root can do."""
    return verify_report(json.dumps(document).encode())


@pytest.mark.parametrize("kind", KINDS)
def test_an_honest_report_verifies(told: Told, kind: str) -> None:
    document = told.document(kind)
    jsonschema.validate(document, report_json.schema())
    verdict = told.verify(document)
    assert (verdict.is_proved, verdict.is_recomposed) == (True, True)
    assert verdict.complete_through == {NORTHGATE: told.last_closed}
    assert verdict.open_writes == (0 if kind == "gdpr-7" else 1)
    assert f"up to block {told.last_closed}" in verdict.sentence
    assert f"up to block {told.last_closed}" in document["completeness"]["sentence"]
    consistent = alone(document)
    assert not consistent.is_proved
    assert consistent.sentence.startswith("Consistent, not proved")


def test_it_verifies_without_row_manifests_too(told: Told) -> None:
    for kind in ("gdpr-15", "ehds-9", "hipaa-164-528"):
        assert told.verify(told.document(kind, None)).is_proved


def refused(document: dict[str, Any], check: Callable[[dict[str, Any]], ReportVerdict] = alone) -> str:
    with pytest.raises(ReportRefused) as caught:
        check(document)
    return caught.value.code


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_left_out_of_the_tables_is_refused(told: Told, kind: str) -> None:
    document = told.document(kind)
    for key, table in document["tables"].items():
        for place in range(len(table["rows"])):
            less = copy.deepcopy(document)
            del less["tables"][key]["rows"][place]
            del less["tables"][key]["references"][place]
            assert refused(less) == "ROWS_DIFFER"


@pytest.mark.parametrize("kind", KINDS)
def test_each_write_left_out_with_its_rows_is_refused(told: Told, kind: str) -> None:
    """Whoever leaves a row out consistently, evidence and all, still lacks a root that fits."""
    document = told.document(kind)
    closed = [
        (chain, epoch, place)
        for chain, found in enumerate(document["evidence"]["chains"])
        for epoch, group in enumerate(found["epochs"])
        for place in range(len(group["writes"]))
    ]
    assert len(closed) >= 2
    for chain, epoch, place in closed:
        less = copy.deepcopy(document)
        group = less["evidence"]["chains"][chain]["epochs"][epoch]
        del group["writes"][place]
        if not group["writes"]:
            del less["evidence"]["chains"][chain]["epochs"][epoch]
        assert refused(less) == "CHAIN_DIFFERS"


@pytest.mark.parametrize("kind", KINDS)
def test_an_open_write_left_out_is_found_by_whoever_has_the_blocks(told: Told, kind: str) -> None:
    document = told.document(kind)
    for chain in document["evidence"]["chains"]:
        for place in range(len(chain["open"])):
            less = copy.deepcopy(document)
            (shown,) = [found for found in less["evidence"]["chains"] if found["name"] == chain["name"]]
            del shown["open"][place]
            assert refused(less, told.verify) == "WRITES_DIFFER"


def test_closed_writes_cannot_be_shown_as_later_ones(told: Told) -> None:
    document = told.document("ehds-73")
    (chain,) = document["evidence"]["chains"]
    chain["open"] = [*chain["epochs"].pop()["writes"], *chain["open"]]
    assert refused(document) == "CHAIN_DIFFERS"
    del document["evidence"]["chains"][0]["epochs"]
    assert refused(document) == "REPORT_INVALID"


def test_a_chain_that_the_report_rests_on_cannot_be_left_out(told: Told) -> None:
    document = told.document("gdpr-15")
    for place in range(len(document["evidence"]["chains"])):
        less = copy.deepcopy(document)
        del less["evidence"]["chains"][place]
        assert refused(less) in ("CHAIN_MISSING", "ROWS_DIFFER")


def test_rows_in_another_order_are_refused(told: Told) -> None:
    document = told.document("ehds-73")
    document["tables"]["accesses"]["rows"].reverse()
    assert refused(document) == "ROWS_DIFFER"


def test_a_row_doubled_or_made_up_is_refused(told: Told) -> None:
    document = told.document("ehds-73")
    rows = document["tables"]["accesses"]["rows"]
    rows.append(rows[0])
    assert refused(document) == "ROWS_DIFFER"
    other = told.document("ehds-73")
    chain = other["evidence"]["chains"][0]
    chain["epochs"][0]["writes"].append(chain["epochs"][0]["writes"][0])
    assert refused(other) == "CHAIN_DIFFERS"


FIELDS = ("block", "position", "transaction_id", "recorded_at", "kind", "record_id", "endorsed", "value")


def altered(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
    return f"{value}x"


@pytest.mark.parametrize("kind", ["gdpr-15", "ehds-73"])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_field_of_any_write_altered_is_refused(told: Told, kind: str, data: st.DataObject) -> None:
    document = told.document(kind)
    writes = document["evidence"]["writes"]
    write, name = data.draw(st.sampled_from(writes)), data.draw(st.sampled_from(FIELDS))
    write[name] = altered(write[name])
    refused(document, told.verify)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_text_altered_is_refused(told: Told, kind: str, data: st.DataObject) -> None:
    document = told.document(kind)
    stated = document["fields"] if kind == "hipaa-164-528" else []
    checked = {name: part for name, part in document.items() if name not in UNCHECKED}
    words = [
        (document if where is checked else where, name)
        for where, name in texts(checked)
        if not any(where is entry.get("value") for entry in stated)
    ]
    where, name = data.draw(st.sampled_from(words))
    where[name] = where[name] + "x"
    refused(document)


# When it was made and what it is are not the ledger's to say; the evidence has its own tests.
UNCHECKED = ("generated_at", "evidence", "format", "report", "completeness")


def texts(part: Any) -> list[tuple[Any, Any]]:
    """Every text in a JSON value: what holds it, and where in there."""
    pairs = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    found = []
    for name, value in pairs:
        found += [(part, name)] if isinstance(value, str) else texts(value)
    return found


def test_what_is_said_of_completeness_is_checked(told: Told) -> None:
    for name, value in (("closed_epochs", []), ("closed_epochs", ["All of it."]), ("sentence", "All of it.")):
        document = told.document("gdpr-15")
        document["completeness"][name] = value
        assert refused(document) == "ROWS_DIFFER"
    for name, value in (("header_hash", "0" * 64), ("genesis_hash", "0" * 64), ("last_block", 10_000)):
        document = told.document("gdpr-15")
        document["completeness"][name] = value
        assert refused(document, told.verify) in ("WRITES_DIFFER", "ROWS_DIFFER")


def test_an_index_that_is_not_anchored_proves_nothing() -> None:
    story, engine = tell(), open_database("sqlite://")
    IndexFollower(engine, "consentry").follow(memory_source("peer", story.chain.blocks))
    untold = Told(story, engine, 0)
    verdict = untold.verify(untold.document("ehds-73"))
    assert (verdict.is_proved, verdict.is_recomposed) == (False, True)
    engine.dispose()


def test_without_a_closed_epoch_it_says_so_and_proves_only_what_the_blocks_show() -> None:
    story, engine = tell(), open_database("sqlite://")
    index(story, engine)
    untold = Told(story, engine, 0)
    document = untold.document("gdpr-15")
    assert "is unavailable: it has closed no epoch" in document["completeness"]["sentence"]
    assert untold.verify(document).is_proved
    assert "no closed epoch covers it" in alone(document).sentence
    engine.dispose()


def test_a_wrong_epoch_covers_nothing() -> None:
    story, engine = tell(), open_database("sqlite://")
    closing = closer(story, engine)
    closing._transactions.submit = lambda _, epoch: commit(story, epoch, root="sha256:" + "0" * 64)  # type: ignore[method-assign,assignment,misc]
    closing.close()
    index(story, engine)
    document = Told(story, engine, 0).document("ehds-73")
    assert "is unavailable: it has closed no epoch" in document["completeness"]["sentence"]
    engine.dispose()


def test_a_report_on_another_thing_says_what_is_not_checked(told: Told) -> None:
    trail = told.trail
    report = completed(trail, processing_report(trail, NORTHGATE, generated_at=MADE_AT), with_evidence=True)
    document = json.loads(report_json.render(report))
    jsonschema.validate(document, report_json.schema())
    verdict = told.verify(document)
    assert (verdict.is_proved, verdict.is_recomposed) == (False, False)
    assert "its words and its completeness are not checked" in verdict.sentence
    document["evidence"]["writes"][0]["value"] = "{}"
    assert refused(document, told.verify) == "WRITES_DIFFER"


def test_each_row_names_its_writes_with_block_transaction_and_header(told: Told) -> None:
    document = told.document("ehds-73")
    evidence, table = document["evidence"], document["tables"]["accesses"]
    assert len(table["references"]) == len(table["rows"]) > 0
    for row, found in zip(table["rows"], table["references"], strict=True):
        kinds = {evidence["writes"][place]["kind"]: evidence["writes"][place] for place in found}
        assert kinds["attempt"]["transaction_id"] in row["record"][2]
        assert str(kinds["attempt"]["block"]) in evidence["blocks"]
    without = json.loads(report_json.render(KINDS["ehds-73"](told.trail, RecordedManifest(None))))
    assert without["evidence"] is None
    assert refused(without) == "REPORT_WITHOUT_EVIDENCE"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "consentry.report/1"}', "{" * 10_000])
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ReportRefused, match="REPORT_INVALID"):
        verify_report(text.encode())


def test_a_write_carried_twice_is_refused(told: Told) -> None:
    document = told.document("ehds-73")
    document["evidence"]["writes"].append(document["evidence"]["writes"][-1])
    (chain,) = document["evidence"]["chains"]
    chain["open"].append(len(document["evidence"]["writes"]) - 1)
    assert refused(document) == "REPORT_INVALID"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_stands_in_a_report_is_read_or_refused(told: Told, data: st.DataObject) -> None:
    document = told.document("ehds-73")
    part: Any = document
    honest = copy.deepcopy(document["tables"])
    while True:
        names = list(part) if isinstance(part, dict) else list(range(len(part)))
        name = data.draw(st.sampled_from(names))
        inner = part[name]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            part[name] = data.draw(JUNK)
            break
        part = inner
    try:
        holds = told.verify(document).is_proved
    except ReportRefused:
        holds = False
    assert not holds or document["tables"] == honest


def test_other_subjects_have_chains_of_their_own(told: Told) -> None:
    story, engine = tell(), open_database("sqlite://")
    story.put({keys.consent(identifier("consent", 7)): consent(7, subject=OTHER_SUBJECT)})
    story.put({keys.version(identifier("version", 2)): version(2)})
    closer(story, engine).close()
    index(story, engine)
    names = [chain["name"] for chain in Told(story, engine, 0).document("gdpr-15")["evidence"]["chains"]]
    assert names == [f"dataset/{identifier('dataset', 1)}", f"subject/{SUBJECT}"]
    engine.dispose()
