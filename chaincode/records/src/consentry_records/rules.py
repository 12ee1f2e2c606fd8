"""Who may use what, for which purpose, when: pure functions of records and a time. Default is deny.

No function here knows a clock; times are instants that the caller names by whose clock they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from . import rule_catalogue as rule
from .access import DENY, MAXIMUM_REASONS, PERMIT, AccessAttempt, AccessDecision
from .consent import GIVEN, Consent
from .dataset import DatasetVersion
from .emergency import PERMIT_MILLISECONDS
from .function import FunctionApproval
from .function_rules import function_refusals
from .grant import SUSPENDED, Grant, Suspension
from .grant_rules import GRANT_RULES, Use, grant_refusals
from .instants import shift
from .reasons import Reason
from .roles import CLINICIAN, RESEARCHER
from .settings import HOSPITAL, Settings
from .subject import SubjectConsents
from .vocabulary import TREATMENT, covers, excludes_commercial_use, recipient_allowed

NO_USES: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the rules say; `record` makes the ledger's record of it.

    `rules` are the ids of the rules applied, `reasons` why access is denied (none on a permit), `grant_id`
    and `permit_not_after` the grant relied on and its end, `use` the use of it that a permit takes where they
    are limited, `epoch` what the custodian's epoch key held.
    """

    outcome: str
    rules: tuple[str, ...]
    reasons: tuple[Reason, ...]
    epoch: str
    decided_at: str
    consent_root: str
    grant_id: str | None = None
    permit_not_after: str | None = None
    use: int | None = None
    emergency: str | None = None

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
            purpose=attempt.purpose,
            session_id=attempt.session_id,
            consent_root=self.consent_root,
            use=self.use,
            emergency=self.emergency,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a decision is made on besides the attempt.

    `grants` and `suspensions` may hold more than concerns the attempt; `epoch` is what `epoch/{custodian}`
    holds, empty before the first change; `decision_time` the clock of the custodian's service (DESIGN.md §6,
    §7); `free_uses` gives for each grant with limited uses one that is left, and lacks those with none;
    `approval` is the custodian's of the attempt's function, None where there is none.
    """

    version: DatasetVersion
    grants: Sequence[Grant]
    suspensions: Collection[Suspension]
    settings: Settings
    epoch: str
    decision_time: str
    free_uses: Mapping[str, int]
    approval: FunctionApproval | None = None


def decide(
    attempt: AccessAttempt,
    version: DatasetVersion,
    grants: Sequence[Grant],
    suspensions: Collection[Suspension],
    settings: Settings,
    epoch: str,
    decision_time: str,
    free_uses: Mapping[str, int] = NO_USES,
    approval: FunctionApproval | None = None,
) -> Decision:
    """Permit or deny an attempt; parameters as in `Basis`. The attempt's own time decides nothing.

    Permits on a grant that every rule allows: one without limited uses before others, then the one that holds
    longest, then the lowest id. Otherwise denies with the reasons of each grant, at most 32, ordered by grant
    id.
    """
    basis = Basis(
        version=version,
        grants=grants,
        suspensions=suspensions,
        settings=settings,
        epoch=epoch,
        decision_time=decision_time,
        free_uses=free_uses,
        approval=approval,
    )
    if attempt.emergency is not None:
        return _decide_emergency(attempt, basis)
    applied, refusal = _requester_refusal(attempt, settings, RESEARCHER)
    if refusal is not None:
        return _denied(applied, [refusal], basis)
    candidates = concerning(attempt, version, grants)
    applied = (*applied, rule.GRANT)
    if not candidates:
        fields = {"msp_id": attempt.requester_msp, "version_id": attempt.version_id}
        return _denied(applied, [Reason(code="NO_GRANT", parameters=fields)], basis)
    refusals = {grant.grant_id: _refusals(grant, attempt, basis) for grant in candidates}
    applied = (*applied, *GRANT_RULES, rule.USES)
    allowed = [grant for grant in candidates if not refusals[grant.grant_id]]
    barred = function_refusals(attempt, approval, settings, decision_time)
    applied = applied if attempt.function_digest is None else (*applied, rule.FUNCTION)
    if barred or not allowed:
        return _denied(
            applied, [*barred, *(r for grant in candidates for r in refusals[grant.grant_id])], basis
        )
    chosen = max(allowed, key=lambda grant: (grant.conditions.maximum_uses is None, grant.not_after))
    return Decision(
        outcome=PERMIT,
        rules=applied,
        reasons=(),
        grant_id=chosen.grant_id,
        permit_not_after=min(chosen.not_after, approval.not_after if approval else chosen.not_after),
        use=None if chosen.conditions.maximum_uses is None else free_uses[chosen.grant_id],
        epoch=epoch,
        decided_at=decision_time,
        consent_root=version.merkle_root,
    )


def concerning(attempt: AccessAttempt, version: DatasetVersion, grants: Sequence[Grant]) -> list[Grant]:
    """The grants on the attempt's dataset version to its requester's organization, ordered by id."""
    return sorted(
        (
            grant
            for grant in grants
            if version.version_id == attempt.version_id
            and version.version_id in grant.versions
            and version.custodian == attempt.custodian == grant.custodian
            and grant.grantee == attempt.requester_msp
        ),
        key=lambda grant: grant.grant_id,
    )


def is_suspended(grant_id: str, suspensions: Collection[Suspension]) -> bool:
    """Whether a suspension of the grant is in force; one that was lifted is not."""
    return any(item.grant_id == grant_id and item.state == SUSPENDED for item in suspensions)


def consent_permits(
    consent: Consent, use: Use, *, recipient: str, recipient_kind: str | None, at: str
) -> bool:
    """Whether a consent allows a use by a recipient (an MSP id of a kind of organization) at an instant.

    It must be in force, hold at the instant, and allow the use (`terms_allow`). The custodian itself is a
    recipient of its own data.
    """
    return (
        consent.state == GIVEN
        and consent.not_before <= at < consent.not_after
        and terms_allow(
            consent.purposes,
            consent.restrictions,
            (*consent.recipients, consent.custodian),
            use,
            recipient=recipient,
            recipient_kind=recipient_kind,
        )
    )


def terms_allow(
    purposes: Sequence[str],
    restrictions: Sequence[str],
    recipients: Sequence[str],
    use: Use,
    *,
    recipient: str,
    recipient_kind: str | None,
) -> bool:
    """Whether what was consented to takes in a use, whatever the time.

    It must cover the purpose, name the recipient or a class of its kind, and not exclude commercial use where
    the use is commercial. An organization outside the consortium has no kind (None) and is allowed nothing.
    """
    return (
        covers(purposes, use.purpose)
        and recipient_allowed(recipients, recipient, recipient_kind)
        and not (use.commercial and excludes_commercial_use(restrictions))
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


def _refusals(grant: Grant, attempt: AccessAttempt, basis: Basis) -> tuple[Reason, ...]:
    suspended = is_suspended(grant.grant_id, basis.suspensions)
    use = Use.of(attempt, basis.settings)
    found = grant_refusals(
        grant, basis.version, use, suspended=suspended, settings=basis.settings, at=basis.decision_time
    )
    if found or grant.conditions.maximum_uses is None or grant.grant_id in basis.free_uses:
        return found
    return (Reason(code="USES_EXHAUSTED", parameters={"grant_id": grant.grant_id}),)


def _decide_emergency(attempt: AccessAttempt, basis: Basis) -> Decision:
    """Break-glass: a hospital's clinician is let in for treatment without a grant, for eight hours."""
    applied, refusal = _requester_refusal(attempt, basis.settings, CLINICIAN)
    if refusal is not None:
        return _denied(applied, [refusal], basis)
    applied = (*applied, rule.EMERGENCY)
    if basis.settings.kind_of(attempt.requester_msp) != HOSPITAL:
        fields = {"msp_id": attempt.requester_msp}
        return _denied(applied, [Reason(code="EMERGENCY_NOT_HOSPITAL", parameters=fields)], basis)
    if not covers((TREATMENT,), attempt.purpose):
        fields = {"purpose": attempt.purpose}
        return _denied(applied, [Reason(code="EMERGENCY_NOT_CARE", parameters=fields)], basis)
    return Decision(
        outcome=PERMIT,
        rules=applied,
        reasons=(),
        permit_not_after=shift(basis.decision_time, PERMIT_MILLISECONDS),
        emergency=attempt.emergency,
        epoch=basis.epoch,
        decided_at=basis.decision_time,
        consent_root=basis.version.merkle_root,
    )


def _requester_refusal(
    attempt: AccessAttempt, settings: Settings, role: str
) -> tuple[tuple[str, ...], Reason | None]:
    if settings.kind_of(attempt.requester_msp) is None:
        reason = Reason(code="REQUESTER_UNKNOWN", parameters={"msp_id": attempt.requester_msp})
        return (rule.REQUESTER,), reason
    if role not in attempt.roles:
        return (rule.REQUESTER, rule.ROLE), Reason(code="ROLE_MISSING", parameters={"role": role})
    return (rule.REQUESTER, rule.ROLE), None


def _denied(applied: tuple[str, ...], reasons: Sequence[Reason], basis: Basis) -> Decision:
    return Decision(
        outcome=DENY,
        rules=applied,
        reasons=tuple(reasons[:MAXIMUM_REASONS]),
        epoch=basis.epoch,
        decided_at=basis.decision_time,
        consent_root=basis.version.merkle_root,
    )
