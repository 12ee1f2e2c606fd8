"""What makes a transaction count once: the id that it names, and the answer when it was recorded before.

A client that lost sight of a transaction may submit it again, with the same ids: either it is recorded now,
or the answer says that it was before, and nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RECORDED_BEFORE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ledger:initialize": ("the ledger itself", "LEDGER_ALREADY_INITIALIZED"),
        "ledger:vote": ("the settings and the caller's organization", "SETTINGS_VOTE_EXISTS"),
        "consents:store_private": ("batch_id", "BATCH_EXISTS"),
        "consents:import_batch": ("batch_id", "BATCH_EXISTS"),
        "consents:withdraw": ("consent_id", "CONSENT_ALREADY_WITHDRAWN"),
        "consents:change": ("batch_id", "BATCH_EXISTS"),
        "subjects:opt_out": ("batch_id", "BATCH_EXISTS"),
        "rights:receive": ("rights_request_id", "RIGHTS_REQUEST_EXISTS"),
        "rights:advance": ("rights_request_id and revision", "RIGHTS_REVISION_DIFFERS"),
        "rights:fulfil": ("rights_request_id and revision", "RIGHTS_REVISION_DIFFERS"),
        "rights:notify": ("rights_request_id and revision", "RIGHTS_REVISION_DIFFERS"),
        "datasets:register": ("version_id", "VERSION_EXISTS"),
        "datasets:update": ("version_id", "VERSION_EXISTS"),
        "datasets:retire": ("version_id", "VERSION_RETIRED"),
        "grants:request": ("request_id", "REQUEST_EXISTS"),
        "grants:grant": ("grant_id", "GRANT_EXISTS"),
        "grants:renew": ("grant_id and not_after", "GRANT_RENEWAL_NOT_LATER"),
        "grants:revoke": ("grant_id", "GRANT_ALREADY_REVOKED"),
        "grants:suspend": ("grant_id", "GRANT_ALREADY_SUSPENDED"),
        "grants:lift_suspension": ("grant_id", "GRANT_NOT_SUSPENDED"),
        "reviews:store_rationale": ("request_id and the caller", "RATIONALE_EXISTS"),
        "reviews:record": ("request_id and the caller", "REVIEW_EXISTS"),
        "emergencies:review": ("attempt_id", "EMERGENCY_ALREADY_REVIEWED"),
        "access:attempt": ("attempt_id", "ATTEMPT_EXISTS"),
        "access:decide": ("attempt_id", "ATTEMPT_ALREADY_DECIDED"),
        "access:decide_batch": ("each attempt_id", "ATTEMPT_ALREADY_DECIDED"),
        "training:start": ("session_id", "SESSION_EXISTS"),
        "training:record_round": ("session_id and number", "ROUND_EXISTS"),
        "training:record_rounds": ("session_id and each number", "ROUND_EXISTS"),
        "training:finish": ("session_id", "SESSION_NOT_RUNNING"),
        "training:record_statement": ("session_id and sequence", "STATEMENT_EXISTS"),
        "models:register": ("model_id", "MODEL_EXISTS"),
        "models:register_version": ("model_version_id", "MODEL_VERSION_EXISTS"),
        "models:change_stage": ("model_version_id and stage", "STAGE_NOT_REACHABLE"),
        "breaches:record": ("breach_id", "BREACH_EXISTS"),
        "breaches:advance": ("breach_id and revision", "BREACH_REVISION_DIFFERS"),
        "deliveries:record": ("attempt_id and number", "DELIVERY_EXISTS"),
        "functions:register": ("the caller's organization and code_digest", "FUNCTION_EXISTS"),
        "functions:approve": ("the function and revision", "FUNCTION_APPROVAL_REVISION_DIFFERS"),
        "functions:revoke": ("the function", "FUNCTION_APPROVAL_NOT_IN_FORCE"),
        "epochs:close": ("the custodian and number", "EPOCH_CLOSED"),
        "trail:record_read": ("trail_read_id", "TRAIL_READ_EXISTS"),
    }
)
"""Function → the fields that name the transaction, and the code of the second answer."""

THE_SAME_AGAIN: Mapping[str, str] = MappingProxyType(
    {
        "rights:purge": "purging what is gone changes nothing",
        "grants:change": "a second change to the same end changes nothing but the revision",
        "grants:narrow": "a second narrowing to the same changes nothing but the revision",
        "reviews:set_policy": "the same policy is written again",
    }
)
"""Function → why it may be recorded twice without harm."""
