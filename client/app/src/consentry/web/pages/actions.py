"""One action of an officer: what it will do, how it is signed, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, cast

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from consentry.errors import ConsentryError
from consentry.index import PageRequest, TransactionFilter
from consentry.web import texts
from consentry.web.access import CurrentOfficer
from consentry.web.actions import Statement, described, visible
from consentry.web.errors import PageRefused
from consentry.web.ledger_view import CurrentView, LedgerView
from consentry.web.offering import acting
from consentry.web.rendering import language_of, page
from consentry.web.signing.desk import Desk, shown_code
from consentry.web.signing.pending import SUBMITTED, Headline, Outcome, Pending
from consentry.web.signing.relay import Relay

router = APIRouter()
Key = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{22}$")]
_WAITS = ("waiting", "fetched", "endorsed", "submitted")


@dataclass(frozen=True, slots=True)
class Progress:
    """An action as its page shows it, without what is private once it has ended."""

    key: str
    state: str
    code: str
    digest: tuple[str, ...]
    headline: Headline
    statement: Statement | None
    outcomes: tuple[Outcome, ...]
    submitted: str
    is_unclear: bool
    refusal: str
    refusal_code: str
    came_from: str
    can_give_up: bool
    is_apart: bool

    @property
    def waits(self) -> bool:
        """Whether something may still come of it."""
        return self.state in _WAITS


@router.get("/actions/{key}")
def action(request: Request, view: CurrentView, officer: CurrentOfficer, key: Key) -> HTMLResponse:
    """The whole page."""
    progress = _progress(request, view, own_action(request, officer.serialized, key))
    return page(request, "action.html", title_key="action_page.title", progress=progress)


@router.get("/actions/{key}/progress")
def action_progress(request: Request, view: CurrentView, officer: CurrentOfficer, key: Key) -> HTMLResponse:
    """The part of it that changes."""
    progress = _progress(request, view, own_action(request, officer.serialized, key))
    return page(request, "action_progress.html", title_key="action_page.title", progress=progress)


@router.post("/actions/{key}/cancel")
def cancel_action(request: Request, officer: CurrentOfficer, key: Key) -> RedirectResponse:
    """Give an action up that is not on its way to the ledger."""
    pending = own_action(request, officer.serialized, key)
    cast(Desk, request.app.state.desk).give_up(pending, at_signer=False)
    return RedirectResponse(f"/actions/{key}", 303)


def own_action(request: Request, serialized: bytes, key: str) -> Pending:
    """An officer's own action; raises PageRefused NOT_FOUND."""
    acting(request)
    pending = cast(Desk, request.app.state.desk).find(serialized, key)
    if pending is None:
        raise PageRefused(404, "NOT_FOUND", "there is no such action, or it is another officer's")
    return pending


def _progress(request: Request, view: LedgerView, pending: Pending) -> Progress:
    _look_up(request, view, pending)
    language = language_of(request)
    with pending.lock:
        statement = (
            described(pending.action, partial(texts.text, language)) if pending.action is not None else None
        )
        kind, _, value = pending.digest.partition(":")
        return Progress(
            key=pending.key,
            state=pending.state,
            code=shown_code(pending.code),
            digest=(f"{kind}:", *(value[start : start + 8] for start in range(0, len(value), 8))),
            headline=pending.headlines[language],
            statement=statement,
            outcomes=tuple(pending.outcomes),
            submitted=pending.submitted,
            is_unclear=pending.is_unclear,
            refusal=_words_of(pending.refusal, language),
            refusal_code=pending.refusal.code if pending.refusal is not None else "",
            came_from=pending.came_from,
            can_give_up=not (pending.has_ended or pending.submitted or pending.step),
            is_apart=bool(pending.transaction_file),
        )


def _look_up(request: Request, view: LedgerView, pending: Pending) -> None:
    """What the verified index has of a submitted transaction counts, whatever the signer heard."""
    if pending.state != SUBMITTED:
        return
    wanted = TransactionFilter(transaction_id=pending.submitted)
    for found in view.trail.transactions(wanted, PageRequest(size=1)).items:
        outcome = Outcome(found.transaction_id, found.block, found.code_name)
        cast(Relay, request.app.state.relay).note(pending, outcome)


def _words_of(refusal: ConsentryError | None, language: str) -> str:
    """A refusal in the catalogue's words; where it has none, in the ledger's own."""
    if refusal is None:
        return ""
    try:
        fields = {name: visible(str(value)) for name, value in refusal.fields.items()}
        return texts.text(language, f"refusals.{refusal.code}", **fields)
    except KeyError:
        return visible(refusal.message)
