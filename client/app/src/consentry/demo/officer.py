"""Step 7: a compliance officer queries the trail and gets a patient's report."""

from __future__ import annotations

from pathlib import Path

from consentry.demo.cast import Cast
from consentry.demo.commands import CommandLine
from consentry.demo.story import Story


def query(story: Story, cast: Cast, commands: CommandLine) -> None:
    """The trail by dataset, by actor and by model."""
    northgate = cast.versions["northgate"].version_id
    accesses = commands.json("regulator/officer", "trail", "dataset", northgate)["items"]
    denied = [access for access in accesses if access["outcome"] == "deny"]
    story.expect(
        len(denied) >= 4 and len(accesses) > len(denied),
        f"{len(accesses)} attempts on northgate's dataset, {len(denied)} of them denied, none open",
        accesses,
    )
    actor = cast.identities["riverside/clerk"].enrolment_id
    by_actor = commands.json("regulator/officer", "trail", "actor", actor)["items"]
    story.expect(len(by_actor) == 1, "one attempt by the clerk without the role", by_actor)
    lineage = commands.json("regulator/officer", "trail", "model", cast.model_version_id)
    story.expect(
        len(lineage["versions"]) == len(cast.versions),
        f"the model version goes back to {len(lineage['versions'])} dataset versions",
        lineage,
    )
    story.record("access attempts on northgate's dataset, all decided", len(accesses))


def report(story: Story, cast: Cast, commands: CommandLine, pseudonym: str) -> list[Path]:
    """Northgate's data-protection officer makes the Art. 15 report for the patient who withdrew."""
    target = cast.directory / "reports"
    made = []
    for form in ("html", "json"):
        path = target / f"subject-access.{form}"
        arguments = ("report", "subject-access", "--format", form, "--output", str(path))
        commands.run("northgate/dpo", *arguments, typed=pseudonym)
        made.append(path)
    text = made[0].read_text(encoding="utf-8")
    story.expect(cast.model_version_id in text, "the report names the model version that used the row", text)
    return made
