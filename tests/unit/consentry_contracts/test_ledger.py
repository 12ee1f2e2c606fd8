"""The settings: once, by a regulator that they name."""

from __future__ import annotations

from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import NORTHGATE, REGULATOR

from consentry_records import OrganizationSetting, Settings, keys


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
