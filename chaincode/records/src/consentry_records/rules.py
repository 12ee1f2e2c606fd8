"""Who may use what, for which purpose, when: pure functions of records and a time. Default is deny.

No function here knows a clock; times are instants that the caller names by whose clock they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from . import rule_catalogue as rule
from .access import DENY, MAXIMUM_REASONS, PERMIT, AccessAttempt, AccessDecision
from .consent import GIVEN, Consent
from .dataset import ACTIVE as VERSION_ACTIVE
from .dataset import DatasetVersion
from .grant import ACTIVE, Grant, Suspension
from .instants import shift
from .reasons import Reason
from .roles import RESEARCHER
from .settings import Settings
from .subject import SubjectConsents
from .vocabulary import (
    ETHICS_APPROVAL,
    covers,
    excludes_commercial_use,
    recipient_allowed,
    terms_cover,
)

_GRANT_RULES = (
    rule.DATASET_STATE,
    rule.GRANT_STATE,
    rule.GRANT_SUSPENSION,
    rule.GRANT_PERIOD,
    rule.PURPOSE,
    rule.COMMERCIAL_USE,
    rule.ETHICS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What somebody wants to do with a dataset version: for which purpose, and whether commercially."""

    purpose: str
    commercial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the rules say; `record` makes the ledger's record of it.

    `rules` are the ids of the rules applied, `reasons` why access is denied (none on a permit), `grant_id`
    and `permit_not_after` the grant relied on and its end, `epoch` what the custodian's epoch key held.
    """

    outcome: str
    rules: tuple[str, ...]
    reasons: tuple[Reason, ...]
    grant_id: str | None
    permit_not_after: str | None
    epoch: str
    decided_at: str

    def record(self, attempt: AccessAttempt) -> AccessDecision:
        """The AccessDecision on the attempt."""
        return AccessDecision(
            attempt_id=attempt.attempt_id,
            custodian=attempt.custodian,
            outcome=self.outcome,
            rules=self.rules,
            reasons=self.reasons,
            grant_id=self.grant_id,
            epoch=self.epoch,
            decided_at=self.decided_at,
            permit_not_after=self.permit_not_after,
        )


def decide(
    attempt: AccessAttempt,
    version: DatasetVersion,
    grants: Sequence[Grant],
    suspensions: Collection[Suspension],
    settings: Settings,
    epoch: str,
    decision_time: str,
) -> Decision:
    """Permit or deny an attempt at `decision_time`, the clock of the custodian's service (DESIGN.md §6, §7).

    `grants` and `suspensions` may hold more than concerns the attempt; `epoch` is what `epoch/{custodian}`
    holds, empty before the first change. Permits on the grant that holds longest (then the lowest id) of
    those that every rule allows; otherwise denies with the reasons of each grant, at most 32, ordered by
    grant id. The attempt's own time decides nothing.
    """
    applied, refusal = _requester_refusal(attempt, settings)
    if refusal is not None:
        return _denied(applied, [refusal], epoch, decision_time)
    candidates = sorted(
        (grant for grant in grants if _concerns(grant, attempt, version)), key=lambda grant: grant.grant_id
    )
    applied = (*applied, rule.GRANT)
    if not candidates:
        fields = {"msp_id": attempt.requester_msp, "version_id": attempt.version_id}
        return _denied(applied, [Reason(code="NO_GRANT", parameters=fields)], epoch, decision_time)
    suspended = {suspension.grant_id for suspension in suspensions}
    use = Use(purpose=attempt.purpose, commercial=attempt.commercial)
    refusals = {
        grant.grant_id: grant_refusals(
            grant, version, use, suspended=grant.grant_id in suspended, settings=settings, at=decision_time
        )
        for grant in candidates
    }
    applied = (*applied, *_GRANT_RULES)
    allowed = [grant for grant in candidates if not refusals[grant.grant_id]]
    if not allowed:
        reasons = [reason for grant in candidates for reason in refusals[grant.grant_id]]
        return _denied(applied, reasons, epoch, decision_time)
    chosen = max(allowed, key=lambda grant: grant.not_after)
    return Decision(
        outcome=PERMIT,
        rules=applied,
        reasons=(),
        grant_id=chosen.grant_id,
        permit_not_after=chosen.not_after,
        epoch=epoch,
        decided_at=decision_time,
    )


def grant_refusals(
    grant: Grant, version: DatasetVersion, use: Use, *, suspended: bool, settings: Settings, at: str
) -> tuple[Reason, ...]:
    """Why this grant does not allow the use of the version at an instant; empty when it does.

    The caller has made sure that the grant names the version and its custodian.
    """
    named = {"grant_id": grant.grant_id}
    refusals: list[Reason] = []
    if version.state != VERSION_ACTIVE:
        refusals.append(Reason(code="VERSION_RETIRED", parameters={"version_id": version.version_id}))
    if grant.state != ACTIVE:
        refusals.append(Reason(code="GRANT_REVOKED", parameters=named))
    if suspended:
        refusals.append(Reason(code="GRANT_SUSPENDED", parameters=named))
    if shift(at, -settings.time_tolerance_ms) < grant.not_before:
        refusals.append(
            Reason(code="GRANT_NOT_YET_VALID", parameters={**named, "not_before": grant.not_before})
        )
    if shift(at, settings.time_tolerance_ms) >= grant.not_after:
        refusals.append(Reason(code="GRANT_EXPIRED", parameters={**named, "not_after": grant.not_after}))
    if not covers(grant.purposes, use.purpose):
        refusals.append(Reason(code="PURPOSE_NOT_COVERED", parameters={**named, "purpose": use.purpose}))
    if not terms_cover(version.duo_terms, use.purpose):
        refusals.append(Reason(code="PURPOSE_EXCLUDED_BY_DATASET", parameters={"purpose": use.purpose}))
    if use.commercial and excludes_commercial_use((*grant.restrictions, *version.duo_terms)):
        refusals.append(Reason(code="COMMERCIAL_USE_EXCLUDED", parameters=named))
    if ETHICS_APPROVAL in (*grant.restrictions, *version.duo_terms) and grant.ethics_approval_digest is None:
        refusals.append(Reason(code="ETHICS_APPROVAL_MISSING", parameters=named))
    return tuple(refusals)


def consent_permits(
    consent: Consent, use: Use, *, recipient: str, recipient_kind: str | None, at: str
) -> bool:
    """Whether a consent allows a use by a recipient (an MSP id of a kind of organization) at an instant.

    It must be in force, hold at the instant, cover the purpose, name the recipient or a class of its kind,
    and not exclude commercial use where the use is commercial. The custodian itself is a recipient of its own
    data. An organization outside the consortium has no kind (None) and is allowed nothing.
    """
    return (
        consent.state == GIVEN
        and consent.not_before <= at < consent.not_after
        and covers(consent.purposes, use.purpose)
        and recipient_allowed((*consent.recipients, consent.custodian), recipient, recipient_kind)
        and not (use.commercial and excludes_commercial_use(consent.restrictions))
    )


def permitting_consent(
    subject: SubjectConsents,
    consents: Mapping[str, Consent],
    use: Use,
    *,
    recipient: str,
    recipient_kind: str | None,
    at: str,
) -> str | None:
    """The newest of a subject's consents that allows a use at an instant; None where none does.

    None, too, where an opt-out, objection, restriction or erasure forbids the use whatever was consented to.
    `consents` are those of the subject by id, and may hold more.
    """
    if any(limit.forbids(use.purpose) for limit in subject.limits):
        return None
    for consent_id in reversed(subject.consents):
        consent = consents.get(consent_id)
        if consent is not None and consent_permits(
            consent, use, recipient=recipient, recipient_kind=recipient_kind, at=at
        ):
            return consent_id
    return None


def _requester_refusal(attempt: AccessAttempt, settings: Settings) -> tuple[tuple[str, ...], Reason | None]:
    if settings.kind_of(attempt.requester_msp) is None:
        reason = Reason(code="REQUESTER_UNKNOWN", parameters={"msp_id": attempt.requester_msp})
        return (rule.REQUESTER,), reason
    if RESEARCHER not in attempt.roles:
        return (rule.REQUESTER, rule.ROLE), Reason(code="ROLE_MISSING", parameters={"role": RESEARCHER})
    return (rule.REQUESTER, rule.ROLE), None


def _concerns(grant: Grant, attempt: AccessAttempt, version: DatasetVersion) -> bool:
    return (
        version.version_id == attempt.version_id
        and version.version_id in grant.versions
        and version.custodian == attempt.custodian == grant.custodian
        and grant.grantee == attempt.requester_msp
    )


def _denied(applied: tuple[str, ...], reasons: Sequence[Reason], epoch: str, decision_time: str) -> Decision:
    return Decision(
        outcome=DENY,
        rules=applied,
        reasons=tuple(reasons[:MAXIMUM_REASONS]),
        grant_id=None,
        permit_not_after=None,
        epoch=epoch,
        decided_at=decision_time,
    )
