"""What several reports ask of the trail index."""

from collections.abc import Iterable

from consentry.index import Access, Trail
from consentry.reports.report import Completeness

_WORDS = {"permit": "permitted", "deny": "denied", "open": "open"}


def completeness_of(trail: Trail) -> Completeness:
    """How far what a report will say is complete.

    Raises:
        IndexFault: INDEX_EMPTY.
    """
    status = trail.status()
    return Completeness(
        channel=status.channel,
        last_block=status.last_block,
        header_hash=status.last_header_hash,
        genesis_hash=status.genesis_hash,
        anchored=status.anchored,
    )


def attempts_by_outcome(accesses: Iterable[Access]) -> dict[str, list[str]]:
    """Instants of attempts by what came of them, for a time line."""
    found: dict[str, list[str]] = {word: [] for word in _WORDS.values()}
    for access in accesses:
        found[_WORDS[access.outcome]].append(access.attempted_at)
    return found
