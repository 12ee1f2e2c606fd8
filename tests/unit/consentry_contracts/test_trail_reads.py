"""Reads of the trail: recorded with who read, never twice, and with nothing but ids."""

from __future__ import annotations

from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import REGULATOR, identifier

from consentry_records import keys
from consentry_records.trail_read import TrailRead

READ = identifier("trailread")


def new_read(**changes: Any) -> dict[str, Any]:
    fields = {
        "trail_read_id": READ,
        "question": "report",
        "concerned": [examples.commitment(), identifier("version"), "NorthgateMSP"],
        "row_count": 7,
        "last_block": 41,
        "report": "gdpr-15",
        "report_digest": examples.digest("report"),
        "claimed_at": None,
        "shown_to": None,
        "sign_in_digest": None,
    }
    return fields | changes


async def test_a_read_is_recorded_with_its_reader(consortium: Consortium) -> None:
    officer = consortium.person("auditor", REGULATOR)
    await consortium.submit(officer, "trail:record_read", new_read())
    found: TrailRead = consortium.record(TrailRead, keys.trail_read(READ))
    assert (found.reader_msp, found.reader, found.roles) == (
        REGULATOR,
        consortium.name("auditor", REGULATOR),
        ("auditor",),
    )
    assert (await consortium.evaluate(officer, "trail:get", READ))["row_count"] == 7
    again = consortium.submit(officer, "trail:record_read", new_read())
    assert await consortium.refusal(again) == "TRAIL_READ_EXISTS"
    missing = consortium.evaluate(officer, "trail:get", identifier("trailread", 2))
    assert await consortium.refusal(missing) == "TRAIL_READ_NOT_FOUND"


async def test_a_read_while_the_ledger_was_away_keeps_both_times(consortium: Consortium) -> None:
    officer, claimed = consortium.person("dpo"), consortium.instant(-3600)
    await consortium.submit(officer, "trail:record_read", new_read(claimed_at=claimed))
    found: TrailRead = consortium.record(TrailRead, keys.trail_read(READ))
    assert found.claimed_at == claimed < found.read_at
    later = new_read(trail_read_id=identifier("trailread", 2), claimed_at=consortium.instant(3600))
    assert await consortium.refusal(consortium.submit(officer, "trail:record_read", later)) == (
        "CLAIMED_TOO_LATE"
    )


async def test_a_service_says_to_whom_it_showed_what(consortium: Consortium) -> None:
    signed = examples.digest("signed challenge")
    shown = new_read(shown_to="0f" * 16, sign_in_digest=signed)
    await consortium.submit(consortium.person("service"), "trail:record_read", shown)
    found: TrailRead = consortium.record(TrailRead, keys.trail_read(READ))
    assert (found.reader, found.shown_to, found.sign_in_digest) == (
        consortium.name("service"),
        "0f" * 16,
        signed,
    )


def test_reads_of_earlier_forms_are_read() -> None:
    made = TrailRead(**new_read(), reader_msp=REGULATOR, reader="officer-1", roles=(), read_at=examples.START)
    document = made.to_dict() | {"schema": "consentry.trailread/2"}
    del document["shown_to"], document["sign_in_digest"]
    assert TrailRead.from_dict(document) == made
    document["schema"] = "consentry.trailread/1"
    del document["claimed_at"]
    assert TrailRead.from_dict(document) == made


@pytest.mark.parametrize(
    "changes",
    [
        {"concerned": ["Jane Doe"]},
        {"concerned": ["jane@example.org"]},
        {"concerned": ["x"] * 65},
        {"question": "why"},
        {"row_count": -1},
        {"report_digest": "md5:0"},
        {"report": "GDPR Art. 15"},
        {"shown_to": "Jane Doe"},
        {"sign_in_digest": "sha256:0"},
    ],
)
async def test_anything_else_is_refused(consortium: Consortium, changes: dict[str, Any]) -> None:
    call = consortium.submit(consortium.person("dpo"), "trail:record_read", new_read(**changes))
    assert await consortium.refusal(call) == "FIELD_INVALID"
