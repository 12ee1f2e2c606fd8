"""An action in words: what will happen, to what, until when; from its bytes alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from consentry.web.actions.action import Action, Call
from consentry.web.actions.forms import FORMS, RATIONALE, Form, IdForm, RecordForm, transient_of
from consentry.web.actions.refusal import ActionRefused
from consentry.web.actions.safe_text import visible, visible_lines
from consentry.web.actions.values import CODED, in_sentence, shown_fields
from consentry_records import canonical
from consentry_records.digest import sha256_digest
from consentry_records.errors import LedgerError
from consentry_records.record import Record
from consentry_records.review import NewReview
from consentry_records.rights_request import PurgeOrder, RightsFulfilment
from fabric_protocol.errors import ProtocolError
from fabric_protocol.identities import parse_identity

_NEVER_ALONE = ("reviews:store_rationale", "rights:purge")

Words = Callable[..., str]
"""Looks a text of the catalogue up by key, with named values for its places; raises KeyError for none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One argument: its name in words, and its value, one text a line."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One transaction: its title, sentences that say what it does, and all of its arguments."""

    function: str
    title: str
    sentence: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """An action in words, who is to sign it, where it goes, and the digest of the bytes that say so."""

    parts: tuple[Part, ...]
    signer: str
    msp_id: str
    channel: str
    chaincode: str
    created_at: str
    digest: str


def described(action: Action, words: Words) -> Statement:
    """Return what an action says.

    Raises:
        ActionRefused: ACTION_UNKNOWN, a transaction that is not known here, or not in this order;
            ARGUMENT_INVALID, arguments that its record refuses; ACTION_MALFORMED, no identity.
    """
    try:
        creator = parse_identity(action.creator)
    except ProtocolError as error:
        raise ActionRefused("ACTION_MALFORMED", "the action names no identity that is to sign it") from error
    arguments = [_argument(call) for call in action.calls]
    _check_order(action.calls, arguments)
    parts = tuple(
        _part(call, argument, creator.msp_id, words)
        for call, argument in zip(action.calls, arguments, strict=True)
    )
    return Statement(
        parts=parts,
        signer=visible(creator.common_name),
        msp_id=visible(creator.msp_id),
        channel=visible(action.channel),
        chaincode=visible(action.chaincode),
        created_at=action.created_at,
        digest=action.digest,
    )


def _argument(call: Call) -> Record | str:
    """The one argument of a known call, valid."""
    form = FORMS.get(call.function)
    if form is None:
        raise ActionRefused(
            "ACTION_UNKNOWN",
            f"{visible(call.function)} is no transaction that there are words for here; nothing is signed",
        )
    if len(call.arguments) != 2:
        raise _invalid(call, f"got {len(call.arguments) - 1} arguments, expected one")
    if set(call.transient) != set(transient_of(form)):
        raise _invalid(call, "got other transient data than it takes")
    try:
        return _read(form, call.arguments[1])
    except (LedgerError, UnicodeDecodeError) as error:
        message = error.message if isinstance(error, LedgerError) else "got bytes that are no text"
        raise _invalid(call, message) from error


def _read(form: Form, data: bytes) -> Record | str:
    if isinstance(form, IdForm):
        return form.kind.read(data.decode())
    record = form.record.from_bytes(data)
    # What is shown is the record, so the bytes have to be the record's only form.
    if record.to_bytes() != data:
        raise LedgerError("JSON_INVALID", {"got": "bytes that are not canonical"})
    return record


def _check_order(calls: tuple[Call, ...], arguments: list[Record | str]) -> None:
    """One transaction, or two that belong together: anything else is unknown.

    A rationale stands before the review that names its digest, a purge before the fulfilment that counts it.
    """
    functions = tuple(call.function for call in calls)
    if functions == ("rights:purge", "rights:fulfil"):
        order, fulfilment = arguments
        if isinstance(order, PurgeOrder) and isinstance(fulfilment, RightsFulfilment):
            purged = (order.rights_request_id, len(order.entries))
            if purged == (fulfilment.rights_request_id, fulfilment.purged):
                return
        raise _invalid(calls[1], "the fulfilment is of another request, or counts other entries")
    if functions == ("reviews:store_rationale", "reviews:record"):
        request_id, review = arguments
        digest = sha256_digest(calls[0].transient[RATIONALE])
        expected = (request_id, digest)
        if isinstance(review, NewReview) and (review.request_id, review.rationale_digest) == expected:
            return
        raise _invalid(calls[1], "the review names another rationale or request")
    if len(calls) != 1 or functions[0] in _NEVER_ALONE:
        raise ActionRefused("ACTION_UNKNOWN", "these transactions are not known together; nothing is signed")


def _part(call: Call, argument: Record | str, msp_id: str, words: Words) -> Part:
    form, is_private = FORMS[call.function], bool(call.transient)
    # Private data must not reach anybody else's peer; and nobody may choose who endorses what is public.
    expected = (msp_id,) if form.is_own else ()
    if call.endorsers != expected:
        raise _invalid(call, "its endorsing organizations are not those that it has to have")
    fields = argument.to_dict() if isinstance(argument, Record) else {_name(form): argument}
    try:
        codes = {**CODED, **(form.codes if isinstance(form, RecordForm) else {})}
        rows = [Row(name, values) for name, values in shown_fields(fields, words, codes)]
        if is_private:
            rows.append(Row(words("argument.rationale"), _rationale(call)))
        key = _key(call.function, fields)
        places = {name: in_sentence(name, value) for name, value in fields.items()}
        title, sentence = words(f"action.{key}.title"), words(f"action.{key}.sentence", **places)
    except KeyError as error:
        raise ActionRefused(
            "ACTION_UNKNOWN", f"the catalogue has no words for {error}; nothing is signed"
        ) from error
    return Part(call.function, title, sentence, tuple(rows))


def _name(form: Form) -> str:
    return form.argument if isinstance(form, IdForm) else ""


def _key(function: str, fields: Mapping[str, Any]) -> str:
    """Which sentence: that of the function, or of what it does where that makes the difference."""
    chosen = {
        "reviews:record": "recommendation",
        "rights:receive": "right",
        "rights:advance": "step",
        "breaches:advance": "step",
        "emergencies:review": "state",
    }.get(function)
    name = function.replace(":", "-").replace("_", "-")
    if function == "rights:fulfil" and fields["stores"]:
        return f"{name}-erasure"
    return name if chosen is None else f"{name}-{fields[chosen]}"


def _rationale(call: Call) -> tuple[str, ...]:
    value = call.transient[RATIONALE]
    try:
        document = canonical.decode(value)
        fits = set(document) == {"salt", "text"} and canonical.encode(document) == value
        fits = fits and all(type(text) is str for text in document.values()) and len(document["salt"]) == 64
    except (LedgerError, TypeError) as error:
        raise _invalid(call, "the rationale cannot be read") from error
    if not fits:
        raise _invalid(call, "the rationale cannot be read")
    return visible_lines(document["text"])


def _invalid(call: Call, why: str) -> ActionRefused:
    return ActionRefused(
        "ARGUMENT_INVALID", f"{visible(call.function)} is not signed: {why}", {"function": call.function}
    )
