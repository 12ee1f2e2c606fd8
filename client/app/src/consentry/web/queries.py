"""Filters in addresses: shareable, each field of its form, none twice and none unknown."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from consentry.index import AccessFilter, TransactionFilter
from consentry.web.errors import PageRefused
from consentry_records.instants import format_instant
from consentry_records.reasons import CATALOGUE
from consentry_records.vocabulary import PURPOSES

LARGEST_BLOCK = 2**53 - 1


def _absent(value: Any) -> Any:
    """A form sends its empty fields, too."""
    return None if value == "" else value


def _matching(pattern: str) -> AfterValidator:
    """Refuses texts that are not wholly of a pattern."""
    compiled = re.compile(pattern)

    def check(value: str | None) -> str | None:
        if value is not None and not compiled.fullmatch(value):
            raise ValueError("another form")
        return value

    return AfterValidator(check)


_Empty = BeforeValidator(_absent)
_Id = Annotated[str | None, _Empty, _matching(r"[a-z]{1,20}-[0-9a-f]{32}")]
_Name = Annotated[str | None, _Empty, _matching(r"[A-Za-z0-9._-]{1,64}")]
_MspId = Annotated[str | None, _Empty, _matching(r"[A-Za-z0-9.-]{1,64}")]
_Cursor = Annotated[str | None, _Empty, _matching(r"[0-9]{1,15}\.[0-9]{1,9}")]
_Code = Annotated[str | None, _Empty, _matching(r"[A-Z0-9_]{1,64}")]
_Function = Annotated[str | None, _Empty, _matching(r"[a-z_]{1,32}:[a-z_]{1,64}")]
_Purpose = Annotated[str | None, _Empty, _matching(r"[A-Z0-9:]{1,32}")]
# Instants of the ledger begin with 1970.
_Day = Annotated[Annotated[date, Field(ge=date(1970, 1, 1))] | None, _Empty]


def _block(value: Any) -> Any:
    if value in ("", None):
        return None
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16):
        raise ValueError("expected the number of a block")
    return value


_Block = Annotated[int | None, BeforeValidator(_block)]


class Filter(BaseModel):
    """Fields that an address may carry."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: _Cursor = None

    def link(self, path: str, **changes: object) -> str:
        """The address of a page with this filter, some fields changed; it starts at the first page."""
        values = self.model_dump(exclude_none=True) | {"after": None} | changes
        query = urlencode({name: str(value) for name, value in values.items() if value is not None})
        return f"{path}?{query}" if query else path

    @property
    def is_empty(self) -> bool:
        """Whether it restricts nothing."""
        return not self.model_dump(exclude_none=True, exclude={"after"})


class AccessQuery(Filter):
    """Filter of accesses. Persons are not among its fields: addresses end in histories and mails."""

    custodian: _MspId = None
    requester_msp: _MspId = None
    dataset: _Name = None
    purpose: _Purpose = None
    outcome: Annotated[Literal["permit", "deny", "open"] | None, _Empty] = None
    reason: _Code = None
    grant: _Id = None
    session: _Id = None
    model: _Id = None
    since: _Day = None
    until: _Day = None
    from_block: _Block = None
    to_block: _Block = None

    def wanted(self) -> AccessFilter:
        """The same for the index.

        Raises:
            PageRefused: FIELD_INVALID, a purpose or reason that the ledger does not know.
        """
        if self.purpose not in (None, *PURPOSES) or self.reason not in (None, *CATALOGUE):
            raise PageRefused(400, "FIELD_INVALID", "purpose or reason: an unknown code")
        since, until = _instants(self.since, self.until)
        return AccessFilter(
            since=since,
            until=until,
            **self.model_dump(exclude={"after", "since", "until"}),
        )


class TransactionQuery(Filter):
    """Filter of transactions."""

    code: _Code = None
    invalid: Annotated[Literal["yes"] | None, _Empty] = None
    organization: _MspId = None
    function: _Function = None
    since: _Day = None
    until: _Day = None
    from_block: _Block = None
    to_block: _Block = None

    def wanted(self) -> TransactionFilter:
        """The same for the index."""
        since, until = _instants(self.since, self.until)
        return TransactionFilter(
            code_name=self.code,
            invalid_only=self.invalid == "yes",
            creator_msp=self.organization,
            function=self.function,
            since=since,
            until=until,
            from_block=self.from_block,
            to_block=self.to_block,
        )


def refuse_doubled(request: Request) -> None:
    """Refuse an address with a field twice: two readers of it could mean two things.

    Raises:
        PageRefused: FIELD_INVALID.
    """
    names = [name for name, _ in request.query_params.multi_items()]
    if len(set(names)) != len(names):
        raise PageRefused(400, "FIELD_INVALID", "a field stands twice in the address")


def _instants(since: date | None, until: date | None) -> tuple[str | None, str | None]:
    """Days as the instants at which they begin and, the last, end."""
    try:
        end = None if until is None else until + timedelta(days=1)
    except OverflowError:
        end = None
    return _midnight(since), _midnight(end)


def _midnight(day: date | None) -> str | None:
    return None if day is None else format_instant(datetime(day.year, day.month, day.day, tzinfo=UTC))
