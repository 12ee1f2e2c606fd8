"""The records of a rendering, asked of the ledger; and visas that a custodian issues on its permits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentry.errors import InputRejected
from consentry.renderings.ga4gh_visa import Standing, VisaIssuer, sign_visa, visa_claims
from consentry.renderings.parties import Parties
from consentry.renderings.sources import ConsentSource, DecisionSource
from consentry.row_proofs import RowProof
from consentry_records.instants import format_instant
from consentry_records.private_consent import PrivateChange, PrivateConsent

if TYPE_CHECKING:
    from consentry.ledger import Ledger


def consent_source(
    ledger: Ledger, consent_id: str, *, private: bool = False, parties: Parties | None = None
) -> ConsentSource:
    """Return a consent, with its private entries if `private` is set, which only its custodian can read.

    Raises:
        LedgerRefused: CONSENT_NOT_FOUND, NOT_CUSTODIAN, …
        InputRejected: SUBJECT_UNKNOWN.
    """
    (consent,) = ledger.consents.get([consent_id])
    if not private:
        return ConsentSource(consent=consent, parties=parties or {})
    changes = ledger.consents.private_changes(consent_id)
    return ConsentSource(
        consent=consent,
        private=PrivateConsent.from_dict(ledger.consents.private_entry(consent_id)),
        changes={batch_id: PrivateChange.from_dict(change) for batch_id, change in changes.items()},
        parties=parties or {},
    )


def decision_source(ledger: Ledger, attempt_id: str, row: RowProof | None = None) -> DecisionSource:
    """Return a decided attempt with its dataset version; `row` is the proof of one of its rows.

    Raises:
        LedgerRefused: ATTEMPT_NOT_FOUND, …
        InputRejected: ATTEMPT_UNDECIDED, ROW_NOT_PROVED.
    """
    state = ledger.access.get(attempt_id)
    if state.decision is None:
        raise InputRejected(
            "ATTEMPT_UNDECIDED", f"{state.attempt.custodian} has not decided {attempt_id} yet"
        )
    version = ledger.datasets.get(state.attempt.version_id)
    return DecisionSource(attempt=state.attempt, decision=state.decision, version=version, row=row)


def issue_visa(ledger: Ledger, attempt_id: str, issuer: VisaIssuer) -> str:
    """Return the signed visa on a permit, as its custodian and by the key of who acts.

    Raises:
        InputRejected: NOT_CUSTODIAN, VISA_WITHOUT_PERMIT, VISA_WITHOUT_GRANT, VISA_GRANT_OVER, VISA_TOO_LATE.
        ConfigurationError: KEY_ON_TOKEN.
        LedgerRefused: ATTEMPT_NOT_FOUND, …
    """
    source = decision_source(ledger, attempt_id)
    if ledger.identity.msp_id != source.decision.custodian:
        raise InputRejected(
            "NOT_CUSTODIAN", f"a visa on {attempt_id} is {source.decision.custodian}'s to issue"
        )
    grant_id = source.decision.grant_id
    if grant_id is None:
        raise InputRejected("VISA_WITHOUT_GRANT", "the decision rests on no grant: there is no visa on it")
    standing = Standing(
        grant=ledger.grants.get(grant_id),
        suspension=ledger.grants.suspension(grant_id),
        settings=ledger.settings(),
        at=format_instant(ledger.clock()),
    )
    return sign_visa(visa_claims(source, standing, issuer), ledger.identity.private_key, issuer)
