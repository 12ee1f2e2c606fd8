"""A function runs where its custodian approved that digest, for that version, purpose and time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support import function_examples
from support import ledger_examples as examples
from support.consortium import Consortium, new_session
from support.ledger_examples import LAKESIDE, NORTHGATE, REGULATOR, RIVERSIDE, digest, identifier

from consentry_records import Delivery, Function, FunctionApproval, keys
from consentry_records.errors import LedgerError

UPDATE, METRICS = function_examples.computation()["outputs"]
FUNCTION = {"owner": RIVERSIDE, "code_digest": digest("function")}
KEY = keys.function_approval(NORTHGATE, RIVERSIDE, digest("function"))


@pytest.fixture
async def registered(consortium: Consortium) -> Consortium:
    await consortium.register_version()
    await consortium.grant()
    await consortium.submit(
        consortium.person("researcher", RIVERSIDE), "functions:register", function_examples.new_function()
    )
    return consortium


async def approve(consortium: Consortium, revision: int = 1, msp_id: str = NORTHGATE, **changes: Any) -> None:
    approval = function_examples.new_approval(revision, **changes)
    await consortium.submit(consortium.person("steward", msp_id), "functions:approve", approval)
    consortium.ledger.advance(timedelta(seconds=2))


async def attempt(consortium: Consortium, number: int = 1, **changes: Any) -> str:
    given = {"function_digest": digest("function"), "output": "aggregate", **changes}
    return await consortium.attempt(number, **given)


async def outcome(consortium: Consortium, number: int = 1, **changes: Any) -> list[str]:
    """Reasons of the denial; none where it is permitted."""
    decision = await consortium.decide(await attempt(consortium, number, **changes))
    assert (decision["outcome"] == "permit") == (decision["reasons"] == [])
    assert "function/1" in decision["rules"]
    return [reason["code"] for reason in decision["reasons"]]


async def holds(consortium: Consortium, attempt_id: str) -> list[str]:
    answer = await consortium.evaluate(consortium.person(""), "deliveries:may_go_on", attempt_id)
    return [reason["code"] for reason in answer["reasons"]]


async def test_an_approved_function_is_permitted(registered: Consortium) -> None:
    await approve(registered)
    assert await outcome(registered) == []
    decision = (await registered.evaluate(registered.person(""), "access:get", identifier("attempt", 1)))[
        "decision"
    ]
    assert decision["permit_not_after"] == registered.end_of_grant(identifier("grant", 1))
    found = await registered.evaluate(registered.person(""), "functions:get", FUNCTION)
    assert Function.from_dict(found["function"]).owner == RIVERSIDE
    assert [FunctionApproval.from_dict(one).custodian for one in found["approvals"]] == [NORTHGATE]


async def test_a_permit_ends_with_the_approval_where_that_is_first(registered: Consortium) -> None:
    ends = registered.instant(60)
    await approve(registered, not_after=ends)
    attempt_id = await attempt(registered)
    assert (await registered.decide(attempt_id))["permit_not_after"] == ends
    registered.ledger.advance(timedelta(seconds=60))
    assert await holds(registered, attempt_id) == ["FUNCTION_APPROVAL_ENDED"]
    assert await outcome(registered, 2) == ["FUNCTION_APPROVAL_ENDED"]


async def test_what_was_not_approved_is_denied(registered: Consortium) -> None:
    await registered.register_version(2)
    await registered.grant(2, versions=(identifier("version", 2),), purposes=("TREAT", "DUO:0000006"))
    assert await outcome(registered, 1) == ["FUNCTION_NOT_APPROVED"]
    await approve(registered, not_before=registered.instant(600))
    assert await outcome(registered, 2) == ["FUNCTION_NOT_YET_APPROVED"]
    await approve(registered, 2)
    assert await outcome(registered, 3, function_digest=digest("another")) == ["FUNCTION_NOT_APPROVED"]
    other = {"version_id": identifier("version", 2)}
    assert await outcome(registered, 4, **other) == ["FUNCTION_NOT_APPROVED"]
    await approve(registered, 3, versions=(identifier("version", 2),), purposes=("TREAT",))
    assert await outcome(registered, 5, **other) == ["FUNCTION_NOT_APPROVED"]
    assert await outcome(registered, 6, **other, purpose="TREAT") == []


async def test_the_grant_is_asked_for_too(registered: Consortium) -> None:
    await approve(registered)
    codes = await outcome(registered, purpose="TREAT")
    assert codes == ["FUNCTION_NOT_APPROVED", "PURPOSE_NOT_COVERED"]


async def test_an_approval_is_of_one_organizations_function(registered: Consortium) -> None:
    await approve(registered)
    lakeside = registered.person("researcher", LAKESIDE)
    attempt_id = await attempt(registered, caller=lakeside)
    decision = await registered.decide(attempt_id)
    assert [reason["code"] for reason in decision["reasons"]] == ["NO_GRANT"]


async def test_a_revoked_approval_stops_what_it_permitted(registered: Consortium) -> None:
    await approve(registered)
    attempt_id = await attempt(registered)
    await registered.decide(attempt_id)
    assert await holds(registered, attempt_id) == []
    await registered.submit(registered.person("dpo"), "functions:revoke", FUNCTION)
    assert await holds(registered, attempt_id) == ["FUNCTION_NOT_APPROVED"]
    assert await outcome(registered, 2) == ["FUNCTION_NOT_APPROVED"]
    again = registered.submit(registered.person("dpo"), "functions:revoke", FUNCTION)
    assert await registered.refusal(again) == "FUNCTION_APPROVAL_NOT_IN_FORCE"
    await approve(registered, 2)
    assert await outcome(registered, 3) == []


async def test_no_session_starts_under_an_approval_that_was_revoked(registered: Consortium) -> None:
    await approve(registered)
    attempt_id = await attempt(registered)
    await registered.decide(attempt_id)
    await registered.model()
    await registered.submit(registered.person("dpo"), "functions:revoke", FUNCTION)
    session = new_session(attempts=(attempt_id,))
    call = registered.submit(registered.person("researcher", RIVERSIDE), "training:start", session)
    assert await registered.refusal(call) == "PERMIT_OVERTAKEN"
    await approve(registered, 2)
    await registered.submit(registered.person("researcher", RIVERSIDE), "training:start", session)


async def test_a_change_of_an_approval_moves_the_epoch(registered: Consortium) -> None:
    before = registered.ledger.state(keys.epoch(NORTHGATE))
    await approve(registered)
    approved = registered.ledger.state(keys.epoch(NORTHGATE))
    await registered.submit(registered.person("dpo"), "functions:revoke", FUNCTION)
    assert len({before, approved, registered.ledger.state(keys.epoch(NORTHGATE))}) == 3


async def test_only_a_versions_custodian_approves_for_it(registered: Consortium) -> None:
    assert await registered.refusal(approve(registered, msp_id=LAKESIDE)) == "NOT_CUSTODIAN"
    unknown = {"versions": (identifier("version", 9),)}
    assert await registered.refusal(approve(registered, **unknown)) == "VERSION_NOT_FOUND"
    assert await registered.refusal(approve(registered, owner=LAKESIDE)) == "FUNCTION_NOT_FOUND"
    assert await registered.refusal(approve(registered, 2)) == "FUNCTION_APPROVAL_REVISION_DIFFERS"
    await approve(registered)
    assert await registered.refusal(approve(registered)) == "FUNCTION_APPROVAL_REVISION_DIFFERS"
    lacking = registered.evaluate(registered.person(""), "functions:get", {**FUNCTION, "owner": REGULATOR})
    assert await registered.refusal(lacking) == "FUNCTION_NOT_FOUND"
    kept = registered.record(FunctionApproval, KEY)
    assert (kept.changed_by, kept.state) == (registered.name("steward"), "approved")


async def test_outputs_of_a_digest_are_declared_once(registered: Consortium) -> None:
    other = function_examples.new_function(
        outputs=[{"name": "rows", "kind": "arrays", "maximum_bytes": 2**30}]
    )
    caller = registered.person("researcher", RIVERSIDE)
    assert await registered.refusal(registered.submit(caller, "functions:register", other)) == (
        "FUNCTION_EXISTS"
    )
    await registered.submit(registered.person("researcher", LAKESIDE), "functions:register", other)
    assert len(registered.record(Function, keys.function(RIVERSIDE, digest("function"))).outputs) == 2


@pytest.mark.parametrize(
    "changes", [{"output": "rows"}, {"output": "aggregate", "emergency": "LIFE_THREATENING"}]
)
def test_a_function_gives_no_rows_and_breaks_no_glass(changes: dict[str, Any]) -> None:
    with pytest.raises(LedgerError) as caught:
        examples.new_attempt(function_digest=digest("function"), **changes)
    assert caught.value.code == "FUNCTION_USE_INVALID"


def test_no_output_is_declared_twice() -> None:
    output = {"name": "update", "kind": "arrays", "maximum_bytes": 1}
    with pytest.raises(LedgerError) as caught:
        function_examples.new_function(outputs=[output, output])
    assert caught.value.code == "ID_DOUBLED"


async def delivered(consortium: Consortium, computation: Any, end: str = "completed") -> None:
    times = {"started_at": consortium.instant(), "ended_at": consortium.instant()}
    new = examples.new_delivery(computation=computation, end=end, **times)
    await consortium.submit(consortium.person("service"), "deliveries:record", new)


async def test_a_run_is_on_record_with_the_digests_of_what_left(registered: Consortium) -> None:
    await approve(registered)
    attempt_id = await attempt(registered)
    await registered.decide(attempt_id)
    await delivered(registered, function_examples.computation())
    kept = registered.record(Delivery, keys.delivery(attempt_id, 1))
    assert [output.name for output in kept.computation.outputs] == ["update", "metrics"]


@pytest.mark.parametrize(
    "outputs",
    [
        [UPDATE],
        [UPDATE, METRICS, {**UPDATE, "name": "rows"}],
        [UPDATE, UPDATE],
        [{**UPDATE, "kind": "metrics"}, METRICS],
        [{**UPDATE, "byte_count": 4097}, METRICS],
    ],
)
async def test_other_outputs_than_declared_are_no_record(registered: Consortium, outputs: Any) -> None:
    await approve(registered)
    await registered.decide(await attempt(registered))
    call = delivered(registered, function_examples.computation(outputs=outputs))
    assert await registered.refusal(call) == "COMPUTATION_DIFFERS"


async def test_a_run_belongs_to_an_attempt_with_a_function(registered: Consortium) -> None:
    await approve(registered)
    await registered.decide(await registered.attempt(1))
    assert (
        await registered.refusal(delivered(registered, function_examples.computation()))
        == "COMPUTATION_DIFFERS"
    )
    await delivered(registered, None)
    ran = await attempt(registered, 2)
    await registered.decide(ran)
    times = {"started_at": registered.instant(), "ended_at": registered.instant()}
    rows = examples.new_delivery(attempt_id=ran, **times)
    call = registered.submit(registered.person("service"), "deliveries:record", rows)
    assert await registered.refusal(call) == "COMPUTATION_DIFFERS"


@pytest.mark.parametrize(
    ("end", "computation"),
    [
        ("function-failed", None),
        ("outputs-refused", function_examples.computation()),
        ("completed", function_examples.computation(outputs=[])),
    ],
)
def test_outputs_leave_only_where_a_run_was_completed(end: str, computation: Any) -> None:
    with pytest.raises(LedgerError) as caught:
        examples.new_delivery(end=end, computation=computation)
    assert caught.value.code == "DELIVERY_INVALID"
