"""Carrying an accepted erasure out (GDPR Art. 17): what is purged, which keys go, what is attested."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse
from pydantic import Field

from consentry.transactions import checked
from consentry.web.access import Officer, require_function
from consentry.web.actions import Call
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView
from consentry.web.offering import ActionForm, acting, call_of, offer
from consentry.web.pages.rights_requests import read_request
from consentry.web.reading import RightsRequestId
from consentry.web.settings import WebSettings
from consentry_records.rights_request import STORES, PurgeOrder, RightsFulfilment, StoreAttestation

router = APIRouter()
_METHOD = Field(max_length=16)


class ErasureForm(ActionForm):
    """How each store was reached, and how many events the officer saw."""

    collection: str = _METHOD
    custody: str = _METHOD
    datasets: str = _METHOD
    peer_files: str = Field(max_length=16, alias="peer-files")
    backups: str = _METHOD
    revision: int = Field(ge=1, le=64)


@router.post("/rights/{rights_request_id}/erase")
def erase(
    request: Request,
    view: CurrentView,
    officer: Annotated[Officer, Depends(require_function("rights:fulfil"))],
    rights_request_id: RightsRequestId,
    form: Annotated[ErasureForm, Form()],
) -> RedirectResponse:
    """Offer to purge what the ledger names of the person, and to attest the erasure.

    The person's salt and key go with the second transaction, before it is submitted. What an interrupted
    erasure purged already is purged again, which changes nothing.
    """
    settings: WebSettings = request.app.state.settings
    found, _ = read_request(request, view, rights_request_id)
    if found.custodian != settings.msp_id:
        raise PageRefused(403, "NOT_CUSTODIAN", "another organization's request")
    methods = form.model_dump(by_alias=True, include=set(ErasureForm.model_fields))
    stores = checked(lambda: tuple(StoreAttestation(store=name, method=methods[name]) for name in STORES))
    entries = tuple(acting(request).private_entries(found.subject))
    calls: list[Call] = []
    if entries:
        order = checked(lambda: PurgeOrder(rights_request_id=rights_request_id, entries=entries))
        calls.append(Call((b"rights:purge", order.to_bytes()), endorsers=(officer.msp_id,)))
    done = checked(
        lambda: RightsFulfilment(
            rights_request_id=rights_request_id,
            revision=form.revision,
            purged=len(entries),
            stores=stores,
        )
    )
    calls.append(call_of("rights:fulfil", done))
    return offer(request, officer, calls, form, f"/rights/{rights_request_id}")
