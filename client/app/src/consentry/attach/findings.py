"""What was found of a network that shall be used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What a finding means."""

    OK = "ok"
    WARNING = "warning"
    """The network can be used, and something is worth knowing."""
    REFUSED = "refused"
    """The network cannot be used so."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        subject: What, such as `peer0.org1.example.com` or `chaincode consentry`.
        state: What it means.
        sentence: What was found, what was expected, what to do.
        code: Stable code in upper case, empty when all is well.
    """

    subject: str
    state: State
    sentence: str
    code: str = ""


def fine(subject: str, sentence: str) -> Finding:
    """Nothing to complain of."""
    return Finding(subject, State.OK, sentence)


def refused(subject: str, code: str, sentence: str) -> Finding:
    """Something without which the network cannot be used."""
    return Finding(subject, State.REFUSED, sentence, code)


def warning(subject: str, code: str, sentence: str) -> Finding:
    """Something that is worth knowing."""
    return Finding(subject, State.WARNING, sentence, code)
