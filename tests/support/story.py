"""A small consortium's story as a real chain of records, for tests of index, reports and commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.chain_members import Member
from support.chains import Chain, Effects

from consentry_records import keys
from consentry_records.access import AccessAttempt, AccessDecision
from consentry_records.commitments import subject_commitment
from consentry_records.consent import Consent, ConsentEvent
from consentry_records.dataset import Dataset, DatasetVersion
from consentry_records.grant import AccessRequest, Grant
from consentry_records.model import Model, ModelVersion
from consentry_records.reasons import Reason
from consentry_records.record import Record
from consentry_records.settings import OrganizationSetting, Settings
from consentry_records.training import Participant, TrainingRound, TrainingSession

NORTHGATE, RIVERSIDE, LAKESIDE = "NorthgateMSP", "RiversideMSP", "LakesideMSP"
RESEARCH = "DUO:0000006"
DIGEST = "sha256:" + "d" * 64
SUBJECT = subject_commitment(b"s" * 32, "P-0042")
OTHER_SUBJECT = subject_commitment(b"t" * 32, "P-0043")
PROFILE = """{"version": 1, "engine": "embedded", "channel": "consentry", "chaincode": "consentry",
"organizations": {"NorthgateMSP": {"name": "northgate", "kind": "hospital",
"peers": [{"endpoint": "127.0.0.1:1", "tls_roots": "roots.pem", "server_name": "localhost"}]},
"RiversideMSP": {"name": "riverside", "kind": "hospital",
"peers": [{"endpoint": "127.0.0.1:1", "tls_roots": "roots.pem", "server_name": "localhost"}]}},
"orderers": []}"""


def identifier(kind: str, number: int) -> str:
    """An id that tests can name."""
    return f"{kind}-{number:032x}"


def instant(day: int, hour: int = 0) -> str:
    """A time in the story."""
    return f"2026-01-{day:02d}T{hour:02d}:00:00.000Z"


class Story:
    """Writes records as the contracts would, endorsed by the custodian and others."""

    def __init__(self) -> None:
        self.chain = Chain()
        organizations = self.chain.organizations
        self.steward = organizations[NORTHGATE].user("steward-1", "steward")
        self.service = organizations[NORTHGATE].user("service-1", "service")
        self.researcher = organizations[RIVERSIDE].user("researcher-1", "researcher")
        self.clerk = organizations[RIVERSIDE].user("clerk-1")

    def put(
        self,
        records: Mapping[str, Record],
        *,
        by: Member | None = None,
        function: str = "test:write",
        endorsers: tuple[str, ...] = (NORTHGATE, RIVERSIDE, LAKESIDE),
    ) -> int:
        """Commit records in one transaction in a block of its own; its number."""
        writes = {key: record.to_bytes() for key, record in records.items()}
        return self.chain.commit([self.envelope(writes, by=by, function=function, endorsers=endorsers)])

    def envelope(
        self,
        writes: Mapping[str, bytes],
        *,
        by: Member | None = None,
        function: str = "test:write",
        endorsers: tuple[str, ...] = (NORTHGATE, RIVERSIDE, LAKESIDE),
    ) -> bytes:
        """A transaction that is not committed yet."""
        effects = Effects(writes=writes, function=function)
        return self.chain.transaction(effects, creator=by or self.steward, endorsers=endorsers)


def settings() -> Settings:
    """Three hospitals and a regulator."""
    hospitals = [
        OrganizationSetting(msp_id=name, kind="hospital") for name in (NORTHGATE, RIVERSIDE, LAKESIDE)
    ]
    regulator = OrganizationSetting(msp_id="RegulatorMSP", kind="regulator")
    return Settings(organizations=(*hospitals, regulator), time_tolerance_ms=2000)


def event(name: str, recorded_at: str) -> ConsentEvent:
    """One event of a consent."""
    unknown = dict.fromkeys(("claimed_at", "batch_id", "replaced"))
    return ConsentEvent(event=name, recorded_at=recorded_at, recorded_by="steward-1", **unknown)


def consent(number: int, **changes: Any) -> Consent:
    """A consent to research, recorded on day 2; `withdrawn_at` makes it one that was withdrawn then."""
    events = (event("given", changes.pop("recorded_at", instant(2))),)
    withdrawn_at = changes.pop("withdrawn_at", None)
    if withdrawn_at is not None:
        events, changes["state"] = (*events, event("withdrawn", withdrawn_at)), "withdrawn"
    fields: dict[str, Any] = {
        "consent_id": identifier("consent", number),
        "subject": SUBJECT,
        "controller": NORTHGATE,
        "custodian": NORTHGATE,
        "purposes": (RESEARCH, "TREAT"),
        "restrictions": ("DUO:0000046",),
        "categories": ("diagnosis",),
        "recipients": ("ANY_MEMBER",),
        "not_before": instant(1),
        "not_after": "2027-01-01T00:00:00.000Z",
        "notice_digest": DIGEST,
        "state": "given",
        "events": events,
    }
    return Consent(**(fields | changes))


def version(number: int, **changes: Any) -> DatasetVersion:
    """A version of northgate's dataset, registered on day 3."""
    fields: dict[str, Any] = {
        "version_id": identifier("version", number),
        "dataset_id": identifier("dataset", 1),
        "name": "biopsies",
        "number": number,
        "custodian": NORTHGATE,
        "content_digest": "hmac-" + DIGEST,
        "schema_digest": DIGEST,
        "row_count": 2,
        "categories": ("diagnosis",),
        "legal_bases": ("GDPR-9-2-a",),
        "duo_terms": ("DUO:0000042",),
        "merkle_root": DIGEST,
        "derived_from": (),
        "transformation": None,
        "supersedes": None,
        "removed_count": 0,
        "removed_root": None,
        "state": "active",
        "retirement": None,
        "registered_at": instant(3),
    }
    return DatasetVersion(**(fields | changes))


def grant(number: int, **changes: Any) -> Grant:
    """Northgate's grant to riverside, from day 4 to day 14."""
    fields: dict[str, Any] = {
        "grant_id": identifier("grant", number),
        "request_id": identifier("request", 1),
        "custodian": NORTHGATE,
        "grantee": RIVERSIDE,
        "versions": (identifier("version", 1),),
        "purposes": (RESEARCH,),
        "restrictions": (),
        "not_before": instant(4),
        "not_after": instant(14),
        "ethics_approval_digest": None,
        "state": "active",
        "revision": 1,
    }
    return Grant(**(fields | changes))


def attempt(number: int, **changes: Any) -> AccessAttempt:
    """Riverside's attempt on day 5, at the hour of its number."""
    fields: dict[str, Any] = {
        "attempt_id": identifier("attempt", number),
        "version_id": identifier("version", 1),
        "custodian": NORTHGATE,
        "requester_msp": RIVERSIDE,
        "requester": "researcher-1",
        "roles": ("researcher",),
        "purpose": RESEARCH,
        "commercial": False,
        "proposal_time": instant(5, number),
    }
    return AccessAttempt(**(fields | changes))


def permit(number: int, **changes: Any) -> AccessDecision:
    """Northgate's permit on an attempt."""
    fields: dict[str, Any] = {
        "attempt_id": identifier("attempt", number),
        "custodian": NORTHGATE,
        "outcome": "permit",
        "rules": ("requester/1", "grant/1"),
        "reasons": (),
        "grant_id": identifier("grant", 1),
        "epoch": "",
        "decided_at": instant(5, number),
        "permit_not_after": instant(14),
    }
    return AccessDecision(**(fields | changes))


def denial(number: int, reason: Reason) -> AccessDecision:
    """Northgate's denial of an attempt."""
    return permit(number, outcome="deny", reasons=(reason,), grant_id=None, permit_not_after=None)


def tell() -> Story:
    """Consents, a dataset, a grant, a permit, a denial, an open attempt, training, a model, a withdrawal."""
    story = Story()
    first, second = consent(1), consent(2, subject=OTHER_SUBJECT)
    data = version(1)
    consents = {keys.consent(item.consent_id): item for item in (first, second)}
    story.put({keys.SETTINGS: settings(), **consents}, function="consents:import_batch")
    dataset = Dataset(dataset_id=data.dataset_id, name=data.name, custodian=NORTHGATE)
    story.put(
        {keys.dataset(data.dataset_id): dataset, keys.version(data.version_id): data},
        function="datasets:register",
    )
    _grant_access(story)
    _attempt(story)
    _train(story)
    withdrawn = consent(1, withdrawn_at=instant(8))
    story.put({keys.consent(first.consent_id): withdrawn}, function="consents:withdraw")
    return story


def _grant_access(story: Story) -> None:
    request = AccessRequest(
        request_id=identifier("request", 1),
        requester_msp=RIVERSIDE,
        requester="researcher-1",
        versions=(identifier("version", 1),),
        purposes=(RESEARCH,),
        restrictions=(),
        duration_seconds=864_000,
        ethics_approval_digest=None,
        requested_at=instant(3, 1),
    )
    story.put({keys.request(request.request_id): request}, by=story.researcher, function="grants:request")
    story.put({keys.grant(identifier("grant", 1)): grant(1)}, function="grants:grant")


def _attempt(story: Story) -> None:
    no_role = Reason(code="ROLE_MISSING", parameters={"role": "researcher"})
    by_clerk = attempt(2, requester="clerk-1", roles=())
    for made, by in ((attempt(1), story.researcher), (by_clerk, story.clerk), (attempt(3), story.researcher)):
        story.put({keys.attempt(made.attempt_id): made}, by=by, function="access:attempt")
    for decision in (permit(1), denial(2, no_role)):
        story.put({keys.decision(decision.attempt_id): decision}, by=story.service, function="access:decide")


def _train(story: Story) -> None:
    model = Model(model_id=identifier("model", 1), name="risk", owner=RIVERSIDE, registered_at=instant(6))
    session = TrainingSession(
        session_id=identifier("session", 1),
        model_id=model.model_id,
        purpose=RESEARCH,
        commercial=False,
        attempts=(identifier("attempt", 1),),
        versions=(identifier("version", 1),),
        code_digest=DIGEST,
        environment_digest=DIGEST,
        hyperparameters_digest=DIGEST,
        msp=RIVERSIDE,
        trainer="researcher-1",
        started_at=instant(6, 1),
        state="completed",
        ended_at=instant(6, 2),
    )
    part = Participant(msp=NORTHGATE, version_id=identifier("version", 1), update_digest=DIGEST, rows=2)
    training_round = TrainingRound(
        session_id=session.session_id,
        number=1,
        participants=(part,),
        aggregate_digest=DIGEST,
        metrics={"loss": "0.5"},
        recorded_at=instant(6, 1),
    )
    made = ModelVersion(
        model_version_id=identifier("modelversion", 1),
        model_id=model.model_id,
        weights_digest=DIGEST,
        architecture_digest=DIGEST,
        parent=None,
        sessions=(session.session_id,),
        metrics={"auc": "0.9"},
        test_set_digest=None,
        registered_at=instant(7),
        registered_by="researcher-1",
    )
    story.put({keys.model(model.model_id): model}, by=story.researcher, function="models:register")
    story.put({keys.session(session.session_id): session}, by=story.researcher, function="training:start")
    story.put(
        {keys.training_round(session.session_id, 1): training_round},
        by=story.researcher,
        function="training:record_round",
    )
    story.put(
        {keys.model_version(made.model_version_id): made},
        by=story.researcher,
        function="models:register_version",
    )
