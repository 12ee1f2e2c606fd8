"""Rows of tables that several pages show: dataset versions, grants, sessions, model versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consentry.index.rows import RecordRow

EXPIRED = "expired"
NOT_YET = "not-yet"
_ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """One dataset version.

    Attributes:
        version_id: its id.
        dataset_id: its dataset.
        name: the dataset's name.
        number: which of the dataset's versions.
        custodian: MSP id of who holds the data.
        state: ``active`` or ``retired``.
        retirement: code of why it was retired; empty if it was not.
        row_count: how many rows it has.
        removed_count: how many rows it lacks against the one whose place it takes.
        categories: categories of the data.
        legal_bases: codes of the legal bases.
        terms: codes of the DUO terms.
        derived_from: ids of the versions that it was made from.
        supersedes: id of the version whose place it takes; empty if there is none.
        registered_at: when, by the registering person's clock.
        block: block that registered it.
        honoured: False if its custodian did not endorse it.
    """

    version_id: str
    dataset_id: str
    name: str
    number: int
    custodian: str
    state: str
    retirement: str
    row_count: int
    removed_count: int
    categories: tuple[str, ...]
    legal_bases: tuple[str, ...]
    terms: tuple[str, ...]
    derived_from: tuple[str, ...]
    supersedes: str
    registered_at: str
    block: int
    honoured: bool


@dataclass(frozen=True, slots=True)
class GrantEntry:
    """One grant as it stands at an instant.

    Attributes:
        grant_id: its id.
        custodian: MSP id of who gave it.
        grantee: MSP id of who may use the data.
        purposes: purpose codes.
        not_before: when it begins.
        not_after: when it ends.
        state: ``active``, ``revoked``, ``suspended``, ``expired`` or ``not-yet``.
        honoured: False if its custodian did not endorse it.
    """

    grant_id: str
    custodian: str
    grantee: str
    purposes: tuple[str, ...]
    not_before: str
    not_after: str
    state: str
    honoured: bool


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """One training session: who trained which model, for which purpose, when, and how it ended."""

    session_id: str
    model_id: str
    msp_id: str
    trainer: str
    purpose: str
    commercial: bool
    versions: tuple[str, ...]
    started_at: str
    ended_at: str
    state: str


@dataclass(frozen=True, slots=True)
class ModelVersionEntry:
    """One model version: of which model, made from what, with which metrics, registered when and by whom."""

    model_version_id: str
    model_id: str
    parent: str
    sessions: tuple[str, ...]
    metrics: tuple[tuple[str, str], ...]
    registered_at: str
    registered_by: str
    block: int


def version_entry(row: RecordRow) -> VersionEntry:
    """A row of the index as a dataset version; what cannot be read is empty."""
    body = row.body
    return VersionEntry(
        version_id=row.record_id,
        dataset_id=_text(body, "dataset_id"),
        name=_text(body, "name"),
        number=int(body.get("number") or 0),
        custodian=row.owner,
        state=row.state,
        retirement=_text(body.get("retirement") or {}, "reason"),
        row_count=int(body.get("row_count") or 0),
        removed_count=int(body.get("removed_count") or 0),
        categories=_texts(body, "categories"),
        legal_bases=_texts(body, "legal_bases"),
        terms=_texts(body, "duo_terms"),
        derived_from=_texts(body, "derived_from"),
        supersedes=_text(body, "supersedes"),
        registered_at=_text(body, "registered_at"),
        block=row.first_block,
        honoured=row.honoured,
    )


def grant_entry(row: RecordRow, at: str) -> GrantEntry:
    """A row of the index as a grant at an instant; what cannot be read is empty."""
    body = row.body
    return GrantEntry(
        grant_id=row.record_id,
        custodian=row.owner,
        grantee=_text(body, "grantee"),
        purposes=_texts(body, "purposes"),
        not_before=_text(body, "not_before"),
        not_after=_text(body, "not_after"),
        state=grant_state(row, at),
        honoured=row.honoured,
    )


def grant_state(row: RecordRow, at: str) -> str:
    """A grant's state at an instant: that it ran out is written nowhere."""
    if row.state != _ACTIVE or not row.body:
        return row.state
    if at >= _text(row.body, "not_after"):
        return EXPIRED
    return NOT_YET if at < _text(row.body, "not_before") else _ACTIVE


def session_entry(row: RecordRow) -> SessionEntry:
    """A row of the index as a training session; what cannot be read is empty."""
    body = row.body
    return SessionEntry(
        session_id=row.record_id,
        model_id=_text(body, "model_id"),
        msp_id=row.owner,
        trainer=_text(body, "trainer"),
        purpose=_text(body, "purpose"),
        commercial=bool(body.get("commercial")),
        versions=_texts(body, "versions"),
        started_at=_text(body, "started_at"),
        ended_at=_text(body, "ended_at"),
        state=row.state,
    )


def model_version_entry(row: RecordRow) -> ModelVersionEntry:
    """A row of the index as a model version; what cannot be read is empty."""
    body = row.body
    return ModelVersionEntry(
        model_version_id=row.record_id,
        model_id=_text(body, "model_id"),
        parent=_text(body, "parent"),
        sessions=_texts(body, "sessions"),
        metrics=tuple(sorted((body.get("metrics") or {}).items())),
        registered_at=_text(body, "registered_at"),
        registered_by=_text(body, "registered_by"),
        block=row.first_block,
    )


def _text(body: Mapping[str, Any], name: str) -> str:
    return str(body.get(name) or "")


def _texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(map(str, body.get(name) or ()))
