"""How commands end: exit statuses that scripts can use, and one sentence on standard error."""

from enum import IntEnum

from consentry.errors import ConsentryError, LedgerUnreachable


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
