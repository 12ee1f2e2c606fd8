"""What the lint reports."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CLOCK": "each peer has a clock of its own; use ctx.proposal_time",
        "RANDOMNESS": "each peer draws something else; let the client pass it",
        "ENVIRONMENT": "processes, machines and Python versions differ from peer to peer",
        "NETWORK": "answers of a network differ from peer to peer; let the client pass the data",
        "FILES": "files differ from peer to peer; keep data in state",
        "SUBPROCESS": "other programs differ from peer to peer",
        "THREADS": "concurrent work ends in another order each time; asyncio.gather of reads is safe",
        "LOCALE": "locale and local time zone differ from peer to peer; write a fixed format in UTC",
        "FLOAT": "floating-point numbers have no one text form in records; use integers or decimal text",
        "SET_ORDER": "a set's order differs from process to process; sort it",
        "GLOBAL_STATE": "what is kept between transactions differs from peer to peer; keep it in state",
        "IDENTITY": "hash() and id() differ from process to process; use hashlib",
        "DYNAMIC_CODE": "code that is made at run time cannot be checked",
        "OWN_WRITE": "reads see committed state only; keep what was written in a variable",
        "EXEMPTION_INVALID": "write `# deterministic: reason` on a line that has a finding",
        "SYNTAX": "the file is no Python source that this Python can read",
    }
)
"""Every code that the lint reports, with the words on what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One place that can make endorsers differ.

    Attributes:
        path: the file, as it was named.
        line: from 1.
        code: a name of ``RULES``.
        what: what stands there.
    """

    path: str
    line: int
    code: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code}: {self.what}; {RULES[self.code]}"


Found = Iterator[tuple[int, str, str]]
"""Line, code and description, as the single checks yield them."""


def found(node: ast.AST, code: str, what: str) -> tuple[int, str, str]:
    """A finding at a node."""
    return getattr(node, "lineno", 1), code, what
