"""The one error of the ledger's records and contracts, and its form on the wire.

LedgerError            a code of the catalogue with fields; on the wire JSON {"code","fields","message"}
└── FieldError         bad input at one field of a record (FIELD_INVALID, FIELD_MISSING, FIELD_UNKNOWN)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from .error_catalogue import CATALOGUE

_DEFAULT_STATUS = 400


class LedgerError(Exception):
    """A refusal with a stable code, typed fields and a sentence.

    Parameters: `code`, upper snake case; `fields`, ids, codes and numbers that the words use; `message`,
    only for a code that the catalogue lacks (one that came over the wire, of a newer ledger or the shim).
    Raises ValueError when a code has neither words nor a message, or when a field of its words lacks.
    """

    def __init__(
        self, code: str, fields: Mapping[str, str | int] | None = None, message: str | None = None
    ) -> None:
        self.code = code
        self.fields: Mapping[str, str | int] = MappingProxyType(dict(fields or {}))
        self.message = _words(code, self.fields) if message is None else message
        super().__init__(f"{code}: {self.message}")

    @property
    def status(self) -> int:
        """The chaincode response's status: 400, 403, 404 or 409."""
        entry = CATALOGUE.get(self.code)
        return entry.status if entry is not None else _DEFAULT_STATUS


class FieldError(LedgerError):
    """One field of a record is wrong; `field` is a path such as `consents[3].purposes[0]`."""

    def within(self, record: str, prefix: str) -> FieldError:
        """The same error seen from the record that holds the wrong one under `prefix`."""
        inner = str(self.fields["field"])
        separator = "" if not inner or inner.startswith("[") else "."
        path = f"{prefix}{separator}{inner}" if prefix else inner
        return FieldError(self.code, {**self.fields, "record": record, "field": path})


def field_invalid(expected: str, value: object) -> FieldError:
    """A FIELD_INVALID error for a value that is described by its type and size, never repeated."""
    return FieldError(
        "FIELD_INVALID", {"record": "", "field": "", "expected": expected, "got": describe(value)}
    )


def describe(value: object) -> str:
    """Type and size of a value, in words that cannot hold what the value says."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "a whole number outside the range" if abs(value) >= 2**53 else "a whole number"
        case float():
            return "a floating-point number"
        case str() if not value.isascii() or not value.isprintable():
            return f"text of {len(value)} characters, some outside printable ASCII"
        case str():
            return f"text of {len(value)} characters"
        case bytes():
            return f"{len(value)} bytes"
        case list() | tuple():
            return f"a list of {len(value)}"
        case Mapping():
            return "an object"
    return f"a {type(value).__name__}"


def to_wire(error: LedgerError) -> str:
    """The response message of a refused transaction: canonical JSON {"code","fields","message"}."""
    document = {"code": error.code, "fields": dict(error.fields), "message": error.message}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_wire(text: str) -> LedgerError | None:
    """The refusal in a peer's or gateway's error text, or None where there is none.

    Fabric puts words before a chaincode's message ("chaincode response 403, {…}"); what stands before
    the first brace and after the document is left out of account.
    """
    start = text.find("{")
    if start < 0:
        return None
    try:
        document, _ = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or set(document) != {"code", "fields", "message"}:
        return None
    code, fields, message = document["code"], document["fields"], document["message"]
    if not (isinstance(code, str) and isinstance(message, str) and isinstance(fields, dict)):
        return None
    if not all(isinstance(value, str | int) for value in fields.values()):
        return None
    return LedgerError(code, fields, message)


def _words(code: str, fields: Mapping[str, str | int]) -> str:
    entry = CATALOGUE.get(code)
    if entry is None:
        raise ValueError(f"{code} is not in the catalogue of errors; give its message")
    try:
        return entry.words.format_map(fields)
    except KeyError as lacking:
        raise ValueError(f"{code} needs the field {lacking}") from lacking
