"""Whether a custodian approves the function that an attempt would run on its data."""

from __future__ import annotations

from .access import AccessAttempt
from .function import APPROVED, FunctionApproval
from .instants import shift
from .reasons import Reason
from .settings import Settings
from .vocabulary import covers


def function_refusals(
    attempt: AccessAttempt, approval: FunctionApproval | None, settings: Settings, at: str
) -> tuple[Reason, ...]:
    """Why an attempt's function may not run at an instant; empty when it may, or when there is none.

    `approval` is the custodian's of that function, as it stands.
    """
    if attempt.function_digest is None:
        return ()
    named = {"function": attempt.function_digest}
    unapproved = Reason(code="FUNCTION_NOT_APPROVED", parameters=named)
    if approval is None or approval.state != APPROVED:
        return (unapproved,)
    asked = (attempt.custodian, attempt.requester_msp, attempt.function_digest)
    if (approval.custodian, approval.owner, approval.code_digest) != asked:
        return (unapproved,)
    if attempt.version_id not in approval.versions or not covers(approval.purposes, attempt.purpose):
        return (unapproved,)
    tolerance = settings.time_tolerance_ms
    if shift(at, -tolerance) < approval.not_before:
        fields = {**named, "not_before": approval.not_before}
        return (Reason(code="FUNCTION_NOT_YET_APPROVED", parameters=fields),)
    if shift(at, tolerance) >= approval.not_after:
        fields = {**named, "not_after": approval.not_after}
        return (Reason(code="FUNCTION_APPROVAL_ENDED", parameters=fields),)
    return ()
