"""What officers' actions need of the serving organization's own connection to the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consentry.ledger import Ledger
from consentry.reviews import VersionMatch
from consentry.web.actions import Call
from consentry.web.signing.pending import Pending
from consentry_records.rights_request import RightsFulfilment
from fabric_gateway.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSettings:
    """The serving side of actions; nothing here signs for an officer.

    Attributes:
        chaincode: which chaincode actions call.
        transport: to the own organization's peers, for steps that officers signed.
        match: what the DUO terms of the versions of a request say, by the request's id.
        rationale: a reviewer's rationale by request and enrolment id, as the serving identity may read it.
        commitment: a subject's commitment by pseudonym; None for nobody in the own register.
        private_entries: keys of a subject's private entries that the ledger names, by commitment.
        before: does on the own side what has to be done before a call that its officer signed is submitted.
        committed: does on the own side what goes with an action that is on the ledger.
    """

    chaincode: str
    transport: Transport
    match: Callable[[str], Sequence[VersionMatch]]
    rationale: Callable[[str, str], str]
    commitment: Callable[[str], str | None]
    private_entries: Callable[[str], Sequence[str]]
    before: Callable[[Call], None]
    committed: Callable[[Pending], None]


def action_settings(ledger: Ledger) -> ActionSettings:
    """Those of a ledger's organization."""

    def commitment(pseudonym: str) -> str | None:
        register = ledger.kept_subjects
        found = register.find([pseudonym]).get(pseudonym) if register is not None else None
        return None if found is None else found.commitment

    def before(call: Call) -> None:
        """An erasure is attested only once the person's keys are destroyed; the ledger has agreed to it."""
        if call.function == "rights:fulfil":
            fulfilment = RightsFulfilment.from_bytes(call.arguments[1])
            if fulfilment.stores:
                ledger.subjects.erase(ledger.rights.get(fulfilment.rights_request_id).subject)

    def committed(pending: Pending) -> None:
        """The register keeps which consents are withdrawn, so that a frame is filtered without the ledger."""
        assert pending.action is not None  # noqa: S101 - it is told before it ends
        for call in pending.action.calls:
            if call.function == "consents:withdraw":
                ledger.subjects.mark_withdrawn(call.arguments[1].decode())

    return ActionSettings(
        chaincode=ledger.profile.chaincode,
        transport=ledger.transport,
        match=ledger.reviews.match,
        rationale=ledger.reviews.rationale,
        commitment=commitment,
        private_entries=ledger.rights.private_entries,
        before=before,
        committed=committed,
    )
