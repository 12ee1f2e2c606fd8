"""Closed epochs: in order, once, by the custodian's service alone, under its policy."""

from __future__ import annotations

from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import NORTHGATE, REGULATOR, RIVERSIDE

from consentry_records import ClosedEpoch, keys


def new_epoch(number: int = 1, first: int = 0, last: int = 5, **changes: Any) -> dict[str, Any]:
    fields = {
        "number": number,
        "first_block": first,
        "last_block": last,
        "header_hash": "a" * 64,
        "chain_count": 2,
        "root": examples.digest("root"),
        "limits": True,
    }
    return fields | changes


async def test_epochs_follow_one_another_one_key_each(consortium: Consortium) -> None:
    service = consortium.person("service")
    await consortium.submit(service, "epochs:close", new_epoch())
    await consortium.submit(service, "epochs:close", new_epoch(2, 6, 6))
    await consortium.submit(consortium.person("service", RIVERSIDE), "epochs:close", new_epoch())
    found: ClosedEpoch = consortium.record(ClosedEpoch, keys.closed_epoch(NORTHGATE, 2))
    assert (found.custodian, found.number, found.first_block) == (NORTHGATE, 2, 6)
    read = await consortium.evaluate(consortium.person("", REGULATOR), "epochs:get", RIVERSIDE, 1)
    assert read["root"] == examples.digest("root")


@pytest.mark.parametrize(
    ("epoch", "code"),
    [
        (new_epoch(), "EPOCH_CLOSED"),
        (new_epoch(1, 0, 9), "EPOCH_CLOSED"),
        (new_epoch(2, 7, 9), "EPOCH_NOT_NEXT"),
        (new_epoch(2, 5, 9), "EPOCH_NOT_NEXT"),
        (new_epoch(2, 0, 9), "EPOCH_NOT_NEXT"),
        (new_epoch(3, 6, 9), "EPOCH_NOT_NEXT"),
        (new_epoch(3, 0, 9), "EPOCH_NOT_NEXT"),
        (new_epoch(2, 6, 5), "EPOCH_EMPTY"),
        (new_epoch(2, 6, 9, limits=False), "EPOCH_WITHOUT_LIMITS"),
        (new_epoch(2, 6, 9, limits=1), "FIELD_INVALID"),
        (new_epoch(0, 0, 5), "FIELD_INVALID"),
        (new_epoch(2, 6, 9, header_hash="A" * 64), "FIELD_INVALID"),
        (new_epoch(2, 6, 9, root="a" * 64), "FIELD_INVALID"),
    ],
)
async def test_no_epoch_twice_none_left_out_none_overlapping(
    consortium: Consortium, epoch: dict[str, Any], code: str
) -> None:
    service = consortium.person("service")
    await consortium.submit(service, "epochs:close", new_epoch())
    assert await consortium.refusal(consortium.submit(service, "epochs:close", epoch)) == code


async def test_the_first_begins_at_block_0(consortium: Consortium) -> None:
    call = consortium.submit(consortium.person("service"), "epochs:close", new_epoch(1, 1, 5))
    assert await consortium.refusal(call) == "EPOCH_NOT_NEXT"
    missing = consortium.evaluate(consortium.person(""), "epochs:get", NORTHGATE, 1)
    assert await consortium.refusal(missing) == "EPOCH_NOT_FOUND"


async def test_others_cannot_change_a_closed_epoch(consortium: Consortium) -> None:
    await consortium.submit(consortium.person("service"), "epochs:close", new_epoch())
    key = keys.closed_epoch(NORTHGATE, 1)
    assert consortium.ledger.key_policy(key) is not None
