"""A peer that was started finds the other organizations' peers before it counts as started."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fabric_native import starting
from fabric_native.starting import hear_of_others

NODES: Any = SimpleNamespace(
    topology=SimpleNamespace(channel="channel", chaincode=SimpleNamespace(name="basic"))
)
ALONE = {"AlphaMSP": [{"basic"}]}
TOGETHER = {**ALONE, "BetaMSP": [set(), {"basic"}]}


class HearingPeer:
    """A peer that has heard of more at each question, and of the last thing from then on."""

    name = "peer-alpha"

    def __init__(self, *heard: dict[str, list[set[str]]]) -> None:
        self.heard = list(heard)

    def chaincodes_by_organization(self, _channel: str) -> dict[str, list[set[str]]]:
        return self.heard.pop(0) if len(self.heard) > 1 else self.heard[0]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that goes on while somebody waits."""
    clock = SimpleNamespace(now=0.0)

    def sleep(seconds: float) -> None:
        clock.now += seconds

    monkeypatch.setattr(starting, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep))
    return clock


def told_while_waiting(peer: HearingPeer, monkeypatch: pytest.MonkeyPatch, *reachable: str) -> list[str]:
    monkeypatch.setattr(starting, "reachable_organizations", lambda _: list(reachable))
    told: list[str] = []
    hear_of_others(NODES, [peer], told.append)  # type: ignore[arg-type]
    return told


def test_it_is_waited_until_everybody_who_can_be_reached_is_known(monkeypatch, clock) -> None:
    peer = HearingPeer({}, ALONE, ALONE, TOGETHER)
    assert told_while_waiting(peer, monkeypatch, "AlphaMSP", "BetaMSP") == []
    assert peer.heard == [TOGETHER]
    assert clock.now > 0


def test_who_is_away_is_not_waited_for(monkeypatch, clock) -> None:
    assert told_while_waiting(HearingPeer(ALONE), monkeypatch, "AlphaMSP") == []
    assert clock.now == 0


def test_a_peer_without_the_chaincode_is_told_after_a_while(monkeypatch, clock) -> None:
    peer = HearingPeer({**ALONE, "BetaMSP": [{"another"}]})
    assert told_while_waiting(peer, monkeypatch, "AlphaMSP", "BetaMSP") == [
        "peer-alpha does not know of endorsing peers of BetaMSP yet; transactions that need them are refused "
        "until it does"
    ]
    assert clock.now < 60
