"""What a rendering is made of: frozen records, and what its maker adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from consentry.errors import InputRejected
from consentry.renderings.parties import Parties
from consentry.row_proofs import RowProof
from consentry_records.access import AccessAttempt, AccessDecision
from consentry_records.consent import Consent
from consentry_records.dataset import DatasetVersion
from consentry_records.private_consent import PrivateChange, PrivateConsent


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentSource:
    """A consent; with its private entries only where the rendering stays with custodian and subject.

    `changes` are how it was changed since, by the batch of each. Without `private` nothing of it, the
    pseudonym least of all, is in a rendering.
    """

    consent: Consent
    private: PrivateConsent | None = field(default=None, repr=False)
    changes: Mapping[str, PrivateChange] = field(default_factory=dict, repr=False)
    parties: Parties = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSource:
    """An attempt with the decision on it; `row`, where given, is one row of the version that it was about.

    A decision is about a dataset version. A row's proof, checked against the consent root that the decision
    names, makes of it an event of that row's subject and consent.
    """

    attempt: AccessAttempt
    decision: AccessDecision
    version: DatasetVersion
    row: RowProof | None = None

    def __post_init__(self) -> None:
        """Refuse records that do not belong together.

        Raises:
            InputRejected: RECORDS_DIFFER, ROW_NOT_PROVED.
        """
        named = (self.decision.attempt_id, self.attempt.version_id, self.decision.custodian)
        if named != (self.attempt.attempt_id, self.version.version_id, self.attempt.custodian):
            raise InputRejected(
                "RECORDS_DIFFER", "attempt, decision and dataset version do not belong together"
            )
        root = self.decision.consent_root
        if self.row is not None and not (root == self.version.merkle_root and self.row.holds(self.version)):
            raise InputRejected(
                "ROW_NOT_PROVED", "the row's proof does not lead to the consent root of the decision"
            )
