"""What the index knows of each kind of record: its key, who must have signed it, what it points to."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from consentry_records.access import AccessAttempt, AccessDecision
from consentry_records.breach import Breach
from consentry_records.closed_epoch import ClosedEpoch
from consentry_records.consent import Consent
from consentry_records.dataset import Dataset, DatasetVersion, RemovedRows
from consentry_records.delivery import Delivery
from consentry_records.emergency import EmergencyAccess
from consentry_records.errors import LedgerError
from consentry_records.function import Function, FunctionApproval
from consentry_records.grant import Grant, Suspension
from consentry_records.model import Model, ModelVersion
from consentry_records.model_stage import ModelStage
from consentry_records.record import Record
from consentry_records.request import AccessRequest
from consentry_records.review import Review, ReviewPolicy
from consentry_records.rights_request import RightsRequest
from consentry_records.settings import Settings, SettingsVote
from consentry_records.subject import SubjectConsents
from consentry_records.trail_read import TrailRead
from consentry_records.training import TrainingRound, TrainingSession
from consentry_records.training_statement import TrainingStatement

SUBJECT = "subject"
"""The kind of a subject's limits. Records that say only which consents there are have none, and are left out:
there is one for every subject, and the consents say it too.
"""

Body = Mapping[str, Any]
Link = tuple[str, str]
"""Kind and id of a record that another one points to."""


@dataclass(frozen=True)
class RecordKind:
    """One kind of record.

    Attributes:
        name: how the index calls it; also the first part of its keys.
        record: its type, which says what such a record may hold.
        owner: gives the MSP id whose record it is; "" if none.
        custodian_signs: whether every write must be endorsed by the owner's own peer (DESIGN §9).
        links: gives the records that it points to.
        state: gives its state word, "" if it has none.
        written_once: whether the contracts never write it again.
        ending: fields in which the contracts write it once more, to end it.
    """

    name: str
    record: type[Record]
    owner: Callable[[Body], str]
    custodian_signs: bool = False
    links: Callable[[Body], Iterable[Link]] = lambda _body: ()
    state: Callable[[Body], str] = lambda _body: ""
    written_once: bool = False
    ending: tuple[str, ...] = ()

    def is_rewritten(self, before: Body | None, after: Body | None) -> bool:
        """Whether a second write changes what the contracts never change."""
        if not self.ending or before is None or after is None:
            return self.written_once
        return any(after[name] != value for name, value in before.items() if name not in self.ending)


def _field(name: str) -> Callable[[Body], str]:
    return lambda body: str(body.get(name) or "")


def _one(kind: str, name: str) -> Callable[[Body], Iterable[Link]]:
    return lambda body: ((kind, str(body[name])),) if body.get(name) else ()


def _many(kind: str, name: str) -> Callable[[Body], Iterable[Link]]:
    return lambda body: ((kind, str(item)) for item in body.get(name) or ())


def _all(*parts: Callable[[Body], Iterable[Link]]) -> Callable[[Body], Iterable[Link]]:
    return lambda body: (link for part in parts for link in part(body))


def _participants(body: Body) -> Iterable[Link]:
    return (("version", str(item["version_id"])) for item in body.get("participants") or ())


def _limits(body: Body) -> str:
    return ",".join(sorted({str(limit["kind"]) for limit in body["limits"]}))


_KINDS = (
    RecordKind("consent", Consent, _field("custodian"), True, state=_field("state")),
    RecordKind("dataset", Dataset, _field("custodian"), True),
    RecordKind(
        "version",
        DatasetVersion,
        _field("custodian"),
        True,
        _all(_one("dataset", "dataset_id"), _many("version", "derived_from"), _one("version", "supersedes")),
        _field("state"),
        written_once=True,
        ending=("state", "retirement"),
    ),
    RecordKind(
        "removed", RemovedRows, lambda _body: "", links=_one("version", "version_id"), written_once=True
    ),
    RecordKind(
        "request",
        AccessRequest,
        _field("requester_msp"),
        links=_many("version", "versions"),
        written_once=True,
    ),
    RecordKind(
        "grant",
        Grant,
        _field("custodian"),
        True,
        _all(_one("request", "request_id"), _many("version", "versions")),
        _field("state"),
    ),
    RecordKind(
        "suspension", Suspension, _field("regulator"), True, _one("grant", "grant_id"), _field("state")
    ),
    RecordKind(
        "review",
        Review,
        _field("custodian"),
        True,
        _one("request", "request_id"),
        _field("recommendation"),
        written_once=True,
    ),
    RecordKind("review-policy", ReviewPolicy, _field("custodian"), True),
    RecordKind(
        "emergency",
        EmergencyAccess,
        _field("custodian"),
        True,
        _one("attempt", "attempt_id"),
        _field("state"),
    ),
    RecordKind(
        "attempt",
        AccessAttempt,
        _field("requester_msp"),
        links=_one("version", "version_id"),
        written_once=True,
    ),
    RecordKind(
        "decision",
        AccessDecision,
        _field("custodian"),
        True,
        _all(_one("attempt", "attempt_id"), _one("grant", "grant_id")),
        _field("outcome"),
        written_once=True,
    ),
    RecordKind(
        "delivery",
        Delivery,
        _field("custodian"),
        True,
        _one("attempt", "attempt_id"),
        _field("end"),
        written_once=True,
    ),
    RecordKind("function", Function, _field("owner"), written_once=True),
    RecordKind(
        "function-approval",
        FunctionApproval,
        _field("custodian"),
        True,
        _many("version", "versions"),
        _field("state"),
    ),
    RecordKind(
        "session",
        TrainingSession,
        _field("msp"),
        links=_all(_one("model", "model_id"), _many("attempt", "attempts"), _many("version", "versions")),
        state=_field("state"),
    ),
    RecordKind(
        "round",
        TrainingRound,
        lambda _body: "",
        links=_all(_one("session", "session_id"), _participants),
        written_once=True,
    ),
    RecordKind(
        "statement",
        TrainingStatement,
        lambda _body: "",
        links=_one("session", "session_id"),
        written_once=True,
    ),
    RecordKind("model", Model, _field("owner"), written_once=True),
    RecordKind(
        "modelversion",
        ModelVersion,
        lambda _body: "",
        links=_all(_one("model", "model_id"), _one("modelversion", "parent"), _many("session", "sessions")),
        written_once=True,
    ),
    RecordKind(SUBJECT, SubjectConsents, _field("custodian"), True, state=_limits),
    RecordKind("rights", RightsRequest, _field("custodian"), True, state=_field("state")),
    RecordKind(
        "breach", Breach, _field("custodian"), True, _many("version", "versions"), state=_field("state")
    ),
    RecordKind("closed-epoch", ClosedEpoch, _field("custodian"), True, written_once=True),
    RecordKind("trailread", TrailRead, _field("reader_msp"), written_once=True),
    RecordKind(
        "stage",
        ModelStage,
        lambda _body: "",
        links=_one("modelversion", "model_version_id"),
        state=_field("stage"),
    ),
    RecordKind("settings", Settings, lambda _body: ""),
    RecordKind("settings-vote", SettingsVote, _field("voter_msp")),
)

RECORD_KINDS: Mapping[str, RecordKind] = {kind.name: kind for kind in _KINDS}
"""The kinds by name."""


def split_key(key: str) -> tuple[str, str] | None:
    """Kind and id of the record that a key holds; None for index keys, epochs and what else is no record."""
    name, _, identifier = key.partition("/")
    return (name, identifier) if name in RECORD_KINDS else None


def read_record(kind: RecordKind, identifier: str, value: bytes) -> dict[str, Any] | None:
    """The content of a record if it is one of its kind and of its key, else None.

    Args:
        kind: the kind that its key names.
        identifier: the id that its key names.
        value: the bytes written.
    """
    try:
        body = kind.record.from_bytes(value).to_dict()
    except LedgerError:
        return None
    return body if record_identifier(kind.name, body) in (identifier, None) else None


def record_identifier(kind: str, body: Body) -> str | None:
    """The id that a record itself says it has; None for the settings, of which there is one."""
    match kind:
        case "settings":
            return None
        case "settings-vote":
            name, voter = SettingsVote.from_dict(body).name, body["voter_msp"]
            return f"{name}/{voter}"
        case "round":
            return f"{body['session_id']}/{body['number']:06d}"
        case "delivery":
            return f"{body['attempt_id']}/{body['number']:06d}"
        case "function":
            return f"{body['owner']}/{body['code_digest'].rpartition(':')[2]}"
        case "function-approval":
            digest = body["code_digest"].rpartition(":")[2]
            return f"{body['custodian']}/{body['owner']}/{digest}"
        case "statement":
            return f"{body['session_id']}/{body['sequence']:06d}"
        case "review":
            return f"{body['request_id']}/{body['custodian']}/{body['reviewer']}"
        case "review-policy":
            return str(body["custodian"])
        case "emergency":
            return str(body["attempt_id"])
        case "suspension":
            return str(body["grant_id"])
        case "decision":
            return str(body["attempt_id"])
        case "removed":
            return str(body["version_id"])
        case "trailread":
            return str(body["trail_read_id"])
        case "subject":
            return str(body["subject"])
        case "rights":
            return str(body["rights_request_id"])
        case "stage":
            return str(body["model_version_id"])
        case "closed-epoch":
            return f"{body['custodian']}/{body['number']:06d}"
        case "modelversion":
            return str(body["model_version_id"])
    return str(body[f"{kind}_id"])
