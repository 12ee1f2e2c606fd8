"""The tables of docs/ledger-format.md, made from the code. `python -m support.ledger_tables` writes them into
the document.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import consentry_records
from consentry_contracts import contracts
from consentry_records import Record, events, keys, reasons
from consentry_records.delivery import ENDS
from consentry_records.emergency import EMERGENCY_FINDINGS, EMERGENCY_REASONS
from consentry_records.error_catalogue import CATALOGUE
from consentry_records.function import OUTPUT_KINDS
from consentry_records.idempotency import RECORDED_BEFORE, THE_SAME_AGAIN
from consentry_records.kinds import Choice, Flag, Instant, Integer, Kind, Many, Nullable, Table, Text
from consentry_records.model_stage import STAGE_REASONS
from consentry_records.permissions import PERMISSIONS
from consentry_records.record import Nested, field_names
from consentry_records.review import REVIEW_REASONS
from consentry_records.roles import ROLES
from consentry_records.rule_catalogue import RULES
from consentry_records.training import FAILURES
from consentry_records.vocabulary import (
    DUO_TERMS,
    LEGAL_BASES,
    OUTPUTS,
    PURPOSES,
    RESEARCH_TOPICS,
    RESTRICTIONS,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "ledger-format.md"
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def key_table() -> str:
    """Key layout."""
    rows = [(f"`{form}`", meaning) for form, meaning in keys.LAYOUT.items()]
    indexes = [(f"composite: `{name}`, {parts}", words) for name, (parts, words) in keys.INDEXES.items()]
    return table(("key", "value"), [*rows, *indexes])


def transaction_table() -> str:
    """Functions, their arguments and who may call them."""
    rows = []
    for contract in contracts():
        for function, permission in PERMISSIONS.items():
            if function.partition(":")[0] != contract.name:
                continue
            method = getattr(contract, function.partition(":")[2])
            hints = get_type_hints(method)
            arguments = ", ".join(
                f"{name}: {_type_name(hints[name])}"
                for name in inspect.signature(method).parameters
                if name != "ctx"
            )
            rows.append(
                (
                    f"`{function}({arguments})`",
                    "submit" if method.__fabric_kind__ == "transaction" else "evaluate",
                    ", ".join(permission.roles) or "any",
                    permission.kind or "any",
                    ", ".join(permission.transient) or "none",
                )
            )
    return table(("function", "call", "role (one of)", "organization", "transient"), rows)


def permission_table() -> str:
    """Who may call what, a cell for each role."""
    rows = [
        (
            f"`{function}`",
            permission.kind or "any",
            *("yes" if role in permission.roles or not permission.roles else "–" for role in ROLES),
            "–" if permission.roles else "yes",
        )
        for function, permission in PERMISSIONS.items()
    ]
    return table(("function", "organization", *ROLES, "no role"), rows)


def event_table() -> str:
    """Events and their fields."""
    return table(
        ("event", "payload"),
        [(f"`{name}`", ", ".join(fields) or "(empty)") for name, fields in events.EVENTS.items()],
    )


def record_table() -> str:
    """Every record's fields; those that the ledger adds to what a client submits are in italics."""
    rows = []
    for record in _records():
        hints = get_type_hints(record, include_extras=True)
        base = record.__mro__[1]
        submitted = field_names(base) if base is not Record else field_names(record)
        for name in field_names(record):
            if record.__mro__[1] is not Record and name in submitted:
                continue
            rows.append((record.__name__, f"`{name}`", _kind_words(hints[name].__metadata__[0])))
        if base is not Record:
            rows.append((record.__name__, "…", f"and every field of {base.__name__}"))
    return table(("record", "field", "value"), rows)


def code_table() -> str:
    """Errors: code, status, words."""
    return table(
        ("code", "status", "words"), [(f"`{c}`", str(e.status), e.words) for c, e in CATALOGUE.items()]
    )


def reason_table() -> str:
    """Reasons of denials."""
    return table(
        ("reason", "words"), [(f"`{code}`", entry.words) for code, entry in reasons.CATALOGUE.items()]
    )


def rule_table() -> str:
    """Rules of decisions."""
    return table(("rule", "demands that"), [(f"`{rule}`", words) for rule, words in RULES.items()])


def vocabulary_table() -> str:
    """Codes of the vocabularies."""
    groups: list[tuple[str, Mapping[str, str]]] = [
        ("purpose", PURPOSES),
        ("restriction", RESTRICTIONS),
        ("research topic", RESEARCH_TOPICS),
        ("output", OUTPUTS),
        ("kind of a function's output", OUTPUT_KINDS),
        ("end of a delivery", ENDS),
        ("reason of a review", REVIEW_REASONS),
        ("failure of a training session", FAILURES),
        ("reason of a stage", STAGE_REASONS),
        ("emergency", EMERGENCY_REASONS),
        ("finding of an emergency review", EMERGENCY_FINDINGS),
        ("DUO term of a dataset", DUO_TERMS),
        ("legal basis", LEGAL_BASES),
    ]
    return table(
        ("list", "code", "meaning"),
        [(name, f"`{c}`", words) for name, codes in groups for c, words in codes.items()],
    )


def idempotency_table() -> str:
    """What makes a transaction count once."""
    return table(
        ("function", "named by", "second answer"),
        [
            *((f"`{name}`", fields, f"`{code}`") for name, (fields, code) in RECORDED_BEFORE.items()),
            *((f"`{name}`", "", f"done again: {why}") for name, why in THE_SAME_AGAIN.items()),
        ],
    )


TABLES: Mapping[str, Callable[[], str]] = {
    "keys": key_table,
    "transactions": transaction_table,
    "permissions": permission_table,
    "events": event_table,
    "idempotency": idempotency_table,
    "records": record_table,
    "codes": code_table,
    "reasons": reason_table,
    "rules": rule_table,
    "vocabulary": vocabulary_table,
}


def filled(document: str) -> str:
    """The document with every table made anew."""
    return _BLOCK.sub(lambda block: block[1] + "\n" + TABLES[block[2]]() + "\n" + block[3], document)


def _records() -> list[type[Record]]:
    exported = [getattr(consentry_records, name) for name in consentry_records.__all__]
    return [
        value
        for value in exported
        if isinstance(value, type) and issubclass(value, Record) and value is not Record
    ]


def _type_name(annotation: Any) -> str:
    return (
        annotation.__name__
        if isinstance(annotation, type) and not hasattr(annotation, "__args__")
        else str(annotation)
    )


def _kind_words(kind: Kind) -> str:
    match kind:
        case Text(expected=expected):
            return expected
        case Choice(values=values) if len(values) <= 6:
            return "one of " + ", ".join(f"`{value}`" for value in values)
        case Choice():
            return "a code of its vocabulary"
        case Integer(minimum=minimum, maximum=maximum):
            return f"whole number, {minimum} to {maximum}"
        case Flag():
            return "true or false"
        case Instant():
            return "instant"
        case Nullable(kind=inner):
            return _kind_words(inner) + ", or null"
        case Many(kind=inner, minimum=minimum, maximum=maximum):
            return f"list of {minimum} to {maximum}: {_kind_words(inner)}"
        case Table(maximum=maximum):
            return f"object of at most {maximum} decimal numbers as text"
        case Nested(record=record):
            return record.__name__
    words: str = type(kind).__doc__ or ""
    return words.partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
