"""How commands end: exit statuses that scripts can use, and what standard error says."""

from collections.abc import Iterator
from enum import IntEnum

from consentry.errors import ConsentryError, FrameRejected, LedgerUnreachable


class ExitStatus(IntEnum):
    """What a command's exit status says."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    NOT_ANCHORED = 3
    UNREACHABLE = 4


def status_of(error: ConsentryError) -> ExitStatus:
    """The exit status for an error."""
    return ExitStatus.UNREACHABLE if isinstance(error, LedgerUnreachable) else ExitStatus.REFUSED


def lines_of(error: ConsentryError) -> Iterator[str]:
    """An error in one sentence; of a faulty file every fault in a line of its own."""
    if not isinstance(error, FrameRejected):
        yield f"Error ({error.code}): {error.message}"
        return
    yield f"Error ({error.code}): {error.summary}; the first row below the header is row 1:"
    for problem in error.problems:
        yield f"  row {problem.row + 1}, {problem.column}: {problem.message}"
