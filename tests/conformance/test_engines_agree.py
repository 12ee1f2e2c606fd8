"""Both engines answer the same questions alike.

What real Fabric answered is recorded (`fabric-3.1.5.json`), so the embedded engine is held to it on every
machine; where Fabric's binaries are found, real Fabric is asked again. `allowed_differences.json` is what may
differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.conformance.answers import Answers, allowed_differences, differences, recorded_answers
from support.conformance.engines import embedded, fabric
from support.conformance.playing import play
from support.conformance.scenarios import SCENARIOS

RECORDED = recorded_answers()
ALLOWED = allowed_differences()


@pytest.fixture(scope="module")
def embedded_answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    with embedded(tmp_path_factory.mktemp("embedded") / "network") as engine:
        yield play(engine)


@pytest.fixture(scope="module")
def fabric_answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    with fabric(tmp_path_factory.mktemp("fabric") / "network") as engine:
        yield play(engine)


def test_every_scenario_is_recorded() -> None:
    assert list(RECORDED) == list(SCENARIOS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_embedded_engine_answers_as_fabric_did(embedded_answers: Answers, scenario: str) -> None:
    found = differences(RECORDED[scenario], embedded_answers[scenario], scenario)
    unexpected = [item for item in found if not any(allowed.covers(item) for allowed in ALLOWED)]
    assert not unexpected, "\n".join(map(str, unexpected))


@pytest.mark.timeout(600)
def test_every_allowed_difference_is_still_one(embedded_answers: Answers) -> None:
    found = list(differences(RECORDED, embedded_answers))
    unused = [allowed.place for allowed in ALLOWED if not any(allowed.covers(item) for item in found)]
    assert not unused


@pytest.mark.timeout(600)
@pytest.mark.optional_tool("fabric-binaries")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_fabric_answers_as_it_did(fabric_answers: Answers, scenario: str) -> None:
    found = list(differences(RECORDED[scenario], fabric_answers[scenario], scenario))
    assert not found, "\n".join(map(str, found))


def test_an_allowed_difference_names_a_scenario_and_a_reason() -> None:
    for allowed in ALLOWED:
        assert allowed.place.partition("/")[0] in SCENARIOS
        assert len(allowed.reason) > 20, allowed
    assert len(ALLOWED) <= 10


def test_a_difference_is_found_wherever_it_is() -> None:
    expected = {"scenario": {"label": [1, {"a": [2, 3]}], "other": "x"}}
    assert list(differences(expected, expected)) == []
    places = {
        item.place for item in differences(expected, {"scenario": {"label": [1, {"a": [2, 4]}], "more": 1}})
    }
    assert places == {"scenario/label/1/a/1", "scenario/other", "scenario/more"}


def test_the_recording_says_nothing_of_the_machine_it_was_made_on() -> None:
    text = (Path(__file__).parent / "fabric-3.1.5.json").read_text()
    for trace in ("/tmp/", "/home/", "/root/", "127.0.0.1:", "BEGIN "):  # noqa: S108
        assert trace not in text
