"""Which loggers say how much, by Fabric's logging specification, changed while the engine runs.

`[<logger>[,<logger>…]=]<level>[:[<logger>[,<logger>…]=]<level>…]`: a level alone is everybody's; a logger's
level counts for the loggers below it too, unless its name ends with a period.

Source: fabric-lib-go `flogging` (LoggerLevels); Fabric's guide "Logging Control".
"""

from __future__ import annotations

import logging
import re

PAYLOAD = 5
"""Fabric's level below debug; nothing here is logged at it."""

_LEVELS = {
    "payload": ("Level(-2)", PAYLOAD),
    "debug": ("debug", logging.DEBUG),
    "info": ("info", logging.INFO),
    "notice": ("info", logging.INFO),
    "warning": ("warn", logging.WARNING),
    "warn": ("warn", logging.WARNING),
    "error": ("error", logging.ERROR),
    "critical": ("error", logging.ERROR),
    "dpanic": ("dpanic", logging.CRITICAL),
    "panic": ("panic", logging.CRITICAL),
    "fatal": ("fatal", logging.CRITICAL),
}
_NAME = re.compile(r"[A-Za-z0-9_#:-]+(\.[A-Za-z0-9_#:-]+)*")
_Level = tuple[str, int]
_DEFAULT: _Level = _LEVELS["info"]


class SpecificationInvalid(ValueError):
    """A logging specification that cannot be read; says what is wrong in Fabric's words."""


class LogLevels(logging.Filter):
    """The specification in force, as a filter of a handler's records."""

    def __init__(self) -> None:
        super().__init__()
        self._default = _DEFAULT
        self._levels: dict[str, _Level] = {}
        self._found: dict[str, int] = {}

    @property
    def lowest(self) -> int:
        """Below which level no logger says anything."""
        return min(level for _, level in (self._default, *self._levels.values()))

    def activate(self, specification: str) -> None:
        """Put a specification in force, in place of the one before.

        Raises:
            SpecificationInvalid: the one before stays in force.
        """
        default = _DEFAULT
        levels: dict[str, _Level] = {}
        for field in specification.split(":"):
            loggers, separator, level = field.rpartition("=")
            if not separator:
                default = _level(specification, field, field) if field else _DEFAULT
                continue
            levels |= dict.fromkeys(
                _loggers(specification, field, loggers), _level(specification, field, level)
            )
        self._default, self._levels, self._found = default, levels, {}

    def specification(self) -> str:
        """The specification in force, in its normal form."""
        fields = sorted(f"{logger}={name}" for logger, (name, _) in self._levels.items())
        return ":".join([*fields, self._default[0]])

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record's logger says something of its level."""
        level = self._found.get(record.name)
        if level is None:
            level = self._found[record.name] = self._level_of(record.name)
        return record.levelno >= level

    def _level_of(self, logger: str) -> int:
        candidate = f"{logger}."
        while candidate:
            if candidate in self._levels:
                return self._levels[candidate][1]
            candidate = candidate.rpartition(".")[0]
        return self._default[1]


def _level(specification: str, field: str, name: str) -> _Level:
    if name not in (name.lower(), name.upper()) or name.lower() not in _LEVELS:
        raise SpecificationInvalid(f"invalid logging specification '{specification}': bad segment '{field}'")
    return _LEVELS[name.lower()]


def _loggers(specification: str, field: str, names: str) -> list[str]:
    if "=" in names:
        raise SpecificationInvalid(f"invalid logging specification '{specification}': bad segment '{field}'")
    if not names:
        raise SpecificationInvalid(
            f"invalid logging specification '{specification}': no logger specified in segment '{field}'"
        )
    loggers = names.split(",")
    for name in loggers:
        if not _NAME.fullmatch(name.removesuffix(".")):
            raise SpecificationInvalid(
                f"invalid logging specification '{specification}': bad logger name '{name}'"
            )
    return loggers
