"""Models: the list, one with its versions, and the dossier of one version."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from consentry.web.access import READERS, Officer, require
from consentry.web.ledger_view import CurrentView
from consentry.web.lineage_figure import lineage_figure
from consentry.web.reading import AfterRecord, ModelId, ModelVersionId, put_on_record, reading
from consentry.web.rendering import page, words
from consentry.web.views.models import list_models, view_model, view_model_version

router = APIRouter()

Reader = Annotated[Officer, Depends(require(*READERS))]


@router.get("/models")
def models(request: Request, view: CurrentView, officer: Reader, after: AfterRecord = None) -> HTMLResponse:
    """Models by name; they concern no person."""
    with reading(request, view) as snapshot:
        found = list_models(snapshot.connection, after)
    return page(request, "models.html", title_key="models.title", found=found, after=after)


@router.get("/models/versions/{model_version_id}")
def model_version(
    request: Request, view: CurrentView, officer: Reader, model_version_id: ModelVersionId
) -> HTMLResponse:
    """One model version's dossier; who trained it is shown, so the read is put on record."""
    with reading(request, view) as snapshot:
        found = view_model_version(snapshot.connection, model_version_id, snapshot.at)
    put_on_record(
        request,
        officer,
        "model",
        [model_version_id],
        row_count=found.around.count,
        last_block=snapshot.last_block,
    )
    figure = lineage_figure(
        found.around.lineage, {("modelversion", model_version_id)}, snapshot.at, words(request)
    )
    return page(request, "model_version.html", title_key="model_version.title", found=found, figure=figure)


@router.get("/models/{model_id}")
def model(
    request: Request, view: CurrentView, officer: Reader, model_id: ModelId, after: AfterRecord = None
) -> HTMLResponse:
    """One model with its versions; they concern no person."""
    with reading(request, view) as snapshot:
        found = view_model(snapshot.connection, model_id, after)
    return page(request, "model.html", title_key="model.title", found=found, after=after)
