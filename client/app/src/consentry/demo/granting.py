"""Step 3: access is requested and granted; a grant cannot be changed without its custodian's own peer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from consentry.demo.cast import Cast, msp_id
from consentry.demo.data import NON_COMMERCIAL_ONLY, RESEARCH
from consentry.demo.story import Story
from consentry.errors import LedgerRefused
from consentry.network import restart_chaincode
from consentry_records.instants import format_instant
from fabric_gateway import CommitError

THIRTY_DAYS = timedelta(days=30)
OTHERS = ("lakeside", "regulator", "riverside")


def request_and_grant(story: Story, cast: Cast) -> None:
    """Riverside's research group asks; each custodian grants 30 days on its own version."""
    request = cast.ledger("riverside/researcher").grants.request(
        [version.version_id for version in cast.versions.values()],
        purposes=[RESEARCH],
        restrictions=[NON_COMMERCIAL_ONLY],
        duration=THIRTY_DAYS,
    )
    for name, version in cast.versions.items():
        grant = cast.ledger(f"{name}/dpo").grants.grant(
            request.request_id,
            versions=[version.version_id],
            purposes=[RESEARCH],
            restrictions=[NON_COMMERCIAL_ONLY],
            duration=THIRTY_DAYS,
        )
        cast.grants[name] = grant
        story.say(f"{name} grants {grant.grantee} biomedical research until {grant.not_after}")
    holders = {grant.grantee for grant in cast.grants.values()}
    story.expect(holders == {msp_id("riverside")}, "three grants of 30 days to riverside", holders)
    story.record("grants", len(cast.grants))


def change_without_the_custodian(story: Story, cast: Cast) -> None:
    """Riverside tries to prolong northgate's grant: honestly, then with all others colluding."""
    grant = cast.grants["northgate"]
    steward = cast.ledger("riverside/steward")
    try:
        steward.grants.change(grant.grant_id, not_after=datetime.now(UTC) + timedelta(days=29))
        refusal = "no refusal"
    except LedgerRefused as error:
        refusal = error.code
    story.expect(refusal == "NOT_CUSTODIAN", "riverside asks the contract and is refused", refusal)
    story.say("riverside, lakeside and the regulator now run chaincode with that check cut out")
    change = {"grant_id": grant.grant_id, "not_after": format_instant(datetime.now(UTC) + timedelta(days=29))}
    with _altered_chaincode(cast.directory, OTHERS):
        try:
            steward.contract.submit(
                "grants:change",
                json.dumps(change),
                endorsing_organizations=[msp_id(name) for name in OTHERS],
            )
            outcome = "VALID"
        except CommitError as error:
            outcome = error.status.name
    story.expect(
        outcome == "ENDORSEMENT_POLICY_FAILURE",
        "three colluding organizations endorse the change, and validation refuses it: "
        "northgate's own peer did not sign",
        outcome,
    )
    unchanged = steward.grants.get(grant.grant_id)
    story.expect(unchanged == grant, "the grant is what northgate gave", unchanged)


@contextmanager
def _altered_chaincode(directory: Path, organizations: Sequence[str]) -> Iterator[None]:
    altered = (sys.executable, str(Path(__file__).with_name("altered_chaincode.py")))
    with ThreadPoolExecutor(len(organizations)) as pool:
        try:
            list(pool.map(lambda name: restart_chaincode(directory, name, altered), organizations))
            yield
        finally:
            list(pool.map(lambda name: restart_chaincode(directory, name), organizations))
