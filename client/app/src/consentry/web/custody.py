"""The own register of subjects behind the pages: from a pseudonym to a commitment and dataset versions."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from fastapi import Request

from consentry.errors import InputRejected
from consentry.index import RowManifest
from consentry.index.row_manifests import manifest_of
from consentry.web.errors import PageRefused
from consentry.web.sessions import Session
from consentry.web.settings import WebSettings

if TYPE_CHECKING:
    from consentry.subjects import SubjectRegister

LONGEST_PSEUDONYM = 200
_NOTE = "subject:"
_MOST_NOTES = 10


def own_register(request: Request) -> SubjectRegister | None:
    """The register of the serving organization; None while it keeps none."""
    settings: WebSettings = request.app.state.settings
    return settings.register()


def own_manifest(request: Request, custodian: str) -> RowManifest | None:
    """The row manifests of a custodian (MSP id) if it is the serving organization, else None."""
    settings: WebSettings = request.app.state.settings
    register = own_register(request) if custodian == settings.msp_id else None
    return manifest_of(register) if register is not None else None


def commitment_of(request: Request, pseudonym: str) -> str:
    """The commitment of a pseudonym.

    Raises:
        InputRejected: SUBJECT_UNKNOWN; the pseudonym is repeated nowhere.
    """
    register, wanted = own_register(request), pseudonym.strip()
    if register is not None and 0 < len(wanted) <= LONGEST_PSEUDONYM:
        found = register.find([wanted])
        if wanted in found:
            return found[wanted].commitment
    raise InputRejected("SUBJECT_UNKNOWN", "the register has no subject of that pseudonym")


def keep_subject(session: Session, commitment: str) -> str:
    """Keep a commitment in a session; return a random handle that addresses can carry in its place."""
    kept = [name for name in session.notes if name.startswith(_NOTE)]
    for name in kept[: max(len(kept) - _MOST_NOTES + 1, 0)]:
        session.notes.pop(name, None)
    handle = secrets.token_hex(16)
    session.notes[f"{_NOTE}{handle}"] = commitment
    return handle


def kept_subject(session: Session, handle: str) -> str:
    """The commitment that a session keeps under a handle.

    Raises:
        PageRefused: 404, SUBJECT_NOT_KEPT.
    """
    commitment = session.notes.get(f"{_NOTE}{handle}")
    if commitment is None:
        raise PageRefused(404, "SUBJECT_NOT_KEPT", "this session keeps no such subject")
    return commitment
