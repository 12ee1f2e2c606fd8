"""Each organization approves for itself, and whoever comes last of a majority commits."""

from __future__ import annotations

from typing import Any, cast

import pytest

from fabric_native.agreeing import agree
from fabric_native.deployment import Deployment, Member
from fabric_native.errors import AdministrationError
from fabric_protocol.definitions import Definition

DEFINITION = Definition(
    name="consentry", sequence=2, version="1.1", validation_parameter=b"", collections=b""
)
OTHERS = ("BetaMSP", "GammaMSP")


class Channel:
    """A channel of three organizations, as alpha's administrator sees it."""

    def __init__(self, *approved: str, sequence: int = 1, commits: str = "") -> None:
        self.members = [Member("AlphaMSP", [cast(Any, "peer-alpha")], b"package", "label:id")]
        self.others = {name: f"peer-{name}" for name in OTHERS}
        self.approved = set(approved)
        self.sequence = sequence
        self.commits = commits
        self.done: list[Any] = []

    def install(self, peer: str, _member: Member) -> bool:
        self.done.append(("install", peer))
        return True

    def sequence_in_force(self, _name: str) -> int:
        return self.sequence

    def has_approved(self, _definition: Definition, member: Member) -> bool:
        return member.msp_id in self.approved

    def approve(self, _definition: Definition, member: Member) -> None:
        self.approved.add(member.msp_id)
        self.done.append(("approve", member.msp_id))

    def approvals(self, _definition: Definition, _peer: Any = None) -> dict[str, bool]:
        return {name: name in self.approved for name in ("AlphaMSP", *OTHERS)}

    def commit(self, definition: Definition, endorsers: list[Any]) -> None:
        self.done.append(("commit", endorsers))
        if self.commits:
            self.sequence = definition.sequence if self.commits == "another" else self.sequence
            raise AdministrationError("TRANSACTION_REFUSED", "the transaction is invalid")
        self.sequence = definition.sequence


def agreed(channel: Channel, reachable: tuple[str, ...] = OTHERS) -> tuple[bool, list[str]]:
    told: list[str] = []
    return agree(cast(Deployment, channel), DEFINITION, reachable, told.append), told


def test_the_first_one_approves_and_says_who_is_missing() -> None:
    channel = Channel()
    in_force, told = agreed(channel)
    assert not in_force
    assert ("approve", "AlphaMSP") in channel.done
    assert told[-1] == (
        "version 1.1, sequence 2, of consentry: approved by AlphaMSP; not by BetaMSP, GammaMSP; "
        "2 of 3 have to"
    )


def test_whoever_completes_the_majority_commits_with_those_who_approved() -> None:
    channel = Channel("BetaMSP")
    in_force, told = agreed(channel)
    assert in_force
    assert channel.done[-1] == ("commit", ["peer-alpha", "peer-BetaMSP"])
    assert told[-1] == "version 1.1, sequence 2, of consentry is in force"


def test_nothing_is_approved_twice() -> None:
    channel = Channel("AlphaMSP")
    assert not agreed(channel)[0]
    assert not [step for step in channel.done if step[0] == "approve"]


def test_whoever_comes_after_the_commit_approves_and_commits_nothing() -> None:
    channel = Channel("BetaMSP", "GammaMSP", sequence=2)
    assert agreed(channel)[0]
    assert [step[0] for step in channel.done] == ["install", "approve"]


def test_a_majority_that_cannot_be_reached_commits_nothing() -> None:
    channel = Channel("BetaMSP")
    in_force, told = agreed(channel, reachable=("GammaMSP",))
    assert not in_force
    assert told[-1] == "2 of those who approved have to be reached, 1 can be"


def test_another_organization_that_commits_first_is_no_failure() -> None:
    assert agreed(Channel("BetaMSP", commits="another"))[0]
    with pytest.raises(AdministrationError, match="invalid"):
        agreed(Channel("BetaMSP", commits="refused"))


@pytest.mark.parametrize("sequence", [0, 3, 7])
def test_a_directory_that_is_elsewhere_than_the_channel_approves_nothing(sequence: int) -> None:
    channel = Channel(sequence=sequence)
    with pytest.raises(AdministrationError) as refusal:
        agreed(channel)
    assert refusal.value.code == "DEFINITION_DIFFERS"
    done_by = "what the other organizations have done" if sequence > 2 else "what was done here"
    assert done_by in str(refusal.value)
    assert not [step for step in channel.done if step[0] == "approve"]
