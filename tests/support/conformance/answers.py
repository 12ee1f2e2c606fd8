"""Recorded answers of real Fabric, and the differences that the embedded engine may have from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

_DIRECTORY = Path(__file__).parents[2] / "conformance"
RECORDED = _DIRECTORY / "fabric-3.1.5.json"
ALLOWED = _DIRECTORY / "allowed_differences.json"
SMARTBFT = _DIRECTORY / "smartbft_differences.json"
Answers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Difference:
    """One place where two engines differ: scenario/label/…, and what each answered."""

    place: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.place}\n  expected {json.dumps(self.expected)}\n  got      {json.dumps(self.got)}"


@dataclass(frozen=True)
class AllowedDifference:
    """Places (a pattern, as of the shell) that may differ, and why."""

    place: str
    reason: str

    def covers(self, difference: Difference) -> bool:
        """Whether a difference is this one."""
        return fnmatchcase(difference.place, self.place)


def recorded_answers() -> Answers:
    """What real Fabric answered when `record.py` asked."""
    answers: Answers = json.loads(RECORDED.read_text(encoding="utf-8"))
    return answers


def allowed_differences(file: Path = ALLOWED) -> list[AllowedDifference]:
    """A list of them, which is data: the embedded engine's, or those of a network that SmartBFT orders."""
    return [AllowedDifference(**item) for item in json.loads(file.read_text(encoding="utf-8"))]


def write_answers(answers: Answers) -> None:
    """Keep answers, a label a line."""
    lines = []
    for scenario, labels in answers.items():
        entries = [
            f"{json.dumps(label)}: {json.dumps(value, separators=(',', ':'))}"
            for label, value in labels.items()
        ]
        lines.append(json.dumps(scenario) + ": {\n" + ",\n".join(entries) + "\n}")
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def differences(expected: Any, got: Any, place: str = "") -> Iterator[Difference]:
    """Every place where two answers differ."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in sorted(expected.keys() | got.keys()):
            inner = f"{place}/{name}" if place else name
            yield from differences(expected.get(name, "nothing"), got.get(name, "nothing"), inner)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for number, (first, second) in enumerate(zip(expected, got, strict=True)):
            yield from differences(first, second, f"{place}/{number}")
    elif expected != got:
        yield Difference(place, expected, got)
