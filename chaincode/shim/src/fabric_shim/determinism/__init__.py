"""A lint for contract code: finds what can make two endorsers come to different results.

    python -m fabric_shim.determinism PATH…

It reads the syntax tree and runs nothing. What it cannot see (a library that reads the clock, a set that a
function returns) a replay in a second process can: ``fabric_testing.replay``.

A line is exempted by a comment on it, or alone on the line above, that says why:

    _PARSED: dict[str, Rule] = {}
    ...
        _PARSED[text] = rule  # deterministic: a cache; the value follows from the key

A comment without a reason, and one that exempts nothing, are findings themselves.
"""

from fabric_shim.determinism.checking import check_paths, check_source
from fabric_shim.determinism.findings import RULES, Finding

__all__ = ["RULES", "Finding", "check_paths", "check_source"]
