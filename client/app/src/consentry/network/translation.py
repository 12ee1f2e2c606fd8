"""Engines raise their own errors; the application has one tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from consentry.errors import ConsentryError
from fabric_operator.errors import OperatorError
from fabric_protocol.errors import ProtocolError


@contextmanager
def translated() -> Iterator[None]:
    """Raise an engine's error as a ConsentryError with the same code and sentence."""
    try:
        yield
    except (OperatorError, ProtocolError) as error:
        raise ConsentryError(error.code, error.message) from error
