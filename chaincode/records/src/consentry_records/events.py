"""Chaincode events: one a transaction, named `<Thing>.v1`, with ids and codes only (DESIGN.md §8)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .canonical import decode, encode
from .errors import LedgerError

LEDGER_INITIALIZED = "LedgerInitialized.v1"
SETTINGS_VOTED = "SettingsVoted.v1"
SETTINGS_CHANGED = "SettingsChanged.v1"
PRIVATE_BATCH_STORED = "PrivateBatchStored.v1"
BATCH_IMPORTED = "BatchImported.v1"
CONSENT_WITHDRAWN = "ConsentWithdrawn.v1"
CONSENTS_CHANGED = "ConsentsChanged.v1"
OPT_OUTS_RECORDED = "OptOutsRecorded.v1"
RIGHTS_REQUEST_CHANGED = "RightsRequestChanged.v1"
PRIVATE_ENTRIES_PURGED = "PrivateEntriesPurged.v1"
VERSION_REGISTERED = "DatasetVersionRegistered.v1"
VERSION_RETIRED = "DatasetVersionRetired.v1"
ACCESS_REQUESTED = "AccessRequested.v1"
ACCESS_GRANTED = "AccessGranted.v1"
GRANT_CHANGED = "GrantChanged.v1"
GRANT_REVOKED = "GrantRevoked.v1"
GRANT_SUSPENDED = "GrantSuspended.v1"
GRANT_RENEWED = "GrantRenewed.v1"
GRANT_NARROWED = "GrantNarrowed.v1"
SUSPENSION_LIFTED = "SuspensionLifted.v1"
RATIONALE_STORED = "RationaleStored.v1"
REVIEW_RECORDED = "ReviewRecorded.v1"
REVIEW_POLICY_SET = "ReviewPolicySet.v1"
EMERGENCY_REVIEWED = "EmergencyReviewed.v1"
ACCESS_ATTEMPTED = "AccessAttempted.v1"
ACCESS_DECIDED = "AccessDecided.v1"
ACCESS_BATCH_DECIDED = "AccessBatchDecided.v1"
DATA_DELIVERED = "DataDelivered.v1"
FUNCTION_REGISTERED = "FunctionRegistered.v1"
FUNCTION_APPROVAL_CHANGED = "FunctionApprovalChanged.v1"
TRAINING_STARTED = "TrainingStarted.v1"
ROUND_RECORDED = "TrainingRoundRecorded.v1"
ROUNDS_RECORDED = "TrainingRoundsRecorded.v1"
TRAINING_FINISHED = "TrainingFinished.v1"
STATEMENT_RECORDED = "TrainingStatementRecorded.v1"
MODEL_REGISTERED = "ModelRegistered.v1"
STAGE_CHANGED = "ModelStageChanged.v1"
MODEL_VERSION_REGISTERED = "ModelVersionRegistered.v1"
BREACH_CHANGED = "BreachChanged.v1"
TRAIL_READ = "TrailRead.v1"
EPOCH_CLOSED = "EpochClosed.v1"

EVENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        LEDGER_INITIALIZED: (),
        SETTINGS_VOTED: ("settings_digest", "voter_msp"),
        SETTINGS_CHANGED: ("settings_digest", "voter_msp"),
        PRIVATE_BATCH_STORED: ("batch_id", "custodian"),
        BATCH_IMPORTED: ("batch_id", "custodian", "count"),
        CONSENT_WITHDRAWN: ("consent_id", "custodian"),
        CONSENTS_CHANGED: ("batch_id", "custodian", "count"),
        OPT_OUTS_RECORDED: ("batch_id", "custodian", "count"),
        RIGHTS_REQUEST_CHANGED: ("rights_request_id", "custodian", "state"),
        PRIVATE_ENTRIES_PURGED: ("rights_request_id", "custodian", "count"),
        VERSION_REGISTERED: ("version_id", "dataset_id", "custodian"),
        VERSION_RETIRED: ("version_id", "custodian"),
        ACCESS_REQUESTED: ("request_id", "requester_msp"),
        ACCESS_GRANTED: ("grant_id", "request_id", "custodian", "grantee"),
        GRANT_CHANGED: ("grant_id", "custodian", "revision"),
        GRANT_REVOKED: ("grant_id", "custodian", "revision"),
        GRANT_SUSPENDED: ("grant_id", "custodian"),
        GRANT_RENEWED: ("grant_id", "custodian", "revision"),
        GRANT_NARROWED: ("grant_id", "custodian", "revision"),
        SUSPENSION_LIFTED: ("grant_id", "custodian"),
        RATIONALE_STORED: ("request_id", "custodian"),
        REVIEW_RECORDED: ("request_id", "custodian", "recommendation"),
        REVIEW_POLICY_SET: ("custodian",),
        EMERGENCY_REVIEWED: ("attempt_id", "custodian", "state"),
        ACCESS_ATTEMPTED: ("attempt_id", "custodian", "version_id"),
        ACCESS_DECIDED: ("attempt_id", "custodian", "outcome"),
        ACCESS_BATCH_DECIDED: ("custodian", "count"),
        DATA_DELIVERED: ("attempt_id", "number", "custodian", "end"),
        FUNCTION_REGISTERED: ("owner", "code_digest"),
        FUNCTION_APPROVAL_CHANGED: ("custodian", "owner", "code_digest", "revision", "state"),
        TRAINING_STARTED: ("session_id", "model_id"),
        ROUND_RECORDED: ("session_id", "number"),
        ROUNDS_RECORDED: ("session_id", "number", "count"),
        TRAINING_FINISHED: ("session_id", "state"),
        STATEMENT_RECORDED: ("session_id", "sequence"),
        MODEL_REGISTERED: ("model_id",),
        STAGE_CHANGED: ("model_version_id", "model_id", "stage"),
        MODEL_VERSION_REGISTERED: ("model_version_id", "model_id"),
        BREACH_CHANGED: ("breach_id", "custodian", "state"),
        TRAIL_READ: ("trail_read_id", "question"),
        EPOCH_CLOSED: ("custodian", "number"),
    }
)
"""Event name → names in its payload."""


def event_payload(name: str, fields: Mapping[str, str | int]) -> bytes:
    """Canonical JSON of the event's fields. Raises ValueError unless they are exactly those of the event."""
    expected = EVENTS[name]
    if sorted(fields) != sorted(expected):
        raise ValueError(f"{name} carries {', '.join(expected) or 'nothing'}")
    return encode(dict(fields))


def read_event(name: str, payload: bytes) -> dict[str, str | int]:
    """The fields of an event that came from a ledger.

    Raises LedgerError JSON_INVALID when the name is unknown or the payload is not that event's.
    """
    fields = decode(payload)
    expected = EVENTS.get(name)
    if expected is None or not isinstance(fields, dict) or sorted(fields) != sorted(expected):
        raise LedgerError("JSON_INVALID", {"got": "an event payload of another form"})
    if not all(type(value) in (str, int) for value in fields.values()):
        raise LedgerError("JSON_INVALID", {"got": "an event payload of another form"})
    return fields
