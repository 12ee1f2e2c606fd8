"""Lineage: what a withdrawal reaches, and what a model version comes from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from consentry.index.accesses import Access, AccessFilter, every_access
from consentry.index.checkpoint import IndexFault
from consentry.index.rows import (
    RecordRow,
    find_records,
    get_record,
    get_records,
    linked_from,
    linking_to,
)
from consentry_records.consent import Consent

RowManifest = Callable[[str, str], Iterable[str] | None]
"""Gives the dataset versions with rows under a consent (id, subject's commitment); None if unknown."""


class Basis(StrEnum):
    """How the dataset versions of a consent were found."""

    ROW_MANIFEST = "row manifest"
    CUSTODIAN_AND_TIME = "custodian and time"


@dataclass(frozen=True)
class WithdrawalImpact:
    """Everything that rests on one consent.

    Attributes:
        consent: the consent.
        basis: how the dataset versions were found; by custodian and time they *may* hold the subject's rows.
        note: the basis in a sentence.
        versions: dataset versions, those derived from them included.
        grants: grants on them, and those narrowed away from them under which they were used before.
        accesses: attempts on them, with their decisions.
        sessions: training sessions that used them.
        rounds: rounds of these sessions.
        statements: statements on them that trainers made while the ledger could not be reached.
        model_versions: model versions made by these sessions, and those made from them.
    """

    consent: RecordRow
    basis: Basis
    note: str
    versions: tuple[RecordRow, ...]
    grants: tuple[RecordRow, ...]
    accesses: tuple[Access, ...]
    sessions: tuple[RecordRow, ...]
    rounds: tuple[RecordRow, ...]
    statements: tuple[RecordRow, ...]
    model_versions: tuple[RecordRow, ...]


@dataclass(frozen=True)
class ModelLineage:
    """What one model version comes from.

    Attributes:
        model_version: the version.
        model: its model.
        ancestors: the versions that it was made from, nearest first.
        sessions: training sessions of the version and its ancestors.
        rounds: rounds of these sessions.
        statements: statements on them that trainers made while the ledger could not be reached.
        accesses: attempts whose permits they used.
        grants: grants behind the permits.
        versions: dataset versions that they used, and those that these were derived from.
    """

    model_version: RecordRow
    model: RecordRow | None
    ancestors: tuple[RecordRow, ...]
    sessions: tuple[RecordRow, ...]
    rounds: tuple[RecordRow, ...]
    statements: tuple[RecordRow, ...]
    accesses: tuple[Access, ...]
    grants: tuple[RecordRow, ...]
    versions: tuple[RecordRow, ...]


def withdrawal_impact(
    connection: Connection, consent_id: str, manifest: RowManifest | None = None
) -> WithdrawalImpact:
    """Follow one consent to everything that rests on it.

    Args:
        connection: the index.
        consent_id: the consent, withdrawn or not.
        manifest: the custodian's row manifests; without them versions are found by custodian and time.

    Raises:
        IndexFault: CONSENT_NOT_INDEXED.
    """
    consent = get_record(connection, "consent", consent_id)
    if consent is None:
        raise IndexFault("CONSENT_NOT_INDEXED", f"The index has no consent {consent_id}; check the id.")
    basis, note, version_ids = consent_versions(connection, consent, manifest)
    versions = derived_versions(connection, version_ids)
    sessions = linking_to(connection, "version", versions, "session")
    model_versions = linking_to(connection, "session", sessions, "modelversion")
    accesses = accesses_of_versions(connection, versions)
    grants = {*linking_to(connection, "version", versions, "grant"), *(a.grant_id for a in accesses)}
    return WithdrawalImpact(
        consent=consent,
        basis=basis,
        note=note,
        versions=tuple(get_records(connection, "version", versions)),
        grants=tuple(get_records(connection, "grant", grants - {""})),
        accesses=accesses,
        sessions=tuple(get_records(connection, "session", sessions)),
        rounds=_of_sessions(connection, sessions, "round"),
        statements=_of_sessions(connection, sessions, "statement"),
        model_versions=tuple(
            get_records(
                connection,
                "modelversion",
                _closure(connection, "modelversion", model_versions, linking_to),
            )
        ),
    )


def model_lineage(connection: Connection, model_version_id: str) -> ModelLineage:
    """Follow one model version back to the data and the grants behind it.

    Raises:
        IndexFault: MODEL_VERSION_NOT_INDEXED.
    """
    version = get_record(connection, "modelversion", model_version_id)
    if version is None:
        raise IndexFault(
            "MODEL_VERSION_NOT_INDEXED", f"The index has no model version {model_version_id}; check the id."
        )
    ancestry = _closure(connection, "modelversion", [model_version_id], linked_from)
    sessions = linked_from(connection, "modelversion", ancestry, "session")
    data = _closure(
        connection, "version", linked_from(connection, "session", sessions, "version"), linked_from
    )
    accesses = tuple(
        access for session in sessions for access in every_access(connection, AccessFilter(session=session))
    )
    return ModelLineage(
        model_version=version,
        model=get_record(connection, "model", str(version.body.get("model_id"))),
        ancestors=tuple(
            reversed(get_records(connection, "modelversion", set(ancestry) - {model_version_id}))
        ),
        sessions=tuple(get_records(connection, "session", sessions)),
        rounds=_of_sessions(connection, sessions, "round"),
        statements=_of_sessions(connection, sessions, "statement"),
        accesses=accesses,
        grants=tuple(
            get_records(connection, "grant", {access.grant_id for access in accesses if access.grant_id})
        ),
        versions=tuple(get_records(connection, "version", data)),
    )


def consent_versions(
    connection: Connection, consent: RecordRow, manifest: RowManifest | None
) -> tuple[Basis, str, list[str]]:
    """The dataset versions that hold rows under a consent, and how that is known.

    Returns:
        The basis, a sentence that states it, and the version ids.
    """
    subject = str(consent.body.get("subject"))
    named = manifest(consent.record_id, subject) if manifest is not None else None
    if named is not None:
        return (
            Basis.ROW_MANIFEST,
            "Dataset versions are those whose row manifest names the consent.",
            list(named),
        )
    known = Consent.from_dict(consent.body)
    ended, begun = known.withdrawn_at or known.not_after, known.recorded_at
    possible = [
        version.record_id
        for version in find_records(connection, "version", owner=consent.owner)
        if begun <= str(version.body.get("registered_at")) < ended
    ]
    return (
        Basis.CUSTODIAN_AND_TIME,
        f"The row manifests of {consent.owner} are not at hand: dataset versions are all that it registered "
        "while the consent held, whether or not they have a row of this subject.",
        possible,
    )


def accesses_of_versions(connection: Connection, versions: Iterable[str]) -> tuple[Access, ...]:
    """Every attempt on some dataset versions, in ledger order."""
    ids = tuple(versions)
    return every_access(connection, AccessFilter(versions=ids)) if ids else ()


def derived_versions(connection: Connection, versions: Iterable[str]) -> list[str]:
    """Some dataset versions and all that were made from them, sorted."""
    return _closure(connection, "version", versions, linking_to)


def _of_sessions(connection: Connection, sessions: Iterable[str], kind: str) -> tuple[RecordRow, ...]:
    return tuple(get_records(connection, kind, linking_to(connection, "session", sessions, kind)))


def _closure(
    connection: Connection,
    kind: str,
    start: Iterable[str],
    step: Callable[[Connection, str, Iterable[str], str], list[str]],
) -> list[str]:
    """All records reached from some by links within their own kind, they included."""
    found: set[str] = set(start)
    frontier = found
    while frontier:
        frontier = set(step(connection, kind, frontier, kind)) - found
        found |= frontier
    return sorted(found)
