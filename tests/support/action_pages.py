"""Pages of actions over a small index: records to act upon, and what the serving side would answer."""

from __future__ import annotations

from typing import Any

from support import ledger_examples as examples
from support.ledger_examples import NORTHGATE, identifier
from support.web_bench import Browser

from consentry.reviews import VersionMatch
from consentry.web.action_settings import ActionSettings
from consentry_records import Breach, EmergencyAccess, NewBreach, Review, RightsRequest
from consentry_records.breach import recorded
from consentry_records.record import Record
from consentry_records.rights_request import NewRightsRequest, received

GRANT, REQUEST = identifier("grant"), identifier("request")
CONSENT, RIGHTS = identifier("consent"), identifier("rightsrequest")
ATTEMPT, BREACH = identifier("attempt"), identifier("breach")
FORM = "0" * 32
PSEUDONYM = "patient-00042"
PRIVATE_ENTRIES = examples.private_entries(2)


def rights_request() -> RightsRequest:
    new = NewRightsRequest(
        rights_request_id=RIGHTS,
        right="objection",
        subject=examples.commitment(),
        received_at=examples.START,
        purposes=("DUO:0000006",),
        evidence_digest=None,
    )
    return received(new, custodian=NORTHGATE, recorded_at=examples.START, recorded_by="dpo-1")


def breach() -> Breach:
    new = NewBreach(
        breach_id=BREACH,
        aware_at=examples.START,
        natures=("availability",),
        categories=("imaging",),
        subject_count=12,
        record_count=3400,
        versions=(),
        facts_digest=None,
    )
    return recorded(new, custodian=NORTHGATE, recorded_at=examples.START, recorded_by="dpo-1")


def emergency() -> EmergencyAccess:
    return EmergencyAccess(
        attempt_id=ATTEMPT,
        custodian=NORTHGATE,
        requester_msp="RiversideMSP",
        requester="clinician-1",
        reason="LIFE_THREATENING",
        permitted_at="2026-01-01T00:00:00.000Z",
        review_due="2026-01-04T00:00:00.000Z",
    )


def records() -> list[tuple[str, Record]]:
    review = Review(
        **examples.new_review(rationale_digest=examples.digest()).to_dict(),
        custodian=NORTHGATE,
        reviewer="reviewer-1",
        roles=("ethics",),
        match="person",
        reviewed_at=examples.START,
    )
    return [
        ("version", examples.version()),
        ("request", examples.request()),
        ("review", review),
        ("grant", examples.grant()),
        ("consent", examples.consent()),
        ("rights", rights_request()),
        ("breach", breach()),
        ("emergency", emergency()),
    ]


def rationale(request_id: str, reviewer: str) -> str:
    return "Small cohort.\u202e<script>x</script>"


def action_settings(**changes: Any) -> ActionSettings:
    fields: dict[str, Any] = {
        "chaincode": "consentry",
        "transport": None,
        "match": lambda request_id: [VersionMatch(identifier("version"), "person", ())],
        "rationale": rationale,
        "commitment": lambda pseudonym: examples.commitment() if pseudonym == PSEUDONYM else None,
        "private_entries": lambda commitment: PRIVATE_ENTRIES,
        "before": lambda call: None,
        "committed": lambda pending: None,
    }
    return ActionSettings(**{**fields, **changes})


def offered(browser: Browser, page: str, path: str, **fields: Any) -> str:
    """Send a form of a page; the text of the page that it leads to."""
    browser.get(page)
    answer = browser.post(path, form=fields.pop("form", FORM), **fields)
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["location"]).text
