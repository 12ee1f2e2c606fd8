"""The one error of this package."""

from __future__ import annotations

from consentry.errors import InputRejected


class ActionRefused(InputRejected):
    """What is offered for signing is not described, and so not signed; nothing was sent.

    Codes: ACTION_MALFORMED, ACTION_UNKNOWN, ARGUMENT_INVALID, ACTION_OF_OTHER, ACTION_ELSEWHERE,
    ACTION_STALE, ACTION_DIFFERS.
    """
