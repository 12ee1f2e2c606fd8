"""How an earlier form of a record becomes the next one: functions for `Record.MIGRATIONS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .record import Migration


def adding(schema: str, fields: Mapping[str, Any]) -> Migration:
    """The migration to a form with some fields more, which have these values in earlier records."""

    def migrate(value: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**fields, **value, "schema": schema}

    return migrate
