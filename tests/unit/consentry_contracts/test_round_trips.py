"""Reads go out together and writes are gathered: a transaction needs a handful of messages, however many
records.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium, consent_batch, new_session
from support.ledger_examples import NORTHGATE, RIVERSIDE

from consentry_records import Conditions
from fabric_testing import requests


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The types of the messages that a peer answers meanwhile."""
    seen: list[int] = []
    answer = requests.Requests.answer

    async def counting(self: requests.Requests, message_type: int, payload: bytes) -> bytes:
        seen.append(message_type)
        return await answer(self, message_type, payload)

    with monkeypatch.context() as patch:
        patch.setattr(requests.Requests, "answer", counting)
        yield seen


async def test_a_thousand_consents_take_a_handful_of_requests(
    consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [f"subject {number}" for number in range(1000)]
    with counted(monkeypatch) as seen:
        stored = await consortium.store_private(people)
    assert len(seen) <= 4
    with counted(monkeypatch) as seen:
        await consortium.ledger.evaluate(
            consortium.person("steward"), "consents:import_batch", consent_batch(people, stored)
        )
    assert len(seen) <= 6


async def test_a_decision_takes_four_requests_and_a_start_three(
    consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    await consortium.register_version()
    for number in range(1, 6):
        await consortium.grant(number)
    attempt_id = await consortium.attempt()
    with counted(monkeypatch) as seen:
        await consortium.ledger.evaluate(consortium.person("service"), "access:decide", attempt_id)
    assert len(seen) <= 4
    await consortium.decide(attempt_id)
    await consortium.model()
    with counted(monkeypatch) as seen:
        researcher = consortium.person("researcher", RIVERSIDE)
        await consortium.ledger.evaluate(researcher, "training:start", new_session())
    assert len(seen) <= 3


async def test_a_grant_takes_three_requests(consortium: Consortium, monkeypatch: pytest.MonkeyPatch) -> None:
    await consortium.register_version()
    await consortium.submit(
        consortium.person("researcher", RIVERSIDE), "grants:request", examples.new_request()
    )
    fields = {"not_before": consortium.instant(), "not_after": consortium.instant(60)}
    with counted(monkeypatch) as seen:
        steward = consortium.person("steward", NORTHGATE)
        await consortium.ledger.evaluate(steward, "grants:grant", examples.new_grant(1, **fields))
    assert len(seen) == 3


async def test_many_decisions_take_as_many_requests_as_one(
    consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    await consortium.register_version()
    await consortium.grant()
    attempts = [await consortium.attempt(number) for number in range(1, 11)]
    requests = []
    for several in (attempts[:1], attempts):
        with counted(monkeypatch) as seen:
            await consortium.ledger.evaluate(
                consortium.person("service"), "access:decide_batch", {"attempts": several}
            )
        requests.append(len(seen))
    assert requests[0] == requests[1] <= 6


async def test_a_decision_on_limited_uses_takes_six_requests_at_most(
    consortium: Consortium, monkeypatch: pytest.MonkeyPatch
) -> None:
    await consortium.register_version()
    for number in range(1, 4):
        await consortium.grant(number, conditions=Conditions(maximum_uses=2))
    for number in range(1, 8):
        attempt_id = await consortium.attempt(number)
        with counted(monkeypatch) as seen:
            await consortium.ledger.evaluate(consortium.person("service"), "access:decide", attempt_id)
        assert len(seen) <= 6
        assert ((await consortium.decide(attempt_id))["outcome"] == "permit") == (number <= 6)
