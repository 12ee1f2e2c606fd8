"""What an officer is asked to sign: calls of the ledger, in bytes that page and signer hold alike.

A proposal is good for a minute (ADR 0004) and a person reads longer than that, so what is shown and confirmed
is everything of the proposals but their time and nonce. Those the signer adds itself, after the confirmation.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from consentry.web.actions.refusal import ActionRefused
from consentry_records import canonical
from consentry_records.digest import sha256_digest
from consentry_records.errors import LedgerError
from consentry_records.instants import parse_instant
from fabric_protocol.errors import ProtocolError
from fabric_protocol.proposals import Proposal, new_proposal, parse_proposal

SCHEMA = "consentry.webaction/1"
MAXIMUM_BYTES = 256 * 1024
_MAXIMUM_CALLS = 4
_FIELDS = {"schema", "action_id", "created_at", "channel", "chaincode", "creator", "calls"}
_CALL_FIELDS = {"arguments", "transient", "endorsers"}
_ACTION_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Call:
    """One transaction to be made: function and arguments, transient data, and whose peers alone endorse it.

    `transient` reaches the endorsing peers and never the ledger; no endorsers: the gateway finds out.
    """

    arguments: tuple[bytes, ...]
    transient: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    endorsers: tuple[str, ...] = ()

    @classmethod
    def of_proposal(cls, proposal: Proposal, endorsers: Sequence[str] = ()) -> Call:
        """The call in a proposal."""
        return cls(proposal.arguments, dict(proposal.transient), tuple(endorsers))

    @property
    def function(self) -> str:
        """The function's name, as far as it is text."""
        return self.arguments[0].decode("utf-8", "backslashreplace") if self.arguments else ""


@dataclass(frozen=True, slots=True)
class Action:
    """Calls that one person is asked to make, in their order; `creator` is his serialized identity.

    `action_id` is random (32 hex), `created_at` an instant of the server's clock.
    """

    action_id: str
    created_at: str
    channel: str
    chaincode: str
    creator: bytes
    calls: tuple[Call, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> Action:
        """Read an action.

        Raises:
            ActionRefused: ACTION_MALFORMED, these are not the canonical bytes of one.
        """
        if len(data) > MAXIMUM_BYTES:
            raise _malformed()
        try:
            action = _action(canonical.decode(data))
        except (LedgerError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _malformed() from error
        # One action has one form: nothing can hide in what a reader skips.
        if action.to_bytes() != data:
            raise _malformed()
        return action

    def to_bytes(self) -> bytes:
        """Return the canonical JSON (RFC 8785) that both sides show the digest of."""
        return canonical.encode(
            {
                "schema": SCHEMA,
                "action_id": self.action_id,
                "created_at": self.created_at,
                "channel": self.channel,
                "chaincode": self.chaincode,
                "creator": _text(self.creator),
                "calls": [_call_document(call) for call in self.calls],
            }
        )

    @property
    def digest(self) -> str:
        """`sha256:` of the bytes."""
        return sha256_digest(self.to_bytes())


def proposed_call(action: Action, data: bytes, endorsers: Sequence[str]) -> Call:
    """Return the call in the bytes of a proposal that was made for an action.

    Raises:
        ActionRefused: ACTION_DIFFERS: it is of another person, channel or chaincode, none of the action's
            calls, or holds anything else beside it.
    """
    try:
        proposal = parse_proposal(data)
        again = new_proposal(
            channel_id=proposal.channel_id,
            chaincode=proposal.chaincode,
            arguments=proposal.arguments,
            creator=proposal.creator,
            transient=proposal.transient,
            nonce=proposal.nonce,
            timestamp=proposal.timestamp,
        )
    except ProtocolError as error:
        raise _differs() from error
    call = Call.of_proposal(proposal, endorsers)
    place = (proposal.channel_id, proposal.chaincode, proposal.creator)
    expected = (action.channel, action.chaincode, action.creator)
    if again.data != data or place != expected or call not in action.calls:
        raise _differs()
    return call


def _action(document: Any) -> Action:
    if not isinstance(document, dict) or set(document) != _FIELDS or document["schema"] != SCHEMA:
        raise _malformed()
    texts = [document[name] for name in ("action_id", "created_at", "channel", "chaincode")]
    calls = document["calls"]
    if not all(type(text) is str and text for text in texts) or not isinstance(calls, list):
        raise _malformed()
    if not _ACTION_ID.fullmatch(texts[0]) or not 1 <= len(calls) <= _MAXIMUM_CALLS:
        raise _malformed()
    parse_instant(texts[1])
    action_id, created_at, channel, chaincode = texts
    creator = _bytes(document["creator"])
    return Action(action_id, created_at, channel, chaincode, creator, tuple(map(_call, calls)))


def _call(document: Any) -> Call:
    if not isinstance(document, dict) or set(document) != _CALL_FIELDS:
        raise _malformed()
    endorsers = document["endorsers"]
    if not isinstance(endorsers, list) or not all(type(name) is str for name in endorsers):
        raise _malformed()
    arguments = tuple(_bytes(text) for text in document["arguments"])
    transient = {name: _bytes(text) for name, text in document["transient"].items()}
    if not arguments:
        raise _malformed()
    return Call(arguments, transient, tuple(endorsers))


def _call_document(call: Call) -> dict[str, Any]:
    return {
        "arguments": [_text(argument) for argument in call.arguments],
        "transient": {name: _text(value) for name, value in call.transient.items()},
        "endorsers": list(call.endorsers),
    }


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError) as error:
        raise _malformed() from error


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _malformed() -> ActionRefused:
    return ActionRefused(
        "ACTION_MALFORMED", "this is not an action as `consentry web` offers one for signing"
    )


def _differs() -> ActionRefused:
    return ActionRefused("ACTION_DIFFERS", "what was signed is not what was shown; nothing was sent")
