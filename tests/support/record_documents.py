"""Hypothesis strategies made of the records' kinds: documents whose every field fits."""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_type_hints

from hypothesis import strategies as st
from support.ledger_examples import NORTHGATE, RIVERSIDE, START, digest, identifier, new_version

from consentry_records.instants import format_instant, parse_instant
from consentry_records.kinds import Choice, Flag, Instant, Integer, Kind, Many, Nullable, Table, Text
from consentry_records.record import Nested, Record, field_names

R = TypeVar("R", bound=Record)

INSTANTS = st.datetimes(
    min_value=parse_instant("1970-01-01T00:00:00.000Z").replace(tzinfo=None),
    max_value=parse_instant("9999-12-31T23:59:59.999Z").replace(tzinfo=None),
    timezones=st.just(parse_instant(START).tzinfo),
).map(format_instant)


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Values that a kind reads."""
    match kind:
        case Text():
            return _texts(kind.pattern)
        case Choice():
            return st.sampled_from(list(kind.values))
        case Integer():
            return st.integers(kind.minimum, kind.maximum)
        case Flag():
            return st.booleans()
        case Instant():
            return INSTANTS
        case Nullable():
            return st.none() | values(kind.kind)
        case Many():
            unique = None if isinstance(kind.kind, Nested) else lambda item: item
            limit = min(kind.maximum, kind.minimum + 3)
            return st.lists(values(kind.kind), min_size=kind.minimum, max_size=limit, unique_by=unique)
        case Table():
            return st.dictionaries(
                st.from_regex(r"[a-z0-9][a-z0-9_-]{0,9}", fullmatch=True), values(kind.kind), max_size=4
            )
        case Nested():
            return documents(kind.record)
    return _SPECIAL[type(kind).__name__]


def _texts(pattern: re.Pattern[str]) -> st.SearchStrategy[str]:
    """Texts of a pattern. The digits of a digest or an id come from one number: each alone takes long."""
    found = re.fullmatch(r"(.*)\[0-9a-f\]\{(\d+)\}", pattern.pattern)
    if found is None or "|" in found[1]:
        return st.from_regex(pattern, fullmatch=True)
    count = int(found[2])
    digits = st.integers(0, 16**count - 1).map(lambda number: f"{number:0{count}x}")
    return st.builds(str.__add__, st.from_regex(found[1], fullmatch=True), digits)


_SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "Recipient": st.sampled_from(["ANY_MEMBER", "ANY_HOSPITAL", NORTHGATE, RIVERSIDE]),
    "_Recipient1": st.sampled_from(["ANY_MEMBER", NORTHGATE, RIVERSIDE]),
    "ColumnName": st.sampled_from(["age", "tumour stage", "größe", "年齢"]),
    "PrintableText": st.sampled_from(["paper form", "2025-1"]),
    "_Encrypted": st.sampled_from(["AA==", "c29tZXRoaW5n"]),
}


def documents(record: type[R]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects whose every field fits; rules over several fields may still refuse one."""
    if record.__name__ == "Reason":
        return _reasons()
    hints = get_type_hints(record, include_extras=True)
    if record.__name__ == "ConsentBatch":
        return _batches()
    if record.__name__ in ("NewDelivery", "Delivery"):
        return _deliveries(record)
    if record.__name__ in ("NewAccessAttempt", "AccessAttempt"):
        return _attempts(record)
    if record.__name__ == "VersionUpdate":
        return _version_updates()
    return st.fixed_dictionaries({name: values(hints[name].__metadata__[0]) for name in field_names(record)})


@st.composite
def _reasons(draw: st.DrawFn) -> dict[str, Any]:
    from consentry_records.reasons import CATALOGUE

    code = draw(st.sampled_from(sorted(CATALOGUE)))
    parameters = {name: draw(values(kind)) for name, kind in CATALOGUE[code].parameters.items()}
    return {"code": code, "parameters": parameters}


@st.composite
def _batches(draw: st.DrawFn) -> dict[str, Any]:
    from consentry_records import ConsentBatch

    hints = get_type_hints(ConsentBatch, include_extras=True)
    drawn = {name: draw(values(hints[name].__metadata__[0])) for name in field_names(ConsentBatch)}
    count = len(drawn["subjects"])
    return {**drawn, "chosen": [0] * count, "claimed_at": draw(st.sampled_from([[], [None] * count]))}


@st.composite
def _deliveries(draw: st.DrawFn, record: type[Record]) -> dict[str, Any]:
    """A delivery whose counts add up: none is drawn by chance."""
    from support.function_examples import computation

    hints = get_type_hints(record, include_extras=True)
    drawn = {name: draw(values(hints[name].__metadata__[0])) for name in field_names(record)}
    reasons = st.sampled_from(["ended", "erased", "limited", "not-covered"])
    left_out = draw(st.dictionaries(reasons, st.integers(1, 1000)))
    first, rows = draw(st.integers(0, 1000)), draw(st.integers(0, 1000))
    starts, ends = sorted((drawn["started_at"], drawn["ended_at"]))
    completed = draw(st.sampled_from([None, computation()]))
    failed = draw(st.sampled_from([None, computation(outputs=[])]))
    if drawn["end"] in ("function-failed", "limit-exceeded", "outputs-refused"):
        failed = computation(outputs=[])
    drawn["computation"] = completed if drawn["end"] == "completed" else failed
    gone_through = {"first_row": first, "next_row": first + rows + sum(left_out.values()), "row_count": rows}
    return {**drawn, **gone_through, "left_out": left_out, "started_at": starts, "ended_at": ends}


@st.composite
def _attempts(draw: st.DrawFn, record: type[Record]) -> dict[str, Any]:
    """An attempt without a function, or one for aggregates."""
    hints = get_type_hints(record, include_extras=True)
    drawn = {name: draw(values(hints[name].__metadata__[0])) for name in field_names(record)}
    if drawn["function_digest"] is not None:
        drawn |= {"output": "aggregate", "emergency": None}
    return drawn


@st.composite
def _version_updates(draw: st.DrawFn) -> dict[str, Any]:
    """A version that names just the rows that are removed: no such one is drawn by chance."""
    from consentry_records.rows import rows_root_of_digests

    removed = draw(st.lists(st.sampled_from([digest("first"), digest("second")]), min_size=1, unique=True))
    fitting = {
        "number": draw(st.integers(1, 999_999)),
        "supersedes": identifier("version", 2),
        "removed_count": len(removed),
        "removed_root": rows_root_of_digests(tuple(removed)),
    }
    return {"version": new_version().to_dict() | fitting, "removed": removed}
