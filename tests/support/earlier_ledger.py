"""A ledger as the first release wrote it: its records in its forms, byte for byte."""

from __future__ import annotations

import json
from typing import Any

from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import NORTHGATE, REGULATOR, RIVERSIDE, identifier
from support.seeding import let_seed

from consentry_records import keys
from consentry_records.earlier_consents import Consent1, SubjectConsents1

CONSENT, SUBJECT = identifier("consent"), examples.commitment("first")
START, END = "2026-03-01T00:00:00.000Z", "2026-03-31T00:00:00.000Z"
DECIDED = "2026-03-09T00:00:00.000Z"
SETTINGS_1 = {
    "organizations": [
        *({"msp_id": msp_id, "kind": "hospital"} for msp_id in examples.HOSPITALS),
        {"msp_id": REGULATOR, "kind": "regulator"},
    ],
    "time_tolerance_ms": 2000,
    "schema": "consentry.settings/1",
}
CONSENT_1 = Consent1(
    consent_id=CONSENT,
    subject=SUBJECT,
    custodian=NORTHGATE,
    controller=NORTHGATE,
    purposes=("TREAT", "DUO:0000006"),
    restrictions=(),
    categories=("measurements",),
    recipients=("ANY_MEMBER",),
    not_before=START,
    not_after=END,
    notice_digest=examples.digest("notice"),
    state="given",
    recorded_at=START,
    withdrawn_at=None,
).to_dict()
VERSION_1 = {
    "version_id": identifier("version"),
    "dataset_id": identifier("dataset"),
    "name": "dataset-1",
    "number": 1,
    "content_digest": "hmac-" + examples.digest("content"),
    "schema_digest": examples.digest("schema"),
    "row_count": 190,
    "categories": ["measurements"],
    "legal_bases": ["GDPR-9-2-a"],
    "duo_terms": ["DUO:0000006"],
    "merkle_root": examples.digest("root"),
    "derived_from": [],
    "transformation_digest": None,
    "custodian": NORTHGATE,
    "registered_at": START,
    "schema": "consentry.version/1",
}
GRANT_1 = {
    "grant_id": identifier("grant"),
    "request_id": identifier("request"),
    "versions": [identifier("version")],
    "purposes": ["DUO:0000006"],
    "restrictions": [],
    "not_before": START,
    "not_after": END,
    "custodian": NORTHGATE,
    "grantee": RIVERSIDE,
    "ethics_approval_digest": None,
    "state": "active",
    "revision": 1,
    "schema": "consentry.grant/1",
}
SUBJECT_1 = SubjectConsents1(subject=SUBJECT, custodian=NORTHGATE, consents=(CONSENT,)).to_dict()
LEDGER_1: dict[str, dict[str, Any]] = {
    keys.SETTINGS: SETTINGS_1,
    keys.consent(CONSENT): CONSENT_1,
    keys.subject(SUBJECT): SUBJECT_1,
    keys.version(identifier("version")): VERSION_1,
    keys.grant(identifier("grant")): GRANT_1,
}
REQUEST_1 = {
    "request_id": identifier("request"),
    "versions": [identifier("version")],
    "purposes": ["DUO:0000006"],
    "restrictions": [],
    "duration_seconds": 30 * 24 * 3600,
    "ethics_approval_digest": None,
    "requester_msp": RIVERSIDE,
    "requester": "researcher-1",
    "requested_at": START,
    "schema": "consentry.request/1",
}
SUSPENSION_1 = {
    "grant_id": identifier("grant"),
    "regulator": REGULATOR,
    "suspended_by": "regulator-1",
    "suspended_at": DECIDED,
    "schema": "consentry.suspension/1",
}
DECISION_1 = {
    "attempt_id": identifier("attempt", 2),
    "custodian": NORTHGATE,
    "outcome": "permit",
    "rules": ["requester/1", "role/1", "grant/1", "grant-state/1", "grant-period/1", "purpose/1"],
    "reasons": [],
    "grant_id": identifier("grant"),
    "epoch": "",
    "decided_at": DECIDED,
    "permit_not_after": END,
    "schema": "consentry.decision/1",
}
DELIVERY_1 = examples.new_delivery(
    attempt_id=identifier("attempt", 2), started_at=DECIDED, ended_at=DECIDED
).to_dict() | {
    "custodian": NORTHGATE,
    "recorded_by": "service-1",
    "recorded_at": DECIDED,
    "schema": "consentry.delivery/1",
}
del DELIVERY_1["computation"]
MODEL_1 = {
    "model_id": identifier("model"),
    "name": "model-1",
    "owner": RIVERSIDE,
    "registered_at": START,
    "schema": "consentry.model/1",
}
MODEL_VERSION_1 = {
    "model_version_id": identifier("modelversion"),
    "model_id": identifier("model"),
    "weights_digest": examples.digest("weights"),
    "architecture_digest": examples.digest("architecture"),
    "parent": None,
    "sessions": [identifier("session")],
    "metrics": {"auc": "0.9"},
    "test_set_digest": None,
    "registered_at": DECIDED,
    "registered_by": "researcher-1",
    "schema": "consentry.modelversion/1",
}


def attempt_1(number: int, requester: str) -> dict[str, Any]:
    """An attempt of Riverside's at the version."""
    return {
        "attempt_id": identifier("attempt", number),
        "version_id": identifier("version"),
        "purpose": "DUO:0000006",
        "commercial": False,
        "custodian": NORTHGATE,
        "requester_msp": RIVERSIDE,
        "requester": requester,
        "roles": ["researcher"],
        "proposal_time": DECIDED,
        "schema": "consentry.attempt/1",
    }


def session_1(trainer: str) -> dict[str, Any]:
    """A session that runs under the permit on attempt 2."""
    return {
        "session_id": identifier("session"),
        "model_id": identifier("model"),
        "purpose": "DUO:0000006",
        "commercial": False,
        "attempts": [identifier("attempt", 2)],
        "code_digest": examples.digest("code"),
        "environment_digest": examples.digest("environment"),
        "hyperparameters_digest": examples.digest("hyperparameters"),
        "msp": RIVERSIDE,
        "trainer": trainer,
        "versions": [identifier("version")],
        "started_at": DECIDED,
        "state": "started",
        "ended_at": None,
        "schema": "consentry.session/1",
    }


def written(document: dict[str, Any]) -> str:
    """A document in the ledger's bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


async def earlier() -> Consortium:
    """A consortium on a ledger with settings, a consent, a version and a grant on it."""
    consortium = Consortium()
    let_seed(consortium)
    await seed(consortium, LEDGER_1)
    index = keys.grant_index(identifier("version"), RIVERSIDE, identifier("grant"))
    await consortium.submit(consortium.person("steward"), "seeding:write", {index: identifier("grant")})
    return consortium


async def seed(consortium: Consortium, documents: dict[str, dict[str, Any]]) -> None:
    """Write documents under their keys, as they are."""
    values = {key: written(document) for key, document in documents.items()}
    await consortium.submit(consortium.person("steward"), "seeding:write", values)
