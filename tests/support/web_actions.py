"""Actions as a web server offers them, made by hand: every transaction that there are words for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from support import ledger_examples as examples
from support.ledger_examples import identifier

from consentry.web import texts
from consentry.web.actions import Action, Call
from consentry_contracts import contracts
from consentry_records import (
    BreachStep,
    EmergencyReview,
    GrantChange,
    NewBreach,
    NewReviewPolicy,
    NewRightsRequest,
    PurgeOrder,
    RightsFulfilment,
    RightsNotices,
    RightsStep,
)
from consentry_records.digest import sha256_digest
from consentry_records.review import encode_rationale
from fabric_testing import Ledger

ENGLISH = partial(texts.text, "en")
GERMAN = partial(texts.text, "de")
RATIONALE = encode_rationale(bytes(32), "The cohort is small.\nThe ethics vote fits.")
CHANGE = GrantChange(grant_id=identifier("grant"), not_after=examples.END)
ARGUMENTS: Mapping[str, Any] = {
    "grants:grant": examples.new_grant(),
    "grants:change": CHANGE,
    "grants:renew": CHANGE,
    "grants:narrow": examples.narrowed(),
    "grants:revoke": identifier("grant"),
    "grants:suspend": identifier("grant"),
    "grants:lift_suspension": identifier("grant"),
    "reviews:set_policy": NewReviewPolicy(approvals=2, required_roles=("dpo", "ethics")),
    "reviews:store_rationale": identifier("request"),
    "reviews:record": examples.new_review(rationale_digest=sha256_digest(RATIONALE)),
    "consents:withdraw": identifier("consent"),
    "rights:receive": NewRightsRequest(
        rights_request_id=identifier("rightsrequest"),
        right="objection",
        subject=examples.commitment(),
        received_at=examples.MIDDLE,
        purposes=("DUO:0000006",),
        evidence_digest=None,
    ),
    "rights:advance": RightsStep(
        rights_request_id=identifier("rightsrequest"), revision=1, step="rejected", ground="GDPR-21-1"
    ),
    "rights:purge": PurgeOrder(
        rights_request_id=identifier("rightsrequest"), entries=examples.private_entries(2)
    ),
    "rights:fulfil": RightsFulfilment.from_dict(
        {
            "rights_request_id": identifier("rightsrequest"),
            "revision": 3,
            "purged": 2,
            "stores": [{"store": "backups", "method": "key-destroyed"}],
        }
    ),
    "rights:notify": RightsNotices.from_dict(
        {
            "rights_request_id": identifier("rightsrequest"),
            "revision": 4,
            "notices": [{"recipient": examples.RIVERSIDE, "notified_at": examples.MIDDLE}],
        }
    ),
    "breaches:record": NewBreach(
        breach_id=identifier("breach"),
        aware_at=examples.MIDDLE,
        natures=("confidentiality", "integrity"),
        categories=("imaging",),
        subject_count=12,
        record_count=340,
        versions=(identifier("version"),),
        facts_digest=None,
    ),
    "breaches:advance": BreachStep(
        breach_id=identifier("breach"),
        revision=1,
        step="authority-notified",
        happened_at=examples.MIDDLE,
        document_digest=examples.digest(),
    ),
    "emergencies:review": EmergencyReview(
        attempt_id=identifier("attempt"),
        state="justified",
        findings=("EMERGENCY_CONFIRMED",),
        rationale_digest=None,
    ),
}
"""One argument of every transaction that there are words for."""


@cache
def creator(msp_id: str = examples.NORTHGATE) -> bytes:
    """Somebody's serialized identity, the same in one run."""
    return Ledger(contracts(), [msp_id]).caller(msp_id, common_name="officer-1").serialized


def call(function: str, argument: Any = None) -> Call:
    """The call of a function with an argument, or with the one above."""
    value = ARGUMENTS[function] if argument is None else argument
    data = (
        value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else value.to_bytes()
    )
    transient = {"rationale": RATIONALE} if function == "reviews:store_rationale" else {}
    is_own = function in ("reviews:store_rationale", "rights:purge")
    return Call((function.encode(), data), transient, (examples.NORTHGATE,) if is_own else ())


def action(*calls: Call, **changes: Any) -> Action:
    """Calls as they are offered to an officer of Northgate's."""
    fields: dict[str, Any] = {
        "action_id": "0" * 31 + "1",
        "created_at": examples.MIDDLE,
        "channel": "consentry",
        "chaincode": "consentry",
        "creator": creator(),
        "calls": calls,
    }
    return Action(**{**fields, **changes})
