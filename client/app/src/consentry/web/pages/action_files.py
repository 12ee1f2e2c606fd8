"""Actions signed on a machine apart: files to take there, and what comes back."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from consentry.transactions import translated
from consentry.web.access import CurrentOfficer
from consentry.web.actions import ActionRefused
from consentry.web.pages.actions import Key, own_action
from consentry.web.signing import files
from consentry.web.signing.desk import Desk
from consentry.web.signing.files import SigningFile
from consentry.web.signing.pending import Pending
from consentry.web.signing.relay import Relay
from fabric_gateway import EndorseError, SubmitError
from fabric_gateway.failures import StatusFailure

router = APIRouter()


class SignedForm(BaseModel):
    """What `consentry web sign --file` made, pasted."""

    model_config = ConfigDict(extra="forbid")

    csrf_token: str = Field(max_length=100)
    signed: str = Field(max_length=files.MAXIMUM_TEXT)


@router.get("/actions/{key}/file")
def action_file(request: Request, officer: CurrentOfficer, key: Key) -> Response:
    """The file that is to be signed next: the action, or the endorsed transaction."""
    pending = own_action(request, officer.serialized, key)
    action = cast(Desk, request.app.state.desk).fetch(pending)
    with pending.lock:
        text = pending.transaction_file
        if not text:
            fields = {"action": action.to_bytes(), "step": pending.step}
            text = SigningFile("action", fields).to_text()
    headers = {"content-disposition": 'attachment; filename="consentry-to-sign.json"'}
    return Response(text, media_type="application/json", headers=headers)


@router.post("/actions/{key}/signed")
def signed_file(
    request: Request, officer: CurrentOfficer, key: Key, form: Annotated[SignedForm, Form()]
) -> RedirectResponse:
    """Take what was signed and pass it on; the page says what came of it."""
    pending = own_action(request, officer.serialized, key)
    file = SigningFile.from_text(form.signed)
    relay = cast(Relay, request.app.state.relay)
    try:
        if file.kind == "signed-proposal":
            _endorse(pending, file, relay)
        elif file.kind == "signed-transaction":
            relay.relay(pending, "submit", files.submit_request(file, _channel(pending)))
        else:
            raise ActionRefused("FILE_INVALID", "this is the file to be signed, not what was signed")
    except StatusFailure as failure:
        kind = EndorseError if file.kind == "signed-proposal" else SubmitError
        with pending.lock:
            pending.refusal = translated(failure.as_error(kind))
    return RedirectResponse(f"/actions/{key}", 303)


def _endorse(pending: Pending, file: SigningFile, relay: Relay) -> None:
    response = relay.relay(pending, "endorse", files.endorse_request(file, _channel(pending)))
    with pending.lock:
        if pending.action is not None:
            made = files.transaction_file(pending.action, pending.step, file, response)
            pending.transaction_file = made.to_text()


def _channel(pending: Pending) -> str:
    with pending.lock:
        if pending.action is None:
            raise ActionRefused("ACTION_ENDED", f"the action is {pending.state}; nothing more is signed")
        return pending.action.channel
