"""Private reads come encrypted under the caller's one-time key, even when they are submitted by mistake."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support.consortium import Consortium, private_entries
from support.ledger_examples import NORTHGATE, RIVERSIDE, identifier

from consentry_records import keys
from consentry_records.private_entries import read_associated_data
from fabric_shim import ContractError
from fabric_testing import EndorsementError

VALUE = b"encrypted"
(ENTRY,) = private_entries(["somebody"])
KEY = bytes(range(32))


def opened(answer: dict[str, str], key: str) -> bytes:
    nonce, ciphertext = base64.b64decode(answer["nonce"]), base64.b64decode(answer["ciphertext"])
    return AESGCM(KEY).decrypt(nonce, ciphertext, read_associated_data(key))


async def test_the_custodian_reads_its_entries(consortium: Consortium) -> None:
    await consortium.store_private(["somebody"])
    for roles in ("steward", "dpo"):
        for key, value in ((ENTRY, VALUE), (keys.batch(identifier("batch")), None)):
            answer = await consortium.evaluate(
                consortium.person(roles), "consents:read_private", key, transient={"key": KEY}
            )
            assert value is None or opened(answer, key) == value
            assert len(base64.b64decode(answer["nonce"])) == 12


async def test_a_submitted_read_leaves_nothing_readable_in_its_block(consortium: Consortium) -> None:
    await consortium.store_private(["somebody"])
    steward = consortium.person("steward")
    result = await consortium.ledger.submit(
        steward, "consents:read_private", ENTRY, transient={"key": KEY}, endorsers=[NORTHGATE]
    )
    block = consortium.ledger.blocks[-1].SerializeToString()
    assert VALUE not in block
    assert KEY not in block
    assert opened(json.loads(result.payload), ENTRY) == VALUE


async def test_the_same_key_twice_still_gets_another_nonce(consortium: Consortium) -> None:
    await consortium.store_private(["somebody"])
    answers = [
        await consortium.evaluate(
            consortium.person("steward"), "consents:read_private", ENTRY, transient={"key": KEY}
        )
        for _ in range(2)
    ]
    assert answers[0]["nonce"] != answers[1]["nonce"]


@pytest.mark.parametrize(
    ("key", "transient", "code"),
    [
        (ENTRY, {"key": b"x" * 31}, "TRANSIENT_INVALID"),
        (ENTRY, {"key": b""}, "TRANSIENT_INVALID"),
        ("settings", {"key": KEY}, "FIELD_INVALID"),
        ("batch/" + identifier("batch", 9), {"key": KEY}, "PRIVATE_ENTRY_NOT_FOUND"),
    ],
)
async def test_reads_that_are_refused(
    consortium: Consortium, key: str, transient: dict[str, Any], code: str
) -> None:
    await consortium.store_private(["somebody"])
    call = consortium.evaluate(
        consortium.person("steward"), "consents:read_private", key, transient=transient
    )
    assert await consortium.refusal(call) == code


async def test_nobody_reads_anothers_collection(consortium: Consortium) -> None:
    await consortium.store_private(["somebody"])
    stranger = consortium.person("steward", RIVERSIDE)
    for peer in (NORTHGATE, RIVERSIDE):
        with pytest.raises((ContractError, EndorsementError)) as caught:
            await consortium.ledger.evaluate(
                stranger, "consents:read_private", ENTRY, transient={"key": KEY}, peer=peer
            )
        assert VALUE.decode() not in str(caught.value)
