"""Datasets: the list, and one with its versions, consents over time, lineage, grants and decisions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from consentry.web.access import READERS, Officer, require
from consentry.web.graphs import Interval, draw_time_line
from consentry.web.ledger_view import CurrentView
from consentry.web.lineage_figure import Words, lineage_figure
from consentry.web.reading import AfterRecord, DatasetId, put_on_record, reading
from consentry.web.rendering import page, words
from consentry.web.views.consents_over_time import ConsentsOverTime
from consentry.web.views.datasets import list_datasets, view_dataset

router = APIRouter()

Reader = Annotated[Officer, Depends(require(*READERS))]


@router.get("/datasets")
def datasets(request: Request, view: CurrentView, officer: Reader, after: AfterRecord = None) -> HTMLResponse:
    """Datasets by name; they concern no person."""
    with reading(request, view) as snapshot:
        found = list_datasets(snapshot.connection, after)
    return page(request, "datasets.html", title_key="datasets.title", found=found, after=after)


@router.get("/datasets/{dataset_id}")
def dataset(
    request: Request, view: CurrentView, officer: Reader, dataset_id: DatasetId, after: AfterRecord = None
) -> HTMLResponse:
    """One dataset; who tried to access it is shown, so the read is put on record."""
    with reading(request, view) as snapshot:
        found = view_dataset(snapshot.connection, dataset_id, snapshot.at, after)
    put_on_record(
        request,
        officer,
        "dataset",
        [dataset_id],
        row_count=len(found.decisions),
        last_block=snapshot.last_block,
    )
    text = words(request)
    subjects = {("version", version.version_id) for version in found.versions}
    return page(
        request,
        "dataset.html",
        title_key="dataset.title",
        found=found,
        after=after,
        figure=lineage_figure(found.lineage, subjects, snapshot.at, text),
        time_line=_time_line(found.consents, text),
    )


def _time_line(consents: ConsentsOverTime, text: Words) -> Markup:
    if not consents.intervals:
        return Markup()
    first, last = consents.intervals[0], consents.intervals[-1]
    return draw_time_line(
        [Interval(entry.name, entry.in_force) for entry in consents.intervals],
        key="consents",
        title=text("consents_over_time.drawing", custodian=consents.custodian),
        description=text(
            "consents_over_time.description",
            first=first.name,
            last=last.name,
            begin=first.in_force,
            end=last.in_force,
        ),
    )
