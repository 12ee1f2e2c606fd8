"""Step 6: one patient withdraws; the next filter leaves the row out, and what it touches is named."""

from __future__ import annotations

from consentry.demo.cast import Cast
from consentry.demo.commands import CommandLine
from consentry.demo.data import RESEARCH
from consentry.demo.story import Story
from consentry.demo.training import consented_rows


def withdraw(story: Story, cast: Cast, commands: CommandLine) -> str:
    """Northgate's first research patient withdraws; return the pseudonym."""
    before = consented_rows(cast, "northgate")
    pseudonym = str(before["pseudonym"].iloc[0])
    researcher = cast.ledger("riverside/researcher")
    northgate = cast.versions["northgate"].version_id
    earlier = researcher.access.request_access(northgate, purpose=RESEARCH)
    withdrawn = cast.ledger("northgate/steward").consents.withdraw(pseudonym=pseudonym)
    story.say(f"a patient of northgate withdraws: {withdrawn[0]}")
    after = consented_rows(cast, "northgate")
    left_out = set(before["pseudonym"]) - set(after["pseudonym"])
    story.expect(
        left_out == {pseudonym},
        f"the next filter gives {len(after)} rows instead of {len(before)}: that patient's row is left out",
        f"{len(left_out)} rows left out",
    )
    later = researcher.access.request_access(northgate, purpose=RESEARCH)
    story.expect(
        later.epoch != earlier.epoch, "the next decision was made in a new epoch of northgate", later.epoch
    )
    impact = commands.json("northgate/dpo", "trail", "impact", withdrawn[0])
    found = {str(version) for version in impact["model_versions"]}
    story.expect(
        cast.model_version_id in found,
        f"the withdrawal touches {len(impact['grants'])} grants, {len(impact['sessions'])} sessions and "
        f"model version {cast.model_version_id[:20]}…",
        impact,
    )
    return pseudonym
