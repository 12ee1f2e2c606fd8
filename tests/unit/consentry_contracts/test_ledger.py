"""The settings: first by a regulator that they name, then by votes of a majority."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import NORTHGATE, REGULATOR, RIVERSIDE

from consentry_records import OrganizationSetting, Settings, SettingsVote, keys
from consentry_records.settings import is_decided

HILLSIDE = "HillsideMSP"


async def test_settings_are_written_once() -> None:
    consortium = Consortium()
    regulator = consortium.person("regulator", REGULATOR)
    assert (
        await consortium.refusal(consortium.evaluate(regulator, "ledger:settings"))
        == "LEDGER_NOT_INITIALIZED"
    )
    result = await consortium.submit(regulator, "ledger:initialize", examples.settings())
    assert result.event is not None
    assert (result.event.name, result.event.payload) == ("LedgerInitialized.v1", b"{}")
    assert consortium.record(Settings, keys.SETTINGS) == examples.settings()
    assert await consortium.evaluate(regulator, "ledger:settings") == examples.settings().to_dict()
    again = consortium.submit(regulator, "ledger:initialize", examples.settings(5))
    assert await consortium.refusal(again) == "LEDGER_ALREADY_INITIALIZED"


@pytest.mark.parametrize(
    ("roles", "msp_id", "code"),
    [
        ("steward", REGULATOR, "ROLE_REQUIRED"),
        ("", REGULATOR, "ROLE_REQUIRED"),
        ("regulator", NORTHGATE, "ORGANIZATION_KIND_WRONG"),
    ],
)
async def test_only_a_regulator_writes_them(roles: str, msp_id: str, code: str) -> None:
    consortium = Consortium()
    call = consortium.submit(consortium.person(roles, msp_id), "ledger:initialize", examples.settings())
    assert await consortium.refusal(call) == code


async def test_the_regulator_must_be_named() -> None:
    consortium = Consortium()
    strange = Settings(
        organizations=(OrganizationSetting(msp_id="OtherMSP", kind="regulator"),), time_tolerance_ms=0
    )
    call = consortium.submit(consortium.person("regulator", REGULATOR), "ledger:initialize", strange)
    assert await consortium.refusal(call) == "ORGANIZATION_UNKNOWN"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"time_tolerance_ms": -1}, "FIELD_INVALID"),
        ({"time_tolerance_ms": True}, "FIELD_INVALID"),
        ({"time_tolerance_ms": 60_001}, "FIELD_INVALID"),
        ({"decision_period_ms": 999}, "FIELD_INVALID"),
        ({"decision_period_ms": 604_800_001}, "FIELD_INVALID"),
        ({"organizations": []}, "FIELD_INVALID"),
        ({"more": 1}, "FIELD_UNKNOWN"),
    ],
)
async def test_settings_that_do_not_fit_are_refused(change: dict[str, Any], code: str) -> None:
    consortium = Consortium()
    document = examples.settings().to_dict() | change
    call = consortium.submit(consortium.person("regulator", REGULATOR), "ledger:initialize", document)
    assert await consortium.refusal(call) == code


async def test_nothing_works_before_the_settings() -> None:
    consortium = Consortium()
    steward = consortium.person("steward")
    call = consortium.submit(steward, "datasets:register", examples.new_version())
    assert await consortium.refusal(call) == "LEDGER_NOT_INITIALIZED"


def with_hospital(msp_id: str = HILLSIDE) -> Settings:
    """The settings with one more hospital."""
    current = examples.settings()
    more = OrganizationSetting(msp_id=msp_id, kind="hospital")
    return replace(current, organizations=(*current.organizations, more)).succeeding()


async def test_more_than_half_of_the_organizations_change_the_settings() -> None:
    consortium = await Consortium.initialized(HILLSIDE)
    wanted = with_hospital()
    names = []
    for roles, msp_id in (("dpo", NORTHGATE), ("regulator", REGULATOR), ("dpo", RIVERSIDE)):
        assert consortium.record(Settings, keys.SETTINGS) == examples.settings()
        person = consortium.person(roles, msp_id)
        result = await consortium.submit(person, "ledger:vote", wanted)
        assert result.event is not None
        names.append(result.event.name)
        payload = {"settings_digest": wanted.digest, "voter_msp": msp_id}
        assert json.loads(result.event.payload) == payload
    assert names == ["SettingsVoted.v1", "SettingsVoted.v1", "SettingsChanged.v1"]
    assert consortium.record(Settings, keys.SETTINGS) == wanted
    vote = consortium.record(SettingsVote, keys.settings_vote(wanted.digest.partition(":")[2], RIVERSIDE))
    assert (vote.settings, vote.replaces) == (wanted, examples.settings().digest)
    # Who was taken in has a say at once, and votes are for one change only.
    assert await consortium.evaluate(consortium.person("dpo", HILLSIDE), "ledger:votes") == {"votes": []}
    before = replace(examples.settings(), revision=wanted.revision).succeeding()
    back = consortium.submit(consortium.person("dpo", HILLSIDE), "ledger:vote", before)
    assert (await back).event is not None
    assert consortium.record(Settings, keys.SETTINGS) == wanted


async def test_votes_do_not_come_back_with_the_settings_that_they_replaced() -> None:
    consortium = await Consortium.initialized(HILLSIDE)
    voters = (("dpo", NORTHGATE), ("regulator", REGULATOR), ("dpo", RIVERSIDE))
    there, back = with_hospital(), examples.settings()
    for wanted in (there, replace(back, revision=3)):
        for roles, msp_id in voters:
            await consortium.submit(consortium.person(roles, msp_id), "ledger:vote", wanted)
        assert consortium.record(Settings, keys.SETTINGS) == wanted
    again = replace(there, revision=4)
    for roles, msp_id in voters[:2]:
        await consortium.submit(consortium.person(roles, msp_id), "ledger:vote", again)
        assert consortium.record(Settings, keys.SETTINGS).revision == 3


@pytest.mark.parametrize("revision", [1, 3])
async def test_settings_made_from_others_than_those_in_force_are_refused(revision: int) -> None:
    consortium = await Consortium.initialized(HILLSIDE)
    call = consortium.submit(
        consortium.person("dpo"), "ledger:vote", replace(with_hospital(), revision=revision)
    )
    assert await consortium.refusal(call) == "SETTINGS_INVALID"


async def test_votes_are_read_by_everybody_until_they_are_decided() -> None:
    consortium = await Consortium.initialized(HILLSIDE)
    await consortium.submit(consortium.person("dpo"), "ledger:vote", with_hospital())
    await consortium.submit(consortium.person("dpo"), "ledger:vote", with_hospital("OtherMSP"))
    answer = await consortium.evaluate(consortium.person("", RIVERSIDE), "ledger:votes")
    votes = [SettingsVote.from_dict(vote) for vote in answer["votes"]]
    assert {vote.settings.msp_ids[-1] for vote in votes} == {HILLSIDE, "OtherMSP"}
    assert {vote.voter_msp for vote in votes} == {NORTHGATE}


async def test_one_organization_votes_once_and_not_for_another() -> None:
    consortium = await Consortium.initialized(HILLSIDE)
    first, colleague = consortium.person("dpo"), consortium.person("dpo,steward")
    await consortium.submit(first, "ledger:vote", with_hospital())
    again = consortium.submit(colleague, "ledger:vote", with_hospital())
    assert await consortium.refusal(again) == "SETTINGS_VOTE_EXISTS"
    assert consortium.record(Settings, keys.SETTINGS) == examples.settings()


@pytest.mark.parametrize(
    ("roles", "msp_id", "wanted", "code"),
    [
        ("steward,service,auditor", NORTHGATE, with_hospital(), "ROLE_REQUIRED"),
        ("dpo", HILLSIDE, with_hospital(), "ORGANIZATION_UNKNOWN"),
        ("dpo", NORTHGATE, examples.settings().succeeding(), "SETTINGS_UNCHANGED"),
    ],
)
async def test_who_may_not_vote_is_refused(roles: str, msp_id: str, wanted: Settings, code: str) -> None:
    consortium = await Consortium.initialized(HILLSIDE)
    call = consortium.submit(consortium.person(roles, msp_id), "ledger:vote", wanted)
    assert await consortium.refusal(call) == code


async def test_an_organization_stays_what_it_is() -> None:
    consortium = await Consortium.initialized(HILLSIDE)
    document = examples.settings().succeeding().to_dict()
    document["organizations"][0]["kind"] = "regulator"
    call = consortium.submit(consortium.person("dpo"), "ledger:vote", document)
    assert await consortium.refusal(call) == "SETTINGS_INVALID"


@given(
    members=st.lists(st.sampled_from("ABCDEFGH"), min_size=1, unique=True),
    voters=st.sets(st.sampled_from("ABCDEFGHXY")),
)
def test_half_of_the_organizations_decide_nothing(members: list[str], voters: set[str]) -> None:
    organizations = [OrganizationSetting(msp_id=name, kind="regulator") for name in members]
    current = Settings(organizations=tuple(organizations), time_tolerance_ms=0)
    assert is_decided(current, voters) == (len(voters & set(members)) >= len(members) // 2 + 1)


async def test_a_hospital_that_was_voted_in_uses_the_contracts() -> None:
    consortium = await Consortium.initialized(HILLSIDE)
    steward = consortium.person("steward", HILLSIDE)
    before = consortium.submit(steward, "datasets:register", examples.new_version())
    assert await consortium.refusal(before) == "ORGANIZATION_UNKNOWN"
    for roles, msp_id in (("dpo", NORTHGATE), ("regulator", REGULATOR), ("dpo", RIVERSIDE)):
        await consortium.submit(consortium.person(roles, msp_id), "ledger:vote", with_hospital())
    await consortium.submit(steward, "datasets:register", examples.new_version())
