"""Structured logs: one JSON object a line, to standard error; what callers sent never gets into one."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_STANDARD = frozenset(vars(logging.makeLogRecord({})))


class JsonFormatter(logging.Formatter):
    """Time, level, logger, message, and the fields that a call added.

    An exception shows as its type alone: its text may quote what somebody sent.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        document: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        document |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[0] is not None:
            document["error"] = record.exc_info[0].__name__
        return json.dumps(document, default=lambda value: type(value).__name__)


def configure_logs(level: str) -> None:
    """Send this process's logs to standard error.

    Parameters:
        level: one of `LEVELS`.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Its lines about starting and stopping five times over say nothing that ours do not.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
