"""Requests that wait for a custodian, on the command line."""

import json
from pathlib import Path

import pytest
from support.story import PROFILE, RESEARCH, RIVERSIDE, Story, identifier, instant, tell

from consentry.cli.main import run
from consentry.index import IndexFollower, open_database
from consentry.verification import memory_source
from consentry_records import keys
from consentry_records.request import AccessRequest


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network in which request 1 is granted and request 2 waits, both for northgate's data."""
    story = tell()
    _ask_again(story)
    directory = tmp_path_factory.mktemp("network")
    (directory / "network.json").write_text(PROFILE)
    engine = open_database(f"sqlite:///{directory / 'index.sqlite'}")
    IndexFollower(engine, "consentry", story.chain.anchor).follow(memory_source("peer", story.chain.blocks))
    engine.dispose()
    return directory


def _ask_again(story: Story) -> None:
    request = AccessRequest(
        request_id=identifier("request", 2),
        requester_msp=RIVERSIDE,
        requester="researcher-1",
        versions=(identifier("version", 1),),
        purposes=(RESEARCH,),
        restrictions=(),
        duration_seconds=2_592_000,
        ethics_approval_digest=None,
        requested_at=instant(9),
        columns=("age", "größe"),
    )
    story.put({keys.request(request.request_id): request}, by=story.researcher, function="grants:request")


@pytest.mark.parametrize(
    ("who", "options", "expected"),
    [
        ("northgate", [], [(identifier("request", 2), [])]),
        ("riverside", [], []),
        (
            "riverside",
            ["--all"],
            [(identifier("request", 1), ["NorthgateMSP"]), (identifier("request", 2), [])],
        ),
    ],
)
def test_a_custodian_sees_what_waits_for_it(
    network: Path,
    capsys: pytest.CaptureFixture[str],
    who: str,
    options: list[str],
    expected: list[tuple[str, list[str]]],
) -> None:
    arguments = ["--network", str(network), "--local", "--as", f"{who}/officer"]
    assert run([*arguments, "grants", "requests", "--json", *options]) == 0
    items = json.loads(capsys.readouterr().out)["items"]
    assert [(item["request_id"], item["granted_by"]) for item in items] == expected
    assert all(item["datasets"] == ["biopsies"] for item in items)


def test_people_get_a_table_with_days(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--network", str(network), "--local", "--as", "northgate/steward", "grants", "requests"]) == 0
    printed = capsys.readouterr().out
    assert identifier("request", 2) in printed
    assert "30.0" in printed
    assert "größe" in printed
