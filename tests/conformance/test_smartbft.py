"""A network that SmartBFT orders answers every scenario as one that Raft orders, but for a short list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.conformance.answers import (
    SMARTBFT,
    Answers,
    allowed_differences,
    differences,
    recorded_answers,
)
from support.conformance.engines import fabric
from support.conformance.playing import play
from support.conformance.scenarios import SCENARIOS

from fabric_protocol.ordering_config import BFT

pytestmark = [pytest.mark.timeout(900), pytest.mark.optional_tool("fabric-binaries")]
RECORDED = recorded_answers()
ALLOWED = allowed_differences(SMARTBFT)
# Whether two envelopes come into one block depends on how fast the ordering nodes are.
TIMING = "orders_of_a_stream/after it: status/1"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    with fabric(tmp_path_factory.mktemp("smartbft") / "network", BFT) as engine:
        yield play(engine)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_smartbft_answers_as_raft_did(answers: Answers, scenario: str) -> None:
    found = differences(RECORDED[scenario], answers[scenario], scenario)
    unexpected = [item for item in found if not any(allowed.covers(item) for allowed in ALLOWED)]
    assert not unexpected, "\n".join(map(str, unexpected))


def test_every_allowed_difference_is_still_one(answers: Answers) -> None:
    found = list(differences(RECORDED, answers))
    unused = [allowed.place for allowed in ALLOWED if not any(allowed.covers(item) for item in found)]
    assert not set(unused) - {TIMING}
    assert len(ALLOWED) <= 5
    assert all(len(allowed.reason) > 20 for allowed in ALLOWED)
