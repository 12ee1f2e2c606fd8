"""What signer and server say to each other: JSON over HTTPS, each request signed by the ledger key."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from consentry.web.actions import ActionRefused
from fabric_gateway.errors import ErrorDetail
from fabric_gateway.failures import StatusFailure

PREFIX = "/sign"
_DETAIL = ("address", "msp_id", "message")


def encoded(data: bytes) -> str:
    """Bytes as JSON has them."""
    return base64.b64encode(data).decode("ascii")


def decoded(text: object) -> bytes:
    """The bytes of `encoded`; raises ActionRefused MESSAGE_INVALID."""
    try:
        if type(text) is not str:
            raise ValueError("no text")
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid() from error


def document(data: bytes, *names: str) -> list[Any]:
    """The values of a JSON object that has just these names; raises ActionRefused MESSAGE_INVALID."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise invalid() from error
    if not isinstance(found, dict) or set(found) != set(names):
        raise invalid()
    return [found[name] for name in names]


def failure_document(failure: StatusFailure) -> dict[str, Any]:
    """A peer's refusal, to be read by `failure_of`."""
    details = [{name: getattr(detail, name) for name in _DETAIL} for detail in failure.details]
    return {
        "code": failure.code,
        "message": failure.message,
        "details": details,
        "not_sent": failure.not_sent,
    }


def failure_of(value: Any) -> StatusFailure:
    """The refusal in a document; raises ActionRefused MESSAGE_INVALID."""
    try:
        details = tuple(ErrorDetail(*(str(detail[name]) for name in _DETAIL)) for detail in value["details"])
        return StatusFailure(
            str(value["code"]), str(value["message"]), details, not_sent=value["not_sent"] is True
        )
    except (KeyError, TypeError) as error:
        raise invalid() from error


def invalid() -> ActionRefused:
    """The refusal of what does not have the form of a message."""
    return ActionRefused("MESSAGE_INVALID", "got a message of another form; are both of the same release?")
