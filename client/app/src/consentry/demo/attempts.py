"""Step 4: attempts at access; each goes on record first, then its custodian's own service decides."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from consentry.access import reasons_in_words
from consentry.demo.cast import Cast, msp_id
from consentry.demo.data import CARE, RESEARCH
from consentry.demo.story import Story
from consentry.errors import NetworkRefused
from consentry.ledger import Ledger
from consentry_records.access import AccessDecision
from consentry_records.grant import Grant
from consentry_records.instants import parse_instant

SHORT = timedelta(seconds=3)
_LONGEST = timedelta(minutes=1)


def attempt_access(story: Story, cast: Cast) -> None:
    """A permitted attempt, refused ones, one whose requester vanishes."""
    northgate = cast.versions["northgate"].version_id
    researcher = cast.ledger("riverside/researcher")
    permitted = _decided(researcher, northgate, RESEARCH)
    story.expect(permitted.permits, f"permitted until {permitted.permit_not_after}", permitted.outcome)
    _expect_denied(story, "wrong purpose", _decided(researcher, northgate, CARE), "PURPOSE_NOT_COVERED")
    clerk = cast.ledger("riverside/clerk")
    _expect_denied(story, "missing role", _decided(clerk, northgate, RESEARCH), "ROLE_MISSING")
    _vanish(story, cast, northgate)


def grant_for_seconds(story: Story, cast: Cast) -> Grant:
    """A grant that runs out by real clocks while the story goes on."""
    northgate = cast.versions["northgate"].version_id
    researcher = cast.ledger("lakeside/researcher")
    request = researcher.grants.request([northgate], purposes=[RESEARCH], duration=_LONGEST)
    grant = cast.ledger("northgate/dpo").grants.grant(
        request.request_id,
        versions=[northgate],
        purposes=[RESEARCH],
        not_after=datetime.now(UTC) + SHORT,
    )
    story.say(f"northgate grants {msp_id('lakeside')} three seconds")
    return grant


def attempt_after_expiry(story: Story, cast: Cast, grant: Grant) -> None:
    """A grant has run out, or does so now; setting one's own clock back does not help."""
    northgate = cast.versions["northgate"].version_id
    researcher = cast.ledger("lakeside/researcher")
    end = parse_instant(grant.not_after)
    time.sleep(max((end - datetime.now(UTC)).total_seconds(), 0.0) + 0.1)
    _expect_denied(story, "the grant ran out", _decided(researcher, northgate, RESEARCH), "GRANT_EXPIRED")
    with cast.back_dated("lakeside/researcher", datetime.now(UTC) - end + SHORT / 2) as late:
        attempt = late.access.attempt(northgate, purpose=RESEARCH)
        claimed = late.access.get(attempt).attempt.proposal_time
        decision = late.access.wait_for_decision(attempt)
    story.expect(claimed < grant.not_after, f"an attempt claims {claimed}, within the grant", claimed)
    _expect_denied(story, "the custodian's clock decides", decision, "GRANT_EXPIRED")
    with cast.back_dated("lakeside/researcher", timedelta(minutes=5)) as stale:
        try:
            stale.access.attempt(northgate, purpose=RESEARCH)
            refusal = "no refusal"
        except NetworkRefused as error:
            refusal = error.code
    story.expect(
        refusal == "PROPOSAL_TIME_REFUSED", "an attempt back-dated by minutes leaves no record", refusal
    )


def _vanish(story: Story, cast: Cast, version_id: str) -> None:
    with cast.back_dated("riverside/researcher", timedelta(0)) as leaving:
        attempt = leaving.access.attempt(version_id, purpose=RESEARCH)
    decision = cast.ledger("regulator/officer").access.wait_for_decision(attempt)
    story.expect(
        decision.attempt_id == attempt,
        "the requester vanished; the attempt is decided all the same",
        decision,
    )


def _decided(ledger: Ledger, version_id: str, purpose: str) -> AccessDecision:
    return ledger.access.wait_for_decision(ledger.access.attempt(version_id, purpose=purpose))


def _expect_denied(story: Story, what: str, decision: AccessDecision, code: str) -> None:
    codes = [reason.code for reason in decision.reasons]
    story.expect(
        not decision.permits and code in codes,
        f"denied, {what}: {'; '.join(reasons_in_words(decision))}",
        f"{decision.outcome} {codes}",
    )
