"""What was recorded once is not recorded twice: every transaction of a story is submitted a second time; and
each sets its event.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from support import function_examples
from support import ledger_examples as examples
from support.consortium import (
    Consortium,
    change,
    change_batch,
    consent_batch,
    consent_ids,
    new_session,
    private_entries,
)
from support.ledger_examples import NORTHGATE, REGULATOR, RIVERSIDE, identifier

from consentry_contracts import contracts
from consentry_records import (
    DecisionBatch,
    FinishedSession,
    NewTrainingRound,
    NewTrainingRounds,
    NewTrainingStatement,
    Participant,
    Settings,
    SignedTrainingStatement,
    keys,
)
from consentry_records.error_catalogue import CATALOGUE
from consentry_records.events import EVENTS, SETTINGS_CHANGED, read_event
from consentry_records.idempotency import RECORDED_BEFORE, THE_SAME_AGAIN
from consentry_records.permissions import PERMISSIONS
from consentry_records.review import encode_rationale
from consentry_records.rights_request import STORES
from consentry_records.rows import rows_root_of_digests
from fabric_protocol.signatures import sign
from fabric_testing import Signatory, TestResult

NO_WORDS = re.compile(r"[A-Za-z0-9:-]{1,80}")
PEOPLE = ["first", "second"]
REQUEST = identifier("rightsrequest")


class Twice(Consortium):
    """Submits everything twice, and notes what answered as the tables say."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()
        self.events: dict[str, str] = {}

    async def submit(self, caller: Signatory, function: str, *arguments: Any, **options: Any) -> TestResult:
        """The first result; the second one is what the tables say."""
        first = await super().submit(caller, function, *arguments, **options)
        assert first.event is not None, function
        self.events[first.event.name] = function
        # Exactly the event's fields, and nothing in them but ids, codes, digests and numbers.
        for value in read_event(first.event.name, first.event.payload).values():
            assert type(value) is int or NO_WORDS.fullmatch(value), function
        again = super().submit(caller, function, *arguments, **options)
        if function in RECORDED_BEFORE:
            assert await self.refusal(again) == RECORDED_BEFORE[function][1], function
        else:
            assert function in THE_SAME_AGAIN
            await again
        self.asked.add(function)
        return first


def transactions() -> set[str]:
    """Names of all functions that are submitted."""
    return {
        f"{contract.name}:{name}"
        for contract in contracts()
        for name in dir(contract)
        if getattr(getattr(contract, name), "__fabric_kind__", "") == "transaction"
    }


def test_every_transaction_is_in_one_of_the_tables() -> None:
    assert not set(RECORDED_BEFORE) & set(THE_SAME_AGAIN)
    assert set(RECORDED_BEFORE) | set(THE_SAME_AGAIN) == transactions() <= set(PERMISSIONS)
    assert {code for _, code in RECORDED_BEFORE.values()} <= set(CATALOGUE)


async def test_nothing_is_recorded_twice() -> None:
    consortium = await Twice.initialized()
    assert isinstance(consortium, Twice)
    await consents_and_rights(consortium)
    await datasets(consortium)
    await functions(consortium)
    await access(consortium)
    await training_and_models(consortium)
    await registers(consortium)
    assert consortium.asked == transactions()
    assert set(consortium.events) == set(EVENTS) - {SETTINGS_CHANGED}
    assert len(set(consortium.events.values())) == len(consortium.events), "one event each"


async def consents_and_rights(consortium: Twice) -> None:
    stored = await consortium.store_private(PEOPLE)
    steward, dpo = consortium.person("steward"), consortium.person("dpo")
    await consortium.submit(steward, "consents:import_batch", consent_batch(PEOPLE, stored))
    first, second = consent_ids(PEOPLE)
    await consortium.submit(dpo, "consents:withdraw", first)
    await consortium.submit(dpo, "consents:change", change_batch([change(second)]))
    opt_out = {"subject": examples.commitment("second"), "opted_out": True, "claimed_at": None}
    opt_outs = {"batch_id": identifier("batch", 3), "custodian": NORTHGATE, "entries": [opt_out]}
    await consortium.submit(dpo, "subjects:opt_out", opt_outs)
    received = {
        "rights_request_id": REQUEST,
        "right": "erasure",
        "subject": examples.commitment("first"),
        "received_at": examples.START,
        "purposes": [],
        "evidence_digest": None,
    }
    await consortium.submit(dpo, "rights:receive", received)
    numbered = {"rights_request_id": REQUEST}
    await consortium.submit(
        dpo, "rights:advance", {**numbered, "revision": 1, "step": "accepted", "ground": None}
    )
    (entry, _) = private_entries(PEOPLE)
    await consortium.submit(dpo, "rights:purge", {**numbered, "entries": [entry]})
    stores = [{"store": store, "method": "searched"} for store in STORES]
    await consortium.submit(dpo, "rights:fulfil", {**numbered, "revision": 2, "purged": 1, "stores": stores})
    told = {"recipient": RIVERSIDE, "notified_at": examples.START}
    await consortium.submit(dpo, "rights:notify", {**numbered, "revision": 3, "notices": [told]})


async def datasets(consortium: Twice) -> None:
    steward = consortium.person("steward")
    await consortium.register_version()
    await consortium.submit(steward, "datasets:register", examples.new_version(2))
    removed = {
        "supersedes": identifier("version", 2),
        "removed_count": 1,
        "removed_root": rows_root_of_digests([examples.digest()]),
        "derived_from": (identifier("version", 2),),
        "transformation": examples.transformation(),
        "dataset_id": identifier("dataset", 2),
        "name": "dataset-2",
        "number": 2,
        "row_count": 189,
    }
    update = {"version": examples.new_version(3, **removed).to_dict(), "removed": [examples.digest()]}
    await consortium.submit(steward, "datasets:update", update)
    retirement = {"version_id": identifier("version", 2), "reason": "superseded"}
    await consortium.submit(steward, "datasets:retire", retirement)


async def functions(consortium: Twice) -> None:
    function = {"owner": RIVERSIDE, "code_digest": examples.digest("function")}
    researcher, dpo = consortium.person("researcher", RIVERSIDE), consortium.person("dpo")
    await consortium.submit(researcher, "functions:register", function_examples.new_function())
    await consortium.submit(dpo, "functions:approve", function_examples.new_approval())
    await consortium.submit(dpo, "functions:revoke", function)


async def access(consortium: Twice) -> None:
    dpo, officer = consortium.person("dpo"), consortium.person("regulator", REGULATOR)
    await consortium.submit(dpo, "reviews:set_policy", {"approvals": 0, "required_roles": []})
    grant_id = await consortium.grant()
    delivered_under = await consortium.permitted_attempt()
    moment = {"started_at": consortium.instant(), "ended_at": consortium.instant()}
    delivery = examples.new_delivery(attempt_id=delivered_under, **moment)
    await consortium.submit(consortium.person("service"), "deliveries:record", delivery)
    rationale = {"rationale": encode_rationale(bytes(32), "the cohort is small")}
    await consortium.submit(dpo, "reviews:store_rationale", identifier("request"), transient=rationale)
    await consortium.submit(dpo, "reviews:record", examples.new_review())
    await consortium.submit(officer, "grants:suspend", grant_id)
    await consortium.submit(officer, "grants:lift_suspension", grant_id)
    later = {"grant_id": grant_id, "not_after": consortium.instant(7200)}
    await consortium.submit(dpo, "grants:renew", later)
    await consortium.submit(dpo, "grants:change", later)
    await training(consortium)
    narrower = examples.narrowed(not_after=consortium.instant(3600))
    await consortium.submit(dpo, "grants:narrow", narrower)
    await consortium.submit(dpo, "grants:revoke", grant_id)
    clinician = consortium.person("clinician", RIVERSIDE)
    emergency = {"purpose": "TREAT", "emergency": "LIFE_THREATENING"}
    attempt_id = await consortium.attempt(9, clinician, **emergency)
    await consortium.decide(attempt_id)
    another = DecisionBatch(attempts=(await consortium.attempt(10),))
    await consortium.submit(consortium.person("service"), "access:decide_batch", another)
    review = {
        "attempt_id": attempt_id,
        "state": "justified",
        "findings": ["EMERGENCY_CONFIRMED"],
        "rationale_digest": None,
    }
    await consortium.submit(dpo, "emergencies:review", review)


async def training(consortium: Twice) -> None:
    researcher = consortium.person("researcher", RIVERSIDE)
    await consortium.model()
    await consortium.submit(researcher, "training:start", new_session())
    participant = Participant(
        msp=NORTHGATE, version_id=identifier("version"), update_digest=examples.digest(), rows=190
    )
    made = NewTrainingRound(
        session_id=identifier("session"),
        number=1,
        participants=(participant,),
        aggregate_digest=examples.digest("aggregate"),
        metrics={},
    )
    await consortium.submit(researcher, "training:record_round", made)
    third = NewTrainingRound.from_dict(made.to_dict() | {"number": 3})
    stated = NewTrainingStatement(
        session_id=identifier("session"),
        sequence=1,
        claimed_time=consortium.instant(),
        round=NewTrainingRound.from_dict(made.to_dict() | {"number": 2}),
        end=None,
    )
    signature = sign(researcher.private_key, stated.signed_bytes()).hex()
    signed = SignedTrainingStatement(statement=stated, signature=signature)
    await consortium.submit(researcher, "training:record_statement", signed)
    await consortium.submit(researcher, "training:record_rounds", NewTrainingRounds(rounds=(third,)))
    finished = FinishedSession(session_id=identifier("session"), state="completed")
    await consortium.submit(researcher, "training:finish", finished)


async def training_and_models(consortium: Twice) -> None:
    version = {
        "model_version_id": identifier("modelversion"),
        "model_id": identifier("model"),
        "weights_digest": examples.digest(),
        "architecture_digest": examples.digest(),
        "parent": None,
        "sessions": [identifier("session")],
        "metrics": {},
        "test_set_digest": None,
        "signature": None,
    }
    await consortium.submit(consortium.person("researcher", RIVERSIDE), "models:register_version", version)
    step = {
        "model_version_id": identifier("modelversion"),
        "stage": "validation",
        "reasons": ["VALIDATED"],
        "evidence_digest": None,
    }
    await consortium.submit(consortium.person("dpo", RIVERSIDE), "models:change_stage", step)


async def registers(consortium: Twice) -> None:
    other = replace(consortium.record(Settings, keys.SETTINGS), time_tolerance_ms=1).succeeding()
    await consortium.submit(consortium.person("dpo"), "ledger:vote", other)
    dpo = consortium.person("dpo")
    epoch = {
        "number": 1,
        "first_block": 0,
        "last_block": 1,
        "header_hash": "0" * 64,
        "chain_count": 0,
        "limits": True,
        "root": examples.digest("root"),
    }
    await consortium.submit(consortium.person("service"), "epochs:close", epoch)
    breach = {
        "breach_id": identifier("breach"),
        "aware_at": examples.START,
        "natures": ["integrity"],
        "categories": ["imaging"],
        "subject_count": 1,
        "record_count": 1,
        "versions": [],
        "facts_digest": None,
    }
    await consortium.submit(dpo, "breaches:record", breach)
    step = {
        "breach_id": identifier("breach"),
        "revision": 1,
        "step": "assessed",
        "happened_at": examples.START,
        "document_digest": None,
    }
    await consortium.submit(dpo, "breaches:advance", step)
    look = {
        "trail_read_id": identifier("trailread"),
        "question": "dataset",
        "concerned": [],
        "row_count": 0,
        "last_block": 0,
        "report": None,
        "report_digest": None,
        "claimed_at": None,
        "shown_to": None,
        "sign_in_digest": None,
    }
    await consortium.submit(dpo, "trail:record_read", look)
