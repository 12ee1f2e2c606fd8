"""The ledger's settings over real engines: what a majority votes for is in force, and on record."""

import time
from dataclasses import replace

import pytest

from consentry.errors import LedgerRefused

pytestmark = pytest.mark.integration


def test_a_majority_of_the_organizations_changes_the_settings(ledger_of) -> None:
    voters = [ledger_of("northgate", "dpo"), ledger_of("riverside", "dpo"), ledger_of("lakeside", "dpo")]
    before = voters[0].settings()
    wanted = replace(before, time_tolerance_ms=before.time_tolerance_ms + 1)
    for change in (wanted, before):
        settings = replace(change, revision=voters[0].settings().revision)
        for number, voter in enumerate(voters, start=1):
            voted_for = voter.vote(settings)
            assert (voter.settings() == voted_for) == (number == len(voters))
        # The last voter's peer has them; the others' follow.
        deadline = time.monotonic() + 60
        while any(voter.settings() != voted_for for voter in voters):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert voters[0].votes() == []
    with pytest.raises(LedgerRefused, match="SETTINGS_UNCHANGED"):
        voters[0].vote(voters[0].settings())
    with pytest.raises(LedgerRefused, match="SETTINGS_INVALID"):
        voters[0].vote(wanted)
    with pytest.raises(LedgerRefused, match="ROLE_REQUIRED"):
        ledger_of("northgate", "steward").vote(voters[0].settings())
