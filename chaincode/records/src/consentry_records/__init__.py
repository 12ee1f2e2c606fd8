"""Record types, canonical bytes and access rules of the Consentry ledger; no input or output.

Records are in this namespace; functions stay in their modules: `canonical`, `digest`, `commitments`,
`merkle`, `rows`, `instants`, `identifiers`, `keys`, `events`, `reasons`, `rules`, `private_entries`,
`vocabulary`, `roles`.
"""

from .access import AccessAttempt, AccessDecision, DecisionBatch, NewAccessAttempt
from .batch import RecordedBatch
from .breach import Breach, BreachEvent, BreachStep, NewBreach
from .closed_epoch import ClosedEpoch, NewClosedEpoch
from .conditions import Conditions
from .consent import (
    Consent,
    ConsentBatch,
    ConsentEvent,
    ConsentTerms,
    PermittedQuery,
)
from .consent_changes import ConsentChange, ConsentChangeBatch
from .dataset import (
    Dataset,
    DatasetVersion,
    NewDatasetVersion,
    NewRetirement,
    RemovedRows,
    Retirement,
    VersionUpdate,
)
from .delivery import Delivery, NewDelivery
from .emergency import EmergencyAccess, EmergencyReview
from .errors import FieldError, LedgerError, from_wire, to_wire
from .function import (
    Computation,
    ComputedOutput,
    Function,
    FunctionApproval,
    FunctionName,
    FunctionOutput,
    NewFunction,
    NewFunctionApproval,
)
from .grant import Grant, GrantChange, NarrowedGrant, NewGrant, Suspension
from .impact import Impact, ImpactQuery, Origin
from .model import Model, ModelVersion, NewModel, NewModelVersion
from .model_signature import ManifestSignature
from .model_stage import ModelStage, StageChange
from .private_consent import PrivateChange, PrivateConsent
from .private_entries import PrivateBatch
from .reasons import Reason
from .record import Record
from .request import AccessRequest, NewAccessRequest
from .review import NewReview, NewReviewPolicy, Review, ReviewPolicy
from .rights_request import (
    NewRightsRequest,
    PurgeOrder,
    RecipientNotice,
    RightsEvent,
    RightsFulfilment,
    RightsNotices,
    RightsRequest,
    RightsStep,
    StoreAttestation,
)
from .rules import Decision, consent_permits, decide
from .settings import OrganizationSetting, Settings, SettingsVote
from .subject import OptOut, OptOutBatch, ProcessingLimit, SubjectConsents
from .trail_read import NewTrailRead, TrailRead
from .training import (
    FinishedSession,
    NewTrainingRound,
    NewTrainingRounds,
    NewTrainingSession,
    Participant,
    TrainingRound,
    TrainingSession,
    UsedVersion,
)
from .training_statement import NewTrainingStatement, SignedTrainingStatement, TrainingStatement
from .transformation import Transformation

__all__ = [
    "AccessAttempt",
    "AccessDecision",
    "AccessRequest",
    "Breach",
    "BreachEvent",
    "BreachStep",
    "ClosedEpoch",
    "Computation",
    "ComputedOutput",
    "Conditions",
    "Consent",
    "ConsentBatch",
    "ConsentChange",
    "ConsentChangeBatch",
    "ConsentEvent",
    "ConsentTerms",
    "Dataset",
    "DatasetVersion",
    "Decision",
    "DecisionBatch",
    "Delivery",
    "EmergencyAccess",
    "EmergencyReview",
    "FieldError",
    "FinishedSession",
    "Function",
    "FunctionApproval",
    "FunctionName",
    "FunctionOutput",
    "Grant",
    "GrantChange",
    "Impact",
    "ImpactQuery",
    "LedgerError",
    "ManifestSignature",
    "Model",
    "ModelStage",
    "ModelVersion",
    "NarrowedGrant",
    "NewAccessAttempt",
    "NewAccessRequest",
    "NewBreach",
    "NewClosedEpoch",
    "NewDatasetVersion",
    "NewDelivery",
    "NewFunction",
    "NewFunctionApproval",
    "NewGrant",
    "NewModel",
    "NewModelVersion",
    "NewRetirement",
    "NewReview",
    "NewReviewPolicy",
    "NewRightsRequest",
    "NewTrailRead",
    "NewTrainingRound",
    "NewTrainingRounds",
    "NewTrainingSession",
    "NewTrainingStatement",
    "OptOut",
    "OptOutBatch",
    "OrganizationSetting",
    "Origin",
    "Participant",
    "PermittedQuery",
    "PrivateBatch",
    "PrivateChange",
    "PrivateConsent",
    "ProcessingLimit",
    "PurgeOrder",
    "Reason",
    "RecipientNotice",
    "Record",
    "RecordedBatch",
    "RemovedRows",
    "Retirement",
    "Review",
    "ReviewPolicy",
    "RightsEvent",
    "RightsFulfilment",
    "RightsNotices",
    "RightsRequest",
    "RightsStep",
    "Settings",
    "SettingsVote",
    "SignedTrainingStatement",
    "StageChange",
    "StoreAttestation",
    "SubjectConsents",
    "Suspension",
    "TrailRead",
    "TrainingRound",
    "TrainingSession",
    "TrainingStatement",
    "Transformation",
    "UsedVersion",
    "VersionUpdate",
    "consent_permits",
    "decide",
    "from_wire",
    "to_wire",
]
