"""Records of which every field is filled, for renderings; and the same without what only custodians have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from support import ledger_examples as examples
from support.ledger_examples import END, MIDDLE, NORTHGATE, RIVERSIDE, identifier

from consentry.manifests import ManifestRow
from consentry.renderings import ConsentSource, DecisionSource, Party, Standing, VisaIssuer
from consentry.row_proofs import prove_row
from consentry_records import (
    AccessAttempt,
    AccessDecision,
    Conditions,
    Consent,
    DatasetVersion,
    Grant,
    PrivateConsent,
    Reason,
    rows,
)
from consentry_records.private_consent import PrivateChange
from consentry_records.rules import decide

PSEUDONYM = "patient-4711"
SECRETS = (PSEUDONYM, "0f" * 32)
PARTIES = {
    NORTHGATE: Party(
        name="Northgate Hospital",
        address="1 North Road",
        contact="dpo@northgate.example",
        authority="Data Protection Commission",
    ),
    RIVERSIDE: Party(name="Riverside Hospital", address="2 River Street", contact="dpo@riverside.example"),
}
CHANGE = identifier("batch", 7)
ISSUER = VisaIssuer(
    url="https://visas.northgate.example",
    key_set_url="https://visas.northgate.example/.well-known/jwks.json",
    source="https://northgate.example",
)


def private(**changes: Any) -> PrivateConsent:
    """How a guardian gave a consent on paper."""
    fields: dict[str, Any] = {
        "pseudonym": PSEUDONYM,
        "salt": SECRETS[1],
        "notice_version": "2026-1",
        "evidence_digest": examples.digest("form"),
        "method": "paper form",
        "language": "en",
        "jurisdiction": "IE",
        "withdrawal_method": "letter or portal",
        "declared_by": "guardian",
        "mandate_digest": examples.digest("mandate"),
        "consent_type": "explicit",
        "storage_locations": ("IE", "DE-BY"),
        "retained_until": "2036-01-01T00:00:00.000Z",
        "processing_methods": ("collect", "automated-decision-making", "destroy"),
        "processing_locations": ("IE", "FR"),
        "geographic_restrictions": ("EEA", "CH"),
        "optional_categories": (),
    }
    return PrivateConsent(**{**fields, **changes})


def change(**changes: Any) -> PrivateChange:
    """How a proxy narrowed it by letter."""
    fields: dict[str, Any] = {
        "method": "letter",
        "evidence_digest": examples.digest("letter"),
        "declared_by": "proxy",
        "mandate_digest": examples.digest("power of attorney"),
    }
    return PrivateChange(**{**fields, **changes})


def consent(**changes: Any) -> Consent:
    """A consent that was given on paper earlier, and narrowed since."""
    before = examples.terms(purposes=("TREAT", "DUO:0000006", "DUO:0000042"))
    events = (
        examples.event(claimed_at="2026-02-01T00:00:00.000Z"),
        examples.event("narrowed", recorded_at=MIDDLE, replaced=before, batch_id=CHANGE),
    )
    return examples.consent(**{"events": events, "recipients": ("ANY_MEMBER", RIVERSIDE), **changes})


def full(**changes: Any) -> ConsentSource:
    """With everything that can be said."""
    return ConsentSource(
        consent=consent(**changes), private=private(), changes={CHANGE: change()}, parties=PARTIES
    )


def bare(**changes: Any) -> ConsentSource:
    """What leaves the custodian."""
    return ConsentSource(consent=consent(**changes))


ROWS = tuple(
    ManifestRow(
        row_digest="hmac-" + examples.digest(f"row {number}"),
        commitment=examples.commitment(f"subject {number}"),
        consent_id=identifier("consent", number),
    )
    for number in range(5)
)


def version(**changes: Any) -> DatasetVersion:
    """A version over five rows."""
    leaves = [rows.row_leaf(row.row_digest, row.commitment, row.consent_id) for row in ROWS]
    return examples.version(merkle_root=rows.rows_root(leaves), row_count=len(ROWS), **changes)


def attempt(**changes: Any) -> AccessAttempt:
    """By a researcher on a project, for a training session."""
    fields: dict[str, Any] = {
        "session_id": identifier("session"),
        "diseases": ("MONDO:0005148",),
        "projects": ("heart",),
    }
    return examples.attempt(**{**fields, **changes})


def grant(**changes: Any) -> Grant:
    """With all conditions."""
    conditions = Conditions(
        maximum_uses=3,
        persons=("riverside-1",),
        project_members_only=True,
        countries=("IE",),
        publication_not_before=END,
    )
    fields: dict[str, Any] = {
        "conditions": conditions,
        "project": "heart",
        "restrictions": ("DUO:0000046",),
        "diseases": ("MONDO:0005148",),
        "ethics_approval_digest": examples.digest("ethics"),
    }
    return examples.grant(**{**fields, **changes})


def settings() -> Any:
    """All in Ireland."""
    found = examples.settings().to_dict()
    organizations = [{**one, "country": "IE"} for one in found["organizations"]]
    return type(examples.settings()).from_dict({**found, "organizations": organizations})


def permit(**changes: Any) -> AccessDecision:
    """What the rules say to that attempt."""
    tried = attempt()
    decided = decide(tried, version(), [grant()], [], settings(), "e" * 64, MIDDLE, {identifier("grant"): 2})
    assert decided.outcome == "permit", decided.reasons
    made = decided.record(tried)
    return AccessDecision.from_dict(made.to_dict() | changes)


def denial() -> AccessDecision:
    """The same attempt without a grant."""
    tried = attempt()
    return decide(tried, version(), [], [], settings(), "", MIDDLE).record(tried)


def decided(*, row: int | None = 2, decision: AccessDecision | None = None) -> DecisionSource:
    """The attempt with a decision, by default the permit, and the proof of one row."""
    proof = None if row is None else prove_row(version().version_id, ROWS, row)
    return DecisionSource(attempt=attempt(), decision=decision or permit(), version=version(), row=proof)


def standing(**changes: Any) -> Standing:
    """The grant as it stood at the decision."""
    fields: dict[str, Any] = {"grant": grant(), "suspension": None, "settings": settings(), "at": MIDDLE}
    return Standing(**{**fields, **changes})


def reasons(decision: AccessDecision) -> list[str]:
    """The codes of a decision's reasons."""
    return [reason.code for reason in decision.reasons if isinstance(reason, Reason)]


def found(document: Any, path: str) -> list[Any]:
    """What stands under a path of names with dots between; lists are passed through."""
    here = [document]
    if isinstance(document, dict) and document.get("resourceType") == "Bundle":
        kind, _, path = path.partition(".")
        resources = [entry["resource"] for entry in document["entry"]]
        here = [resource for resource in resources if resource["resourceType"] == kind]
    elif isinstance(document, dict) and document.get("resourceType") == path.partition(".")[0]:
        path = path.partition(".")[2]
    for part in path.split("."):
        here = [value for node in here for value in _member(node, part)]
    return here


def _member(node: Any, part: str) -> Iterator[Any]:
    if isinstance(node, list):
        for item in node:
            yield from _member(item, part)
    elif isinstance(node, dict):
        for key in (part, f"_{part}"):
            if key in node:
                yield node[key]
