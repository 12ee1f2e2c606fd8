"""Structured logs: one JSON object a line, to standard error; what callers sent never gets into one."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from fabric_embedded.log_levels import LogLevels

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
log_levels = LogLevels()
"""Which of this process's loggers say how much."""

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
    handler.addFilter(log_levels)
    logging.basicConfig(handlers=[handler], force=True)
    set_log_levels(level)
    # Its lines about starting and stopping five times over say nothing that ours do not.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def set_log_levels(specification: str) -> None:
    """Change which of this process's loggers say how much.

    Parameters:
        specification: in Fabric's form, see `log_levels`.

    Raises:
        SpecificationInvalid: nothing has changed.
    """
    log_levels.activate(specification)
    # Records that no logger would show are not even made.
    logging.getLogger().setLevel(log_levels.lowest)
