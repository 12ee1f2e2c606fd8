"""Comments ``# deterministic: reason``."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fabric_shim.determinism.findings import Finding

_COMMENT = re.compile(r"#\s*deterministic\b:?\s*(?P<reason>.*)", re.DOTALL)
_WORD = re.compile(r"\w{2,}")


@dataclass(frozen=True, slots=True)
class _Exemption:
    line: int
    exempted: int
    has_reason: bool


def apply_exemptions(findings: Iterable[Finding], source: str, path: str) -> Iterator[Finding]:
    """Findings that no comment exempts, and those about comments without reason or without finding."""
    exemptions = list(_exemptions(source))
    exempted = {exemption.exempted for exemption in exemptions if exemption.has_reason}
    lines = set()
    for finding in findings:
        lines.add(finding.line)
        if finding.line not in exempted:
            yield finding
    for exemption in exemptions:
        if not exemption.has_reason:
            yield Finding(path, exemption.line, "EXEMPTION_INVALID", "got an exemption without a reason")
        elif exemption.exempted not in lines:
            yield Finding(path, exemption.line, "EXEMPTION_INVALID", "got an exemption that exempts nothing")


def _exemptions(source: str) -> Iterator[_Exemption]:
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and (match := _COMMENT.fullmatch(token.string)):
            line = token.start[0]
            alone = lines[line - 1].lstrip().startswith("#")
            exempted = _next_code_line(lines, line) if alone else line
            yield _Exemption(line, exempted, _WORD.search(match["reason"]) is not None)


def _next_code_line(lines: list[str], line: int) -> int:
    # A reason may go on over more lines of comment.
    following = line + 1
    while following <= len(lines) and lines[following - 1].lstrip().startswith("#"):
        following += 1
    return following
