"""Models: all of them by name, one with its versions, and one version with what it was made from."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from consentry.index import IndexFault
from consentry.index.nearby import counted_by_target, named, newest, newest_of_each, pointing_to
from consentry.index.nearby_lineage import lineage_of_model_version
from consentry.index.rows import RecordRow, get_record, get_records
from consentry.web.graphs import MOST_OF_A_KIND
from consentry.web.views.around import Around, around
from consentry.web.views.records import ModelVersionEntry, model_version_entry
from consentry_records.model_stage import DEVELOPMENT

MODELS_A_PAGE = 25
VERSIONS_A_PAGE = 25
_STAGE = "stage"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model in the list: whose it is, how many versions it has, and the newest one."""

    model_id: str
    name: str
    owner: str
    version_count: int
    newest: ModelVersionEntry | None


@dataclass(frozen=True, slots=True)
class ModelList:
    """A page of models by name: how many there are in all, and the id after which the next page begins."""

    entries: tuple[ModelEntry, ...]
    count: int
    next: str | None


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model with a page of its versions, newest first, each with its stage."""

    model_id: str
    name: str
    owner: str
    registered_at: str
    versions: tuple[tuple[ModelVersionEntry, str], ...]
    version_count: int
    next: str | None


@dataclass(frozen=True, slots=True)
class ModelVersionView:
    """One model version.

    Attributes:
        version: the version.
        model_name: name of its model; empty if that is not on the ledger.
        owner: MSP id of the model's owner; empty likewise.
        stage: its stage, e.g. ``approved``.
        stage_reasons: codes of the reasons for the stage.
        stage_at: when the stage was decided; empty while it is as registered.
        weights_digest: digest of the weights.
        architecture_digest: digest of the architecture.
        test_set_digest: digest of what the metrics were measured on; empty if it names none.
        is_signed: whether it carries a signature of its files.
        around: what it was made from, and the versions made from it.
    """

    version: ModelVersionEntry
    model_name: str
    owner: str
    stage: str
    stage_reasons: tuple[str, ...]
    stage_at: str
    weights_digest: str
    architecture_digest: str
    test_set_digest: str
    is_signed: bool
    around: Around


def list_models(connection: Connection, after: str | None) -> ModelList:
    """A page of models in the order of their names.

    Raises:
        InputRejected: PAGE_INVALID.
    """
    found = named(connection, "model", MODELS_A_PAGE, after)
    ids = [row.record_id for row in found.rows]
    counts = counted_by_target(connection, "model", ids, "modelversion")
    newest_rows = newest_of_each(connection, "model", ids, "modelversion")
    entries = tuple(
        _entry(row, counts.get(row.record_id, 0), newest_rows.get(row.record_id)) for row in found.rows
    )
    return ModelList(entries, found.count, found.next)


def view_model(connection: Connection, model_id: str, after: str | None) -> ModelView:
    """One model with its versions.

    Args:
        connection: the index.
        model_id: its id.
        after: id after which the page of versions begins.

    Raises:
        IndexFault: MODEL_NOT_INDEXED.
        InputRejected: PAGE_INVALID.
    """
    row = get_record(connection, "model", model_id)
    if row is None:
        raise IndexFault("MODEL_NOT_INDEXED", "The index has no such model; check the id.")
    ids = pointing_to("model", [model_id], "modelversion")
    versions = newest(connection, "modelversion", ids, VERSIONS_A_PAGE, after)
    shown = [version.record_id for version in versions.rows]
    stages = {stage.record_id: stage.state for stage in get_records(connection, _STAGE, shown)}
    return ModelView(
        model_id=model_id,
        name=str(row.body.get("name", "")),
        owner=row.owner,
        registered_at=str(row.body.get("registered_at", "")),
        versions=tuple(
            (model_version_entry(version), stages.get(version.record_id, DEVELOPMENT))
            for version in versions.rows
        ),
        version_count=versions.count,
        next=versions.next,
    )


def view_model_version(connection: Connection, model_version_id: str, at: str) -> ModelVersionView:
    """One model version with what it was made from.

    Args:
        connection: the index.
        model_version_id: its id.
        at: the instant at which grants are read.

    Raises:
        IndexFault: MODEL_VERSION_NOT_INDEXED.
    """
    lineage = lineage_of_model_version(connection, model_version_id, MOST_OF_A_KIND)
    row = get_record(connection, "modelversion", model_version_id)
    assert row is not None  # noqa: S101 - its lineage was just read
    version = model_version_entry(row)
    model = get_record(connection, "model", version.model_id)
    stage = get_record(connection, _STAGE, model_version_id)
    body = stage.body if stage is not None else {}
    return ModelVersionView(
        version=version,
        model_name=str(model.body.get("name", "")) if model is not None else "",
        owner=model.owner if model is not None else "",
        stage=stage.state if stage is not None else DEVELOPMENT,
        stage_reasons=tuple(body.get("reasons", ())),
        stage_at=str(body.get("decided_at", "")),
        weights_digest=str(row.body.get("weights_digest", "")),
        architecture_digest=str(row.body.get("architecture_digest", "")),
        test_set_digest=str(row.body.get("test_set_digest") or ""),
        is_signed=bool(row.body.get("signature")),
        around=around(lineage, at),
    )


def _entry(row: RecordRow, version_count: int, newest_row: RecordRow | None) -> ModelEntry:
    return ModelEntry(
        model_id=row.record_id,
        name=str(row.body.get("name", "")),
        owner=row.owner,
        version_count=version_count,
        newest=model_version_entry(newest_row) if newest_row is not None else None,
    )
