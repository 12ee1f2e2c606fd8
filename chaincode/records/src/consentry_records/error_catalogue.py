"""Every code that a Consentry ledger answers with, its status and its words; the one place where words are
kept.

Words are templates over the error's fields. Fields are ids, codes, names of fields and numbers: never a value
that a caller sent, because an error travels to logs and consoles that may not hold personal data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """The status (HTTP's meaning: 400 bad input, 403 not allowed, 404 unknown, 409 in conflict) and the words
    of a code.
    """

    status: int
    words: str


def _bad(words: str) -> CatalogueEntry:
    return CatalogueEntry(400, words)


def _forbidden(words: str) -> CatalogueEntry:
    return CatalogueEntry(403, words)


def _unknown(words: str) -> CatalogueEntry:
    return CatalogueEntry(404, words)


def _conflict(words: str) -> CatalogueEntry:
    return CatalogueEntry(409, words)


_INPUT = {
    "FIELD_INVALID": _bad("{record}: field {field}: expected {expected}, got {got}"),
    "FIELD_MISSING": _bad(
        "{record}: field {field} is missing; every field has to be given, null where it is empty"
    ),
    "FIELD_UNKNOWN": _bad("{record}: field {field} does not belong to this record; fields are {expected}"),
    "RECORD_NOT_OBJECT": _bad("{record}: expected a JSON object, got {got}"),
    "JSON_INVALID": _bad("expected one JSON document without floats and doubled names, got {got}"),
    "VALUE_NOT_ENCODABLE": _bad(
        "expected text, whole numbers within 53 bits, booleans, null, lists and objects, got {got}"
    ),
    "TOO_LARGE": _bad("{what}: at most {maximum} are allowed, got {got}"),
    "TRANSIENT_INVALID": _bad("the transient map must hold exactly these entries: {expected}"),
    "TRANSIENT_NOT_ALLOWED": _bad("this transaction is public and takes no transient data; send none"),
    "PERIOD_INVALID": _bad("{record}: not_after must be later than not_before"),
    "ID_DOUBLED": _bad("{what} {id} is named twice; name each once"),
    "PROPOSAL_TIME_TOO_EARLY": _bad(
        "the proposal's time lies before {earlier}, when an earlier record was made; check the client's clock"
    ),
}

_CALLER = {
    "ROLE_REQUIRED": _forbidden("{function} needs a certificate with one of the roles {roles}"),
    "ORGANIZATION_UNKNOWN": _forbidden("organization {msp_id} is not in the ledger's settings"),
    "ORGANIZATION_KIND_WRONG": _forbidden("organization {msp_id} must be of kind {expected} to do this"),
    "NOT_CUSTODIAN": _forbidden("only the custodian {custodian} may do this, the caller is of {msp_id}"),
    "NOT_OWNER": _forbidden("{what} {id} belongs to another organization or person"),
    "ACTOR_INVALID": _forbidden(
        "the certificate's common name must be an enrolment id: 1 to 64 ASCII letters, digits, '.', '_', '-'"
    ),
}

_LEDGER = {
    "LEDGER_NOT_INITIALIZED": _conflict(
        "the ledger has no settings yet; a regulator submits ledger:initialize first"
    ),
    "LEDGER_ALREADY_INITIALIZED": _conflict(
        "the ledger has its settings already; organizations vote for others with ledger:vote"
    ),
    "SETTINGS_INVALID": _bad("settings: {expected}"),
    "SETTINGS_UNCHANGED": _bad("the settings that were voted for are those in force"),
    "SETTINGS_VOTE_EXISTS": _conflict("organization {msp_id} voted for these settings before"),
}

_CONSENTS = {
    "CONSENT_NOT_FOUND": _unknown("there is no consent {consent_id}"),
    "CONSENT_ALREADY_WITHDRAWN": _conflict("consent {consent_id} was withdrawn before"),
    "CONSENT_STATE_WRONG": _conflict("consent {consent_id} is {state}; that rules this change out"),
    "CONSENT_FULL": _conflict(
        "consent {consent_id} has nearly {maximum} events and can only be ended; give a new consent instead"
    ),
    "CONSENT_LAPSED": _conflict(
        "the period of consent {consent_id} is over, or about to be; give a new consent instead of a renewal"
    ),
    "CONSENT_NOT_LAPSED": _conflict("the period of consent {consent_id} is not over yet"),
    "CONSENT_WIDENED": _bad(
        "the new terms of consent {consent_id} allow more in {field}; whoever allows more gives a new consent"
    ),
    "CONSENT_UNCHANGED": _bad("the new terms of consent {consent_id} are those in force"),
    "CHANGE_TERMS_INVALID": _bad(
        "a consent {change} takes terms if it is renewed or narrowed, and null in any other case"
    ),
    "CLAIMED_TOO_LATE": _bad("claimed_at must not be later than {recorded_at}, when it is recorded"),
    "MANDATE_INVALID": _bad(
        "a consent declared by a guardian or proxy needs a mandate_digest, one by the subject has none; it "
        "was declared by: {declared_by}"
    ),
    "COLUMNS_DIFFER": _bad("batch {batch_id} has {count} subjects; its other columns are of another length"),
    "TERMS_NOT_IN_BATCH": _bad("batch {batch_id} has {maximum} terms; a consent names others"),
    "BATCH_EXISTS": _conflict("batch {batch_id} was stored or recorded before"),
    "BATCH_PRIVATE_ENTRY_MISSING": _conflict(
        "batch {batch_id} has no private entry; submit consents:store_private first and wait for its commit"
    ),
    "BATCH_PRIVATE_ENTRY_DIFFERS": _conflict(
        "the private entry of batch {batch_id} has another digest than the one named"
    ),
    "BATCH_NOT_CANONICAL": _bad("the transient entry batch must be canonical JSON (RFC 8785)"),
    "BATCH_ROOT_DIFFERS": _bad("the entries of batch {batch_id} give another root than the one named"),
    "BATCH_COUNT_DIFFERS": _bad("batch {batch_id} names {expected} entries, got {got}"),
    "BATCH_KEY_DIFFERS": _bad("every private entry of batch {batch_id} must end with its id"),
    "PRIVATE_ENTRY_NOT_FOUND": _unknown("the custodian's collection has no such entry"),
    "SUBJECT_OF_OTHER_CUSTODIAN": _conflict(
        "a subject of consent {consent_id} is known under another custodian"
    ),
    "QUERY_SEVERAL_CUSTODIANS": _bad("the subjects belong to several custodians; ask for each apart"),
    "SUBJECT_ERASED": _conflict(
        "the data of the subject of consent {consent_id} were erased; a new consent needs a new commitment"
    ),
    "SUBJECT_FULL": _conflict(
        "the subject of consent {consent_id} has {maximum} consents, more are not kept"
    ),
}

_SUBJECTS = {
    "SUBJECT_NOT_FOUND": _unknown("the ledger has no such subject"),
    "SUBJECT_DOUBLED": _bad("batch {batch_id} names a subject twice; name each once"),
    "LIMITS_FULL": _conflict(
        "the subject has {maximum} limits already; merge objections into one, or ask for restriction"
    ),
}

_RIGHTS = {
    "RIGHTS_REQUEST_NOT_FOUND": _unknown("there is no request {rights_request_id} of a data subject"),
    "RIGHTS_REQUEST_EXISTS": _conflict("request {rights_request_id} is on the ledger already"),
    "RIGHTS_REVISION_DIFFERS": _conflict(
        "request {rights_request_id} has {revision} events by now; look at it and name that number"
    ),
    "RIGHTS_STEP_INVALID": _conflict(
        "request {rights_request_id} is {state}; {step} does not follow on that"
    ),
    "RECEIVED_TOO_LATE": _bad("received_at must not be later than {recorded_at}, when it is recorded"),
    "OBJECTION_PURPOSES_INVALID": _bad(
        "an objection names the purposes objected to, other requests name none"
    ),
    "GROUND_INVALID": _bad("a ground is given for a rejection or extension and null otherwise; got {step}"),
    "STORES_INVALID": _bad("the attestation must name these stores, each once: {expected}"),
    "PURGE_KEY_INVALID": _bad("request {rights_request_id} is about another subject than an entry to purge"),
    "PRIVATE_ENTRY_LEFT": _conflict(
        "a private entry of the subject of request {rights_request_id} is still there; submit rights:purge"
    ),
}

_DATASETS = {
    "DATASET_NOT_FOUND": _unknown("there is no dataset {dataset_id}"),
    "DATASET_DIFFERS": _conflict("dataset {dataset_id} is on the ledger with another name or custodian"),
    "DATASET_NAME_TAKEN": _conflict("the custodian has a dataset of this name already: {dataset_id}"),
    "VERSION_NOT_FOUND": _unknown("there is no dataset version {version_id}"),
    "VERSION_EXISTS": _conflict("dataset version {version_id} is on the ledger already"),
    "VERSION_NUMBER_TAKEN": _conflict("dataset {dataset_id} has a version {number} already"),
    "DERIVATION_INVALID": _bad("a transformation is given exactly when derived_from names a version"),
    "REMOVAL_INVALID": _bad(
        "removed_count and removed_root must be those of the rows removed from the version superseded, "
        "and row_count as many fewer than its own"
    ),
    "VERSION_RETIRED": _conflict("dataset version {version_id} is retired"),
    "SUPERSEDED_DIFFERS": _bad("version {version_id} belongs to another dataset and cannot be superseded"),
    "USE_UPDATE": _bad("a version with removed rows is submitted with datasets:update, which names them"),
}

_GRANTS = {
    "REQUEST_NOT_FOUND": _unknown("there is no access request {request_id}"),
    "REQUEST_EXISTS": _conflict("access request {request_id} is on the ledger already"),
    "GRANT_NOT_FOUND": _unknown("there is no grant {grant_id}"),
    "GRANTER_IS_REQUESTER": _forbidden("whoever made access request {request_id} cannot grant it"),
    "GRANT_EXISTS": _conflict("grant {grant_id} is on the ledger already"),
    "GRANT_ALREADY_REVOKED": _conflict("grant {grant_id} was revoked before"),
    "GRANT_ALREADY_SUSPENDED": _conflict("grant {grant_id} was suspended before"),
    "GRANT_VERSION_NOT_REQUESTED": _bad("the request does not name dataset version {version_id}"),
    "GRANT_PURPOSE_NOT_REQUESTED": _bad("the request does not cover purpose {purpose}"),
    "GRANT_PURPOSE_EXCLUDED": _bad(
        "the DUO terms of dataset version {version_id} do not cover purpose {purpose}"
    ),
    "GRANT_RESTRICTION_DROPPED": _bad("the request's restriction {restriction} must stay in the grant"),
    "GRANT_ETHICS_APPROVAL_MISSING": _bad(
        "restriction DUO:0000021 needs a request with an ethics approval digest"
    ),
    "GRANT_DISEASE_NOT_REQUESTED": _bad("the request does not cover disease {disease}"),
    "GRANT_COLUMNS_MISSING": _bad("the request is for some columns; the grant must name which of them"),
    "GRANT_COLUMN_NOT_REQUESTED": _bad("the request does not ask for column {column}"),
    "GRANT_PROJECT_MISSING": _bad("project_members_only needs a request that names its project"),
    "GRANT_CONDITION_MISSING": _bad(
        "the dataset's term {term} demands condition {condition}, which the grant lacks"
    ),
    "GRANT_EXCLUDED_BY_TERMS": _bad(
        "the terms of dataset version {version_id} exclude the request ({reason}); no grant can be given"
    ),
    "GRANT_WIDENED": _bad("a grant can only become narrower; field {field} would widen it"),
    "GRANT_RENEWAL_NOT_LATER": _bad("a renewal's not_after must be later than the grant's, {not_after}"),
    "GRANT_NOT_SUSPENDED": _conflict("grant {grant_id} is not suspended"),
    "GRANT_STARTS_TOO_EARLY": _bad("not_before may lie at most {tolerance_ms} ms before the proposal's time"),
    "GRANT_ENDS_TOO_EARLY": _bad("not_after must be later than the proposal's time"),
    "GRANT_TOO_LONG": _bad("the period must not be longer than the {maximum} s asked for"),
}

_REVIEWS = {
    "REVIEW_EXISTS": _conflict("this reviewer has reviewed access request {request_id} already"),
    "REVIEWER_IS_REQUESTER": _forbidden("whoever made access request {request_id} cannot review it"),
    "REVIEW_NOT_CONCERNED": _forbidden("access request {request_id} asks for no dataset version of {msp_id}"),
    "RATIONALE_EXISTS": _conflict(
        "this reviewer's rationale on access request {request_id} is stored already"
    ),
    "RATIONALE_MISSING": _conflict(
        "there is no private rationale on access request {request_id}; submit reviews:store_rationale first"
    ),
    "RATIONALE_DIFFERS": _conflict("the private rationale has another digest than the one named"),
    "REVIEWS_MISSING": _conflict("the custodian demands {expected} approving reviews, got {got}"),
    "REVIEWS_REJECT": _conflict("{rejecting} reviewers reject and only {approving} approve"),
    "REVIEW_ROLE_MISSING": _conflict("the custodian demands the approval of a reviewer with role {role}"),
    "EMERGENCY_NOT_FOUND": _unknown("access attempt {attempt_id} was not permitted as an emergency"),
    "EMERGENCY_REVIEWER_IS_REQUESTER": _forbidden("whoever broke the glass in {attempt_id} cannot review it"),
    "EMERGENCY_ALREADY_REVIEWED": _conflict("the emergency access {attempt_id} was reviewed before"),
}

_ACCESS = {
    "ATTEMPT_NOT_FOUND": _unknown("there is no access attempt {attempt_id}"),
    "ATTEMPT_EXISTS": _conflict("access attempt {attempt_id} is on the ledger already"),
    "ATTEMPT_ALREADY_DECIDED": _conflict(
        "access attempt {attempt_id} has its decision; decisions are never rewritten"
    ),
    "ATTEMPT_UNDECIDED": _conflict(
        "access attempt {attempt_id} has no decision yet; wait for the custodian's service"
    ),
    "ATTEMPT_DENIED": _forbidden("access attempt {attempt_id} was denied"),
    "ATTEMPT_DIFFERS": _bad("access attempt {attempt_id} was made by another requester or for another use"),
    "DELIVERY_INVALID": _bad(
        "a delivery's rows given out and left out must be those gone through, and it ends after its start"
    ),
    "DELIVERY_EXISTS": _conflict("access attempt {attempt_id} has a delivery {number} already"),
    "DELIVERY_NOT_NEXT": _conflict("access attempt {attempt_id} has no delivery {expected} yet"),
    "FUNCTION_USE_INVALID": _bad(
        "an attempt with a function is for output aggregate and breaks no glass: it gives no rows out"
    ),
    "FUNCTION_EXISTS": _conflict("{owner} has registered function {code_digest} already"),
    "FUNCTION_NOT_FOUND": _unknown("{owner} has registered no function {code_digest}"),
    "FUNCTION_APPROVAL_REVISION_DIFFERS": _conflict(
        "the next approval of function {code_digest} has revision {expected}"
    ),
    "FUNCTION_APPROVAL_NOT_IN_FORCE": _conflict("function {code_digest} is not approved, or no longer"),
    "COMPUTATION_DIFFERS": _bad(
        "the delivery of attempt {attempt_id} has another run than its attempt and the function allow"
    ),
    "PERMIT_EXPIRED": _forbidden("the permit of access attempt {attempt_id} has ended"),
    "PERMIT_OVERTAKEN": _forbidden(
        "the grant of access attempt {attempt_id} was revoked, changed or suspended since, "
        "or its function's approval was"
    ),
}

_TRAINING = {
    "SESSION_NOT_FOUND": _unknown("there is no training session {session_id}"),
    "SESSION_EXISTS": _conflict("training session {session_id} is on the ledger already"),
    "SESSION_NOT_RUNNING": _conflict("training session {session_id} has ended"),
    "SESSION_NOT_USABLE": _conflict(
        "training session {session_id} failed, was aborted or trained another model"
    ),
    "ROUND_EXISTS": _conflict("training session {session_id} has a round {number} already"),
    "ROUND_NOT_NEXT": _conflict(
        "training session {session_id} has no round {expected} yet; rounds are recorded in order"
    ),
    "ROUNDS_NOT_IN_ORDER": _bad(
        "rounds recorded together belong to one session, {session_id}, and follow one another"
    ),
    "ROUND_VERSION_NOT_IN_SESSION": _bad(
        "dataset version {version_id} does not belong to the training session"
    ),
    "STATEMENT_EXISTS": _conflict("training session {session_id} has a statement {sequence} already"),
    "STATEMENT_SIGNATURE_INVALID": _bad(
        "the statement's signature is not one of the caller's key over this statement"
    ),
    "STATEMENT_TIME_INVALID": _bad(
        "the statement claims {claimed_time}, which is not between the session's start and now"
    ),
    "SESSION_DIFFERS": _bad("access attempt {attempt_id} was made for another training session"),
    "FAILURE_UNFOUNDED": _bad("a completed session has no failure"),
    "USED_VERSION_NOT_IN_SESSION": _bad("dataset version {version_id} was not granted to the session"),
    "MODEL_KEY_INVALID": _bad("the public key must be an ECDSA key on the curve P-256"),
    "MODEL_SIGNATURE_INVALID": _bad("the signature is not that of the manifest digest under the public key"),
    "STAGE_NOT_REACHABLE": _conflict("a model version in stage {before} cannot come into stage {after}"),
    "STAGE_DECIDER_IS_AUTHOR": _forbidden(
        "whoever registered model version {model_version_id} cannot bring it into use"
    ),
    "PUBLICATION_MORATORIUM": _forbidden(
        "grant {grant_id} allows publication of what was trained under it from {not_before} on"
    ),
    "MODEL_NOT_FOUND": _unknown("there is no model {model_id}"),
    "MODEL_EXISTS": _conflict("model {model_id} is on the ledger already"),
    "MODEL_NAME_TAKEN": _conflict("the organization has a model of this name already: {model_id}"),
    "MODEL_VERSION_NOT_FOUND": _unknown("there is no model version {model_version_id}"),
    "MODEL_VERSION_EXISTS": _conflict("model version {model_version_id} is on the ledger already"),
    "MODEL_PARENT_DIFFERS": _bad("the parent {model_version_id} is a version of another model"),
}

_OVERSIGHT = {
    "BREACH_NOT_FOUND": _unknown("there is no breach {breach_id}"),
    "BREACH_EXISTS": _conflict("breach {breach_id} is on the ledger already"),
    "BREACH_REVISION_DIFFERS": _conflict(
        "breach {breach_id} has {revision} events by now; look at it and name that number"
    ),
    "BREACH_STEP_INVALID": _conflict("breach {breach_id} is {state}; step {step} does not follow from that"),
    "HAPPENED_TOO_LATE": _bad("what is recorded cannot have happened after its recording at {recorded_at}"),
    "TRAIL_READ_NOT_FOUND": _unknown("there is no read {trail_read_id} of the trail"),
    "TRAIL_READ_EXISTS": _conflict("read {trail_read_id} is on the ledger already"),
    "EPOCH_NOT_FOUND": _unknown("{custodian} has closed no epoch {number}"),
    "EPOCH_CLOSED": _conflict("epoch {number} is closed already"),
    "EPOCH_NOT_NEXT": _conflict(
        "epoch {number} does not follow: number them from 1; this one begins at block {first_block}"
    ),
    "EPOCH_EMPTY": _bad("the last block of epoch {number} is before its first one"),
    "EPOCH_WITHOUT_LIMITS": _bad(
        "epoch {number} leaves out the limits of subjects; a newer service closes it"
    ),
}

CATALOGUE: Mapping[str, CatalogueEntry] = MappingProxyType(
    _INPUT
    | _CALLER
    | _LEDGER
    | _CONSENTS
    | _SUBJECTS
    | _RIGHTS
    | _DATASETS
    | _GRANTS
    | _REVIEWS
    | _ACCESS
    | _TRAINING
    | _OVERSIGHT
)
"""Code → status and words."""
