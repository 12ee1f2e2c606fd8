"""The ledger's key layout. Every key is ASCII; docs/ledger-format.md shows the same table and a test compares
them.

Simple keys are `kind/id`, so that a range over one kind is `kind/` to `kind0`. Composite keys are indexes:
the grants of an organization on a dataset version, and a custodian's open emergencies, are found without a
scan.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SETTINGS = "settings"
GRANT_INDEX = "grant-by-version-and-grantee"
VERSIONS_OF_CUSTODIAN = "version-by-custodian"
DERIVED_VERSIONS = "version-by-source"
SESSIONS_OF_VERSION = "session-by-version"
MODEL_VERSIONS_OF_MODEL = "modelversion-by-model"
MODEL_VERSIONS_OF_SESSION = "modelversion-by-session"
MODEL_VERSIONS_OF_PARENT = "modelversion-by-parent"
RIGHTS_OF_SUBJECT = "rights-by-subject"
OPEN_RIGHTS = "open-rights-by-custodian-and-due"
EMERGENCY_INDEX = "open-emergency-by-custodian"
COLLECTION_PREFIX = "custodian-"

LAYOUT: Mapping[str, str] = MappingProxyType(
    {
        "settings": "Settings in force",
        "settings-vote/{digest, hex}/{MSP id}": "SettingsVote; one an organization",
        "consent/{consent_id}": "Consent",
        "subject/{commitment}": "SubjectConsents: consents and limits of one subject at one custodian",
        "batch/{batch_id}": "RecordedBatch",
        "dataset/{dataset_id}": "Dataset; custodian's key-level policy",
        "dataset-name/{MSP id}/{name}": "the dataset id; names are unique for one custodian",
        "dataset-number/{dataset_id}/{number:06d}": "the version id; numbers are unique for one dataset",
        "version/{version_id}": "DatasetVersion; custodian's key-level policy",
        "removed/{version_id}": "RemovedRows; custodian's key-level policy",
        "request/{request_id}": "AccessRequest",
        "grant/{grant_id}": "Grant; custodian's key-level policy",
        "suspension/{grant_id}": "Suspension; regulator's key-level policy",
        "use/{grant_id}/{number:06d}": "the attempt whose permit took this use, or `closed`",
        "review/{request_id}/{MSP id}/{enrolment id}": "Review; one of each reviewer of a custodian",
        "review-policy/{MSP id}": "ReviewPolicy of a custodian",
        "emergency/{attempt_id}": "EmergencyAccess",
        "attempt/{attempt_id}": "AccessAttempt",
        "decision/{attempt_id}": "AccessDecision",
        "delivery/{attempt_id}/{number:06d}": "Delivery",
        "epoch/{MSP id}": "id of the transaction that last withdrew, revoked or changed something of it",
        "function/{MSP id}/{digest, hex}": "Function of an organization's researcher",
        "function-approval/{custodian's MSP id}/{owner's MSP id}/{digest, hex}": (
            "FunctionApproval; custodian's key-level policy"
        ),
        "session/{session_id}": "TrainingSession",
        "round/{session_id}/{number:06d}": "TrainingRound",
        "statement/{session_id}/{number:06d}": "TrainingStatement",
        "model/{model_id}": "Model",
        "model-name/{MSP id}/{name}": "the model id; names are unique for one owner",
        "modelversion/{model_version_id}": "ModelVersion",
        "stage/{model_version_id}": "ModelStage",
        "production/{model_id}": "the id of the model version in production",
        "rights/{rights_request_id}": "RightsRequest; custodian's key-level policy",
        "breach/{breach_id}": "Breach; controller's key-level policy",
        "trailread/{trail_read_id}": "TrailRead",
        "closed-epoch/{MSP id}/{number:06d}": "ClosedEpoch; custodian's key-level policy",
    }
)
"""Form of a simple key → what its value is."""

INDEXES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        GRANT_INDEX: (
            "version id, grantee's MSP id, grant id",
            "the grant id; finds a grantee's grants on a version, those narrowed away from it too",
        ),
        VERSIONS_OF_CUSTODIAN: (
            "custodian's MSP id, version id",
            "the version id; finds a custodian's dataset versions",
        ),
        DERIVED_VERSIONS: (
            "version id of the source, version id",
            "the version id; finds what was made of a version, and what superseded it",
        ),
        SESSIONS_OF_VERSION: (
            "version id, session id",
            "the session id; finds the training sessions that used a version",
        ),
        MODEL_VERSIONS_OF_MODEL: (
            "model id, model version id",
            "the model version id; finds a model's versions",
        ),
        MODEL_VERSIONS_OF_SESSION: (
            "session id, model version id",
            "the model version id; finds the model versions that a session made",
        ),
        MODEL_VERSIONS_OF_PARENT: (
            "model version id of the parent, model version id",
            "the model version id; finds the model versions made from one",
        ),
        EMERGENCY_INDEX: (
            "custodian's MSP id, attempt id",
            "the attempt id, while its emergency access has no review",
        ),
        RIGHTS_OF_SUBJECT: (
            "subject's commitment, rights request id",
            "the rights request id; finds a subject's requests",
        ),
        OPEN_RIGHTS: (
            "custodian's MSP id, due date, rights request id",
            "the rights request id, while it is open; finds what is due first",
        ),
    }
)
"""Name of a composite key → its further parts, and its value with what it finds."""


def settings_vote(name: str, msp_id: str) -> str:
    """Key of an organization's SettingsVote for the settings with a digest (hex)."""
    return f"settings-vote/{name}/{msp_id}"


def settings_votes() -> tuple[str, str]:
    """Range of all votes: first key and the key after the last one."""
    return "settings-vote/", "settings-vote0"


def consent(consent_id: str) -> str:
    """Key of a Consent."""
    return f"consent/{consent_id}"


def subject(commitment: str) -> str:
    """Key of a subject's list of consents."""
    return f"subject/{commitment}"


def batch(batch_id: str) -> str:
    """Key of a RecordedBatch; in the custodian's collection, of the private batch entry."""
    return f"batch/{batch_id}"


def dataset(dataset_id: str) -> str:
    """Key of a Dataset."""
    return f"dataset/{dataset_id}"


def dataset_name(custodian: str, name: str) -> str:
    """Key that holds the id of the custodian's dataset of that name."""
    return f"dataset-name/{custodian}/{name}"


def dataset_number(dataset_id: str, number: int) -> str:
    """Key that holds the id of a dataset's version of that number."""
    return f"dataset-number/{dataset_id}/{number:06d}"


def dataset_numbers(dataset_id: str) -> tuple[str, str]:
    """The range [start, end) of a dataset's versions, in the order of their numbers."""
    return f"dataset-number/{dataset_id}/", f"dataset-number/{dataset_id}0"


def version(version_id: str) -> str:
    """Key of a DatasetVersion."""
    return f"version/{version_id}"


def removed(version_id: str) -> str:
    """Key of a RemovedRows."""
    return f"removed/{version_id}"


def request(request_id: str) -> str:
    """Key of an AccessRequest."""
    return f"request/{request_id}"


def grant(grant_id: str) -> str:
    """Key of a Grant."""
    return f"grant/{grant_id}"


def grant_index(version_id: str, grantee: str, grant_id: str) -> str:
    """Composite key (Fabric's form, fabric-behaviour.md §4.5) that points from a version and a grantee to a
    grant.
    """
    return "\x00" + "".join(f"{part}\x00" for part in (GRANT_INDEX, version_id, grantee, grant_id))


def suspension(grant_id: str) -> str:
    """Key of a grant's Suspension."""
    return f"suspension/{grant_id}"


def use(grant_id: str, number: int) -> str:
    """Key of one of a grant's limited uses, numbered from 1."""
    return f"use/{grant_id}/{number:06d}"


def review(request_id: str, custodian: str, reviewer: str) -> str:
    """Key of a Review."""
    return f"review/{request_id}/{custodian}/{reviewer}"


def reviews(request_id: str, custodian: str | None = None) -> tuple[str, str]:
    """The range [start, end) of a request's reviews, all or one custodian's."""
    start = f"review/{request_id}/" if custodian is None else f"review/{request_id}/{custodian}/"
    return start, start[:-1] + "0"


def review_policy(custodian: str) -> str:
    """Key of a custodian's ReviewPolicy."""
    return f"review-policy/{custodian}"


def emergency(attempt_id: str) -> str:
    """Key of an EmergencyAccess."""
    return f"emergency/{attempt_id}"


def open_emergency(custodian: str, attempt_id: str) -> str:
    """Composite key that finds a custodian's emergency accesses that are not reviewed yet."""
    return "\x00" + "".join(f"{part}\x00" for part in (EMERGENCY_INDEX, custodian, attempt_id))


def attempt(attempt_id: str) -> str:
    """Key of an AccessAttempt."""
    return f"attempt/{attempt_id}"


def decision(attempt_id: str) -> str:
    """Key of the AccessDecision on an attempt."""
    return f"decision/{attempt_id}"


def delivery(attempt_id: str, number: int) -> str:
    """Key of a Delivery, numbered from 1."""
    return f"delivery/{attempt_id}/{number:06d}"


def epoch(custodian: str) -> str:
    """Key of a custodian's epoch: written blindly by its changes, read by every decision (DESIGN.md §6)."""
    return f"epoch/{custodian}"


def function(owner: str, code_digest: str) -> str:
    """Key of an organization's Function."""
    return f"function/{owner}/{code_digest.rpartition(':')[2]}"


def function_approval(custodian: str, owner: str, code_digest: str) -> str:
    """Key of a custodian's FunctionApproval of an organization's function."""
    return f"function-approval/{custodian}/{owner}/{code_digest.rpartition(':')[2]}"


def session(session_id: str) -> str:
    """Key of a TrainingSession."""
    return f"session/{session_id}"


def training_round(session_id: str, number: int) -> str:
    """Key of a TrainingRound."""
    return f"round/{session_id}/{number:06d}"


def training_statement(session_id: str, number: int) -> str:
    """Key of a TrainingStatement."""
    return f"statement/{session_id}/{number:06d}"


def model(model_id: str) -> str:
    """Key of a Model."""
    return f"model/{model_id}"


def model_name(owner: str, name: str) -> str:
    """Key that holds the id of the owner's model of that name."""
    return f"model-name/{owner}/{name}"


def model_version(model_version_id: str) -> str:
    """Key of a ModelVersion."""
    return f"modelversion/{model_version_id}"


def rights(rights_request_id: str) -> str:
    """Key of a RightsRequest."""
    return f"rights/{rights_request_id}"


def rights_of_subject(commitment: str, rights_request_id: str) -> str:
    """Composite key that points from a subject to a request of his."""
    return composite(RIGHTS_OF_SUBJECT, commitment, rights_request_id)


def open_rights(custodian: str, due_at: str, rights_request_id: str) -> str:
    """Composite key that points to a custodian's open request, in the order of their due dates."""
    return composite(OPEN_RIGHTS, custodian, due_at, rights_request_id)


def breach(breach_id: str) -> str:
    """Key of a Breach."""
    return f"breach/{breach_id}"


def trail_read(trail_read_id: str) -> str:
    """Key of a TrailRead."""
    return f"trailread/{trail_read_id}"


def closed_epoch(custodian: str, number: int) -> str:
    """Key of a ClosedEpoch."""
    return f"closed-epoch/{custodian}/{number:06d}"


def composite(*parts: str) -> str:
    """A composite key in Fabric's form: each part after U+0000 (fabric-behaviour.md §4.5)."""
    return "\x00" + "".join(f"{part}\x00" for part in parts)


def stage(model_version_id: str) -> str:
    """Key of a ModelStage."""
    return f"stage/{model_version_id}"


def production(model_id: str) -> str:
    """Key that holds the id of a model's version in production."""
    return f"production/{model_id}"


def collection(custodian: str) -> str:
    """Name of a custodian's own private data collection."""
    return COLLECTION_PREFIX + custodian
