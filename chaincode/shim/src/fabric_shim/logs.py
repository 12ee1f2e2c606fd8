"""Log lines of a chaincode process: text, or one JSON object a line with the transaction's id as a field."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fabric_shim.errors import ConfigurationError
from fabric_shim.outcomes import describe_error

_log = logging.getLogger("fabric_shim")

_TEXT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"


class TextFormatter(logging.Formatter):
    """Time, level, logger, message and, of an exception, only the type, for its text may quote a payload."""

    def __init__(self) -> None:
        super().__init__(_TEXT)

    def formatException(self, ei: Any) -> str:  # noqa: D102 - logging's name
        return f"({ei[0].__name__})" if ei and ei[0] is not None else ""


class JsonFormatter(logging.Formatter):
    """``time``, ``level``, ``logger``, ``message`` and, where there is one, ``transaction_id``."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; of an exception only the type, for its text may quote a payload."""
        document: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (transaction_id := getattr(record, "transaction_id", None)) is not None:
            document["transaction_id"] = transaction_id
        if record.exc_info and record.exc_info[0] is not None:
            document["exception"] = record.exc_info[0].__name__
        return json.dumps(document, ensure_ascii=False)


def configure_logging(environment: Mapping[str, str]) -> None:
    """Log to standard error as ``CHAINCODE_LOG_FORMAT`` says: ``text`` (the default) or ``json``.

    Raises:
        ConfigurationError: it says something else.
    """
    kind = environment.get("CHAINCODE_LOG_FORMAT") or "text"
    if kind not in ("text", "json"):
        raise ConfigurationError(f"CHAINCODE_LOG_FORMAT is {kind!r}, expected text or json")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if kind == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # It tells of every stream that a peer resets; what matters of that is told by this package.
    logging.getLogger("grpclib").setLevel(logging.WARNING)


def log_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What an event loop tells of an error that nobody handled: its kind and place.

    asyncio itself would log the exception's words, which may quote what a peer sent.
    """
    error = context.get("exception")
    place = f" ({describe_error(error)})" if isinstance(error, BaseException) else ""
    _log.error("%s%s", context.get("message", "an error that nobody handled"), place)
