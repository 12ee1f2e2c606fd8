"""Answers of the trail as pandas frames, a row an item; instants become times in UTC, empty ones missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any

import pandas as pd

from consentry.index.accesses import Access
from consentry.index.interpretation import TransactionRow
from consentry.index.record_kinds import RECORD_KINDS
from consentry.index.rows import RecordRow
from consentry_records.kinds import INSTANT, Nullable
from consentry_records.record import field_kinds, field_names

_PLACE = ("owner", "honoured", "block", "transaction_id")
_ACCESS_TIMES = ("attempted_at", "decided_at", "permit_not_after")


def access_frame(items: Iterable[Access]) -> pd.DataFrame:
    """The fields of `Access`; roles, rules and the codes of the reasons are lists."""
    rows = [
        {
            **asdict(item),
            "roles": list(item.roles),
            "rules": list(item.rules),
            "reasons": [reason.code for reason in item.reasons],
        }
        for item in items
    ]
    return _with_times(_frame(rows, _names(Access)), _ACCESS_TIMES).astype({"decision_block": "Int64"})


def transaction_frame(items: Iterable[TransactionRow]) -> pd.DataFrame:
    """The fields of `TransactionRow`; endorsers are a list."""
    rows = [
        {**asdict(item), "endorsers": [msp_id for msp_id in item.endorsers.split(",") if msp_id]}
        for item in items
    ]
    return _with_times(_frame(rows, _names(TransactionRow)), ("proposal_time",))


def record_frame(kind: str, rows: Iterable[RecordRow]) -> pd.DataFrame:
    """The fields of the kind's record, then where it stands: owner, honoured, block, transaction_id.

    A record that cannot be read has missing values in its own fields.
    """
    record = RECORD_KINDS[kind].record
    names = field_names(record)
    found = [
        {**{name: row.body.get(name) for name in names}, **{name: getattr(row, name) for name in _PLACE}}
        for row in rows
    ]
    times = [name for name, value in field_kinds(record) if _is_instant(value)]
    return _with_times(_frame(found, list(dict.fromkeys((*names, *_PLACE)))), times)


def _is_instant(kind: object) -> bool:
    return kind is INSTANT or (isinstance(kind, Nullable) and kind.kind is INSTANT)


def _names(row: type[Any]) -> list[str]:
    return [field.name for field in fields(row)]


def _frame(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(names))


def _with_times(frame: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    for name in names:
        values = [value or None for value in frame[name]]
        frame[name] = pd.to_datetime(pd.Series(values, index=frame.index, dtype="object"), utc=True)
    return frame
