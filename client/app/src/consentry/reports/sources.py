"""What several reports ask of the trail index."""

from collections.abc import Iterable

from consentry.index import Access, Trail
from consentry.index.accesses import AccessCount
from consentry.index.checkpoint import require_checkpoint
from consentry.reports.report import Completeness

_WORDS = {"permit": "permitted", "deny": "denied", "open": "open"}


def completeness_of(trail: Trail) -> Completeness:
    """How far what a report will say is complete.

    Raises:
        IndexFault: INDEX_EMPTY.
    """
    with trail.snapshot() as connection:
        found = require_checkpoint(connection)
    return Completeness(
        channel=found.channel,
        last_block=found.position.next_block - 1,
        header_hash=found.position.header_hash.hex(),
        genesis_hash=found.position.genesis_hash.hex(),
        anchored=found.anchored,
    )


def days_by_outcome(counts: Iterable[AccessCount]) -> dict[str, dict[str, int]]:
    """Numbers of attempts by what came of them and by day, for a time line."""
    found: dict[str, dict[str, int]] = {word: {} for word in _WORDS.values()}
    for entry in counts:
        days = found[_WORDS[entry.outcome]]
        days[entry.day] = days.get(entry.day, 0) + entry.count
    return found


def attempts_by_outcome(accesses: Iterable[Access]) -> dict[str, list[str]]:
    """Instants of attempts by what came of them, for a time line."""
    found: dict[str, list[str]] = {word: [] for word in _WORDS.values()}
    for access in accesses:
        found[_WORDS[access.outcome]].append(access.attempted_at)
    return found
