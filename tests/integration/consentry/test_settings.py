"""The ledger's settings over real engines: what a majority votes for is in force, and on record."""

from dataclasses import replace

import pytest

from consentry.errors import LedgerRefused

pytestmark = pytest.mark.integration


def test_a_majority_of_the_organizations_changes_the_settings(ledger_of) -> None:
    voters = [ledger_of("northgate", "dpo"), ledger_of("riverside", "dpo"), ledger_of("lakeside", "dpo")]
    before = voters[0].settings()
    wanted = replace(before, time_tolerance_ms=before.time_tolerance_ms + 1)
    for settings in (wanted, before):
        for number, voter in enumerate(voters, start=1):
            voter.vote(settings)
            assert (voter.settings() == settings) == (number == len(voters))
    assert voters[0].votes() == []
    with pytest.raises(LedgerRefused, match="SETTINGS_UNCHANGED"):
        voters[0].vote(before)
    with pytest.raises(LedgerRefused, match="ROLE_REQUIRED"):
        ledger_of("northgate", "steward").vote(wanted)
