"""Step 6: one patient withdraws; the next delivery leaves the row out, and what it touches is named."""

from __future__ import annotations

from consentry.demo.cast import Cast, msp_id
from consentry.demo.commands import CommandLine
from consentry.demo.data import RESEARCH
from consentry.demo.story import Story


def withdraw(story: Story, cast: Cast, commands: CommandLine) -> str:
    """Northgate's first research patient withdraws; return the pseudonym."""
    steward, researcher = cast.ledger("northgate/steward"), cast.ledger("riverside/researcher")
    rows, before = cast.hospitals["northgate"].rows, cast.received["northgate"]
    consented = steward.consents.filter(rows, purpose=RESEARCH, recipient=msp_id("riverside"))
    pseudonym = str(consented["pseudonym"].iloc[0])
    withdrawn = steward.consents.withdraw(pseudonym=pseudonym)
    story.say(f"a patient of northgate withdraws: {withdrawn[0]}")
    with researcher.data.open(cast.versions["northgate"].version_id, purpose=RESEARCH) as stream:
        came = stream.frame()
    first = consented.iloc[0].drop("pseudonym")
    is_there = (came[first.index] == first).all(axis="columns").any()
    story.expect(
        len(came) == before - 1 and not is_there,
        f"the next delivery gives {len(came)} rows instead of {before}: that patient's row is left out",
        f"{len(came)} rows",
    )
    earlier, later = cast.permits[msp_id("northgate")], researcher.access.get(stream.attempt_id).decision
    story.expect(
        later is not None and later.epoch != earlier.epoch,
        "the next decision was made in a new epoch of northgate",
        later,
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
