"""Signing on a machine without a way to the server: two files there, two files back.

The first is the action, answered with a signed proposal that the peers take within a minute; the second is
the endorsed transaction, answered with its signature. Whether it is on the ledger the verified index says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from fabric_protos.common import common_pb2
from fabric_protos.gateway import gateway_pb2
from fabric_protos.peer import proposal_pb2
from google.protobuf.message import DecodeError

from consentry.identity import WalletIdentity
from consentry.web.actions import Action, ActionRefused, Call
from consentry.web.signing import wire
from fabric_gateway import Clock, Gateway, GatewayError
from fabric_gateway.offline import proposal_of_transaction
from fabric_protocol.errors import ProtocolError
from fabric_protocol.proposals import proposal_hash

MAXIMUM_TEXT = 512 * 1024
_BINDING = b"consentry/web-sign/1\x00"
Kind = Literal["action", "signed-proposal", "transaction", "signed-transaction"]
_FIELDS: dict[str, tuple[str, ...]] = {
    "action": ("action", "step"),
    "signed-proposal": ("proposed", "binding"),
    "transaction": ("action", "step", "prepared", "binding"),
    "signed-transaction": ("prepared",),
}


@dataclass(frozen=True, slots=True)
class SigningFile:
    """One of the four files: its kind, and its fields by name (bytes, and the step's number)."""

    kind: Kind
    fields: dict[str, Any]

    @classmethod
    def from_text(cls, text: str) -> SigningFile:
        """Read a file, or what was pasted of it.

        Raises:
            ActionRefused: FILE_INVALID.
        """
        try:
            document = json.loads(text if len(text) <= MAXIMUM_TEXT else "")
            kind = document.pop("consentry-web-sign")
            names = _FIELDS[kind]
            fits = set(document) == set(names) and type(document.get("step", 0)) is int
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            fits = False
        if not fits:
            raise _invalid()
        fields = {name: value if name == "step" else wire.decoded(value) for name, value in document.items()}
        return cls(kind, fields)

    def to_text(self) -> str:
        """Return the file's text."""
        values = {name: v if name == "step" else wire.encoded(v) for name, v in self.fields.items()}
        return json.dumps({"consentry-web-sign": self.kind, **values}, indent=1) + "\n"

    def call(self) -> tuple[Action, Call]:
        """The action in the file, and the call that is next.

        Raises:
            ActionRefused: FILE_INVALID, ACTION_MALFORMED.
        """
        if "action" not in self.fields:
            raise _invalid()
        action = Action.from_bytes(self.fields["action"])
        if not 0 <= self.fields["step"] < len(action.calls):
            raise _invalid()
        return action, action.calls[self.fields["step"]]


def signed_proposal(action: Action, call: Call, identity: WalletIdentity, clock: Clock) -> SigningFile:
    """Make a call's proposal now and sign it; the binding lets the second file be recognized."""
    gateway = _gateway(identity, clock)
    contract = gateway.network(action.channel).contract(action.chaincode)
    function, *arguments = call.arguments
    made = contract.new_proposal(
        function.decode(),
        *arguments,
        transient=call.transient or None,
        endorsing_organizations=call.endorsers,
    )
    signed = gateway.signed_proposal(made.to_bytes(), identity.signer(made.to_sign))
    binding = identity.sign(_BINDING + proposal_hash(made.data))
    return SigningFile("signed-proposal", {"proposed": signed.to_bytes(), "binding": binding})


def signed_transaction(file: SigningFile, call: Call, identity: WalletIdentity, clock: Clock) -> SigningFile:
    """Sign an endorsed transaction, if its endorsements hold over the proposal that this key signed.

    Raises:
        ActionRefused: ACTION_DIFFERS.
    """
    gateway = _gateway(identity, clock)
    try:
        transaction = gateway.transaction(file.fields["prepared"])
        prepared = gateway_pb2.PreparedTransaction.FromString(file.fields["prepared"])
        proposal = proposal_of_transaction(prepared.envelope.payload)
        is_own = identity.has_signed(_BINDING + proposal_hash(proposal.data), file.fields["binding"])
        if not is_own or proposal.arguments != call.arguments:
            raise _differs()
        signature = identity.signer(transaction.to_sign)
        signed = gateway.signed_transaction(file.fields["prepared"], signature)
    except (ValueError, GatewayError, ProtocolError, DecodeError) as error:
        raise _differs() from error
    return SigningFile("signed-transaction", {"prepared": signed.to_bytes()})


def endorse_request(file: SigningFile, channel: str) -> bytes:
    """What a gateway is asked for a signed proposal.

    Raises:
        ActionRefused: FILE_INVALID.
    """
    proposed = _parsed(gateway_pb2.ProposedTransaction, file.fields["proposed"])
    request = gateway_pb2.EndorseRequest(
        transaction_id=proposed.transaction_id,
        channel_id=channel,
        proposed_transaction=proposal_pb2.SignedProposal(
            proposal_bytes=proposed.proposal.proposal_bytes, signature=proposed.proposal.signature
        ),
        endorsing_organizations=proposed.endorsing_organizations,
    )
    return bytes(request.SerializeToString(deterministic=True))


def transaction_file(action: Action, step: int, file: SigningFile, response: bytes) -> SigningFile:
    """The second file: what a gateway answered to the signed proposal of the first one."""
    endorsed = _parsed(gateway_pb2.EndorseResponse, response)
    proposed = _parsed(gateway_pb2.ProposedTransaction, file.fields["proposed"])
    prepared = gateway_pb2.PreparedTransaction(
        transaction_id=proposed.transaction_id,
        envelope=common_pb2.Envelope(payload=endorsed.prepared_transaction.payload),
    )
    fields = {
        "action": action.to_bytes(),
        "step": step,
        "prepared": prepared.SerializeToString(deterministic=True),
        "binding": file.fields["binding"],
    }
    return SigningFile("transaction", fields)


def submit_request(file: SigningFile, channel: str) -> bytes:
    """What a gateway is asked for a signed transaction.

    Raises:
        ActionRefused: FILE_INVALID.
    """
    prepared = _parsed(gateway_pb2.PreparedTransaction, file.fields["prepared"])
    request = gateway_pb2.SubmitRequest(
        transaction_id=prepared.transaction_id, channel_id=channel, prepared_transaction=prepared.envelope
    )
    return bytes(request.SerializeToString(deterministic=True))


def _gateway(identity: WalletIdentity, clock: Clock) -> Gateway:
    from consentry.web.signing.server_connection import NoTransport

    return Gateway(NoTransport(), identity=identity.serialized, clock=clock)


def _parsed(message: Any, data: bytes) -> Any:
    try:
        return message.FromString(data)
    except DecodeError as error:
        raise _invalid() from error


def _invalid() -> ActionRefused:
    return ActionRefused("FILE_INVALID", "this is no file that `consentry web` offers or makes")


def _differs() -> ActionRefused:
    return ActionRefused(
        "ACTION_DIFFERS", "the transaction is not that of the proposal that was signed; it is not signed"
    )
