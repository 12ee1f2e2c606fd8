"""The in-memory ledger answers a chaincode as real peers did in the recorded conversations."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from support.conversations import CONVERSATIONS, Spoken, answers, read_conversation, said, transactions
from support.protocol_chaincode import CONTRACTS
from support.protocol_story import OTHERS, OWN, STORY, Call

from fabric_protocol.topology import CollectionDefinition
from fabric_shim import ContractError
from fabric_testing import EndorsementError, Ledger, Recorder, Signatory, recording

MSP_IDS = ["AlphaMSP", "BetaMSP"]
RECORDED = transactions(read_conversation(CONVERSATIONS / "fabric-3.1.5-own-peer.jsonl"))
COLLECTIONS = [
    CollectionDefinition(name, f"OR('{msp_id}.member')", endorsement=f"OR('{msp_id}.peer')")
    for name, msp_id in zip((OWN, OTHERS), MSP_IDS, strict=True)
]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


async def test_every_question_of_the_story_has_the_answer_that_real_peers_gave() -> None:
    ledger = Ledger(
        [contract() for contract in CONTRACTS],
        MSP_IDS,
        collections=COLLECTIONS,
        chaincode="protocol",
        channel="testing",
    )
    alice = ledger.caller("AlphaMSP", attributes={"role": "auditor"})
    for call, recorded in zip(STORY, RECORDED.values(), strict=True):
        spoken = await _spoken(ledger, alice, call)
        # There are no system chaincodes and no other channels here, and callers differ.
        if call.function not in ("reading:ask", "reading:proposal"):
            assert [*said(spoken)] == [*said(recorded)], call
            assert [*answers(spoken)] == [*answers(recorded)], call


async def _spoken(ledger: Ledger, caller: Signatory, call: Call) -> list[Spoken]:
    with recording() as recorder:
        try:
            if call.function.startswith("writing:"):
                endorsers = call.endorsers or None
                await ledger.submit(
                    caller, call.function, *call.arguments, transient=call.transient, endorsers=endorsers
                )
            else:
                await ledger.evaluate(caller, call.function, *call.arguments, transient=call.transient)
        except (ContractError, EndorsementError):
            assert call.refused, call
    return _first(recorder)


def _first(recorder: Recorder) -> list[Spoken]:
    # The caller's own peer comes first.
    found = [
        Spoken(entry.by_chaincode, 0, entry.message.SerializeToString(deterministic=True))
        for entry in recorder.transactions[0].messages
    ]
    return [spoken for spoken in found if spoken.message.txid]
