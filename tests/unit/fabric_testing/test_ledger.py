import json
from datetime import timedelta

import pytest

from fabric_protocol.errors import ProtocolError
from fabric_protocol.topology import CollectionDefinition
from fabric_shim import Context, Contract, ContractError, custodian_policy, evaluation, transaction
from fabric_testing import CommitError, EndorsementError, Ledger, LedgerUsageError

MSPS = ["AMSP", "BMSP", "CMSP"]
SECRETS = CollectionDefinition(name="secrets", members="OR('AMSP.member')", endorsement="OR('AMSP.peer')")


class Notes(Contract):
    name = "notes"

    @transaction
    async def write(self, ctx: Context, key: str, value: str) -> str:
        await ctx.stub.put_state(key, value.encode())
        ctx.stub.set_event("Written.v1", key.encode())
        return key

    @transaction
    async def guard(self, ctx: Context, key: str, value: str) -> None:
        await ctx.stub.put_state(key, value.encode())
        await ctx.stub.set_key_policy(key, custodian_policy("AMSP", ["BMSP", "CMSP"], 1))

    @transaction
    async def unguard(self, ctx: Context, key: str) -> None:
        await ctx.stub.set_key_policy(key, b"")

    @transaction
    async def remove(self, ctx: Context, key: str) -> None:
        await ctx.stub.delete_state(key)

    @transaction
    async def increment(self, ctx: Context, key: str) -> int:
        number = int(await ctx.stub.get_state(key) or b"0") + 1
        await ctx.stub.put_state(key, str(number).encode())
        return number

    @transaction
    async def sum_range(self, ctx: Context, start: str, end: str) -> int:
        total = 0
        async for _, value in ctx.stub.get_range(start, end):
            total += len(value)
        await ctx.stub.put_state("sum", str(total).encode())
        return total

    @transaction
    async def hide(self, ctx: Context, key: str) -> None:
        await ctx.stub.put_private("secrets", key, ctx.stub.transient["value"])

    @transaction
    async def purge(self, ctx: Context, key: str) -> None:
        await ctx.stub.purge_private("secrets", key)

    @evaluation
    async def reveal(self, ctx: Context, key: str) -> bytes:
        return await ctx.stub.get_private("secrets", key) or b""

    @evaluation
    async def hash_of(self, ctx: Context, key: str) -> str:
        return (await ctx.stub.get_private_hash("secrets", key) or b"").hex()

    @evaluation
    async def list_private(self, ctx: Context) -> list[str]:
        return [key async for key, _ in ctx.stub.get_private_range("secrets", "", "")]

    @evaluation
    async def who(self, ctx: Context) -> dict[str, str]:
        caller = ctx.caller
        return {
            "msp": caller.msp_id,
            "name": caller.common_name,
            "role": caller.attribute("role") or "",
            "time": ctx.proposal_time.isoformat(),
        }

    @evaluation
    async def read(self, ctx: Context, key: str) -> str:
        value = await ctx.stub.get_state(key)
        if value is None:
            raise ContractError("NOTE_NOT_FOUND", "there is no such note", {"key": key}, status=404)
        return value.decode()

    @evaluation
    async def writes(self, ctx: Context) -> None:
        await ctx.stub.put_state("k", b"v")

    @evaluation
    async def changes(self, ctx: Context, key: str) -> list[str | None]:
        return [
            change.value.decode() if change.value is not None else None
            async for change in ctx.stub.history(key)
        ]

    @evaluation
    async def page(self, ctx: Context, size: int, bookmark: str) -> dict[str, object]:
        found = await ctx.stub.get_range_page("", "", size, bookmark)
        return {"keys": [key for key, _ in found.entries], "bookmark": found.bookmark}

    @evaluation
    async def rich(self, ctx: Context) -> list[str]:
        return [key async for key, _ in ctx.stub.query("{}")]

    @evaluation
    async def policy(self, ctx: Context, key: str) -> bytes:
        return await ctx.stub.get_key_policy(key) or b""

    @transaction
    async def read_write_many(self, ctx: Context, keys: list[str]) -> int:
        values = await ctx.stub.get_states(keys)
        for key in keys:
            await ctx.stub.put_state(key, b"many")
        return sum(value is not None for value in values)

    @transaction
    async def relay(self, ctx: Context, key: str, value: str) -> int:
        response = await ctx.stub.invoke_chaincode("other", [b"notes:write", key.encode(), value.encode()])
        return response.status

    @transaction
    async def random(self, ctx: Context) -> str:
        _calls.append(1)
        return str(len(_calls))


class Altered(Notes):
    @transaction
    async def write(self, ctx: Context, key: str, value: str) -> str:
        await ctx.stub.put_state(key, b"altered")
        return key


_calls: list[int] = []


@pytest.fixture
def ledger():
    return Ledger(contracts=[Notes()], organizations=MSPS, collections=[SECRETS])


@pytest.fixture
def alice(ledger):
    return ledger.caller("AMSP", attributes={"role": "author"}, common_name="alice")


async def test_submit_commits_what_the_contract_wrote(ledger, alice):
    result = await ledger.submit(alice, "notes:write", "first", "hello")
    assert (result.code, result.block_number, result.payload) == ("VALID", 1, b"first")
    assert (result.event.name, result.event.payload) == ("Written.v1", b"first")
    assert result.endorsers == ("AMSP", "BMSP")
    assert ledger.state("first") == b"hello"
    assert ledger.states() == {"first": b"hello"}
    assert len(ledger.blocks) == 2
    assert result.require_valid() is result


async def test_evaluate_commits_nothing_and_sees_the_caller(ledger, alice):
    result = await ledger.evaluate(alice, "notes:who")
    assert json.loads(result.payload) == {
        "msp": "AMSP", "name": "alice", "role": "author", "time": "2026-01-01T12:00:00+00:00",
    }  # fmt: skip
    assert (result.code, result.block_number, len(ledger.blocks)) == ("NOT_SUBMITTED", None, 1)


async def test_a_refusal_comes_back_as_the_contract_raised_it(ledger, alice):
    with pytest.raises(ContractError) as caught:
        await ledger.submit(alice, "notes:read", "none")
    error = caught.value
    assert (error.code, error.fields, error.status) == ("NOTE_NOT_FOUND", {"key": "none"}, 404)
    assert error.message == "there is no such note"


async def test_two_increments_in_one_block_conflict(ledger, alice):
    first = await ledger.endorse(alice, "notes:increment", "n")
    second = await ledger.endorse(alice, "notes:increment", "n")
    results = ledger.commit([first, second])
    assert [result.code for result in results] == ["VALID", "MVCC_READ_CONFLICT"]
    assert ledger.state("n") == b"1"
    with pytest.raises(CommitError, match="MVCC_READ_CONFLICT"):
        results[1].require_valid()


async def test_a_key_that_appears_in_a_range_is_a_phantom(ledger, alice):
    counting = await ledger.endorse(alice, "notes:sum_range", "a", "z")
    await ledger.submit(alice, "notes:write", "m", "new")
    assert ledger.commit([counting])[0].code == "PHANTOM_READ_CONFLICT"


async def test_a_transaction_cannot_be_committed_twice(ledger, alice):
    endorsed = await ledger.endorse(alice, "notes:write", "k", "v")
    assert ledger.commit([endorsed])[0].code == "VALID"
    assert ledger.commit([endorsed])[0].code == "DUPLICATE_TXID"


async def test_too_few_endorsers_are_found_at_validation(ledger, alice):
    result = await ledger.submit(alice, "notes:write", "k", "v", endorsers=["AMSP"])
    assert result.code == "ENDORSEMENT_POLICY_FAILURE"
    assert ledger.state("k") is None


async def test_a_key_policy_replaces_the_chaincodes(ledger, alice):
    await ledger.submit(alice, "notes:guard", "k", "v")
    expected = custodian_policy("AMSP", ["BMSP", "CMSP"], 1)
    assert ledger.key_policy("k") == expected
    assert (await ledger.evaluate(alice, "notes:policy", "k")).payload == expected
    bob = ledger.caller("BMSP")
    refused = await ledger.submit(bob, "notes:write", "k", "theirs", endorsers=["BMSP", "CMSP"])
    assert refused.code == "ENDORSEMENT_POLICY_FAILURE"
    planned = await ledger.submit(bob, "notes:write", "k", "ours")
    assert (planned.code, sorted(planned.endorsers)) == ("VALID", ["AMSP", "BMSP"])


async def test_a_removed_key_policy_gives_way_to_the_chaincodes(ledger, alice):
    await ledger.submit(alice, "notes:guard", "k", "v")
    assert (await ledger.submit(alice, "notes:unguard", "k")).code == "VALID"
    assert (await ledger.evaluate(alice, "notes:policy", "k")).payload == b""
    bob = ledger.caller("BMSP")
    changed = await ledger.submit(bob, "notes:write", "k", "theirs", endorsers=["BMSP", "CMSP"])
    assert changed.code == "VALID"
    assert (await ledger.submit(bob, "notes:write", "k", "planned")).code == "VALID"


async def test_an_altered_chaincode_makes_other_results(ledger, alice):
    ledger.replace_contracts("BMSP", [Altered()])
    with pytest.raises(EndorsementError, match="ENDORSEMENTS_DIFFER"):
        await ledger.submit(alice, "notes:write", "k", "v", endorsers=["AMSP", "BMSP"])


async def test_a_contract_that_is_not_deterministic_is_found(ledger, alice):
    with pytest.raises(EndorsementError, match="ENDORSEMENTS_DIFFER"):
        await ledger.submit(alice, "notes:random")


async def test_private_data_stays_with_members(ledger, alice):
    result = await ledger.submit(alice, "notes:hide", "k", transient={"value": b"hidden value"})
    assert (result.code, result.endorsers) == ("VALID", ("AMSP",))
    assert ledger.private("AMSP", "secrets", "k") == b"hidden value"
    assert ledger.private("BMSP", "secrets", "k") is None
    assert ledger.private_keys("AMSP", "secrets") == ["k"]
    assert ledger.private_hash("secrets", "k").hex() == (
        (await ledger.evaluate(ledger.caller("BMSP"), "notes:hash_of", "k")).payload.decode()
    )
    assert (await ledger.evaluate(alice, "notes:reveal", "k")).payload == b"hidden value"
    assert json.loads((await ledger.evaluate(alice, "notes:list_private")).payload) == ["k"]
    assert all(b"hidden value" not in block.SerializeToString() for block in ledger.blocks)


async def test_a_purge_removes_private_data(ledger, alice):
    await ledger.submit(alice, "notes:hide", "k", transient={"value": b"hidden value"})
    assert (await ledger.submit(alice, "notes:purge", "k")).code == "VALID"
    assert ledger.private("AMSP", "secrets", "k") is None
    assert ledger.private_hash("secrets", "k") is None


@pytest.mark.parametrize("peer", ["AMSP", "BMSP"])
async def test_a_non_member_cannot_read_private_data_on_any_peer(ledger, alice, peer):
    await ledger.submit(alice, "notes:hide", "k", transient={"value": b"hidden value"})
    with pytest.raises(ContractError) as caught:
        await ledger.evaluate(ledger.caller("BMSP"), "notes:reveal", "k", peer=peer)
    assert caught.value.code == "PEER_REFUSED"
    assert caught.value.fields == {"operation": "GET_STATE", "collection": "secrets"}


async def test_a_non_member_cannot_write_private_data(ledger):
    with pytest.raises(ContractError, match="PEER_REFUSED"):
        await ledger.submit(
            ledger.caller("BMSP"), "notes:hide", "k", transient={"value": b"v"}, endorsers=["AMSP"]
        )


async def test_reading_anothers_private_data_on_a_peer_without_it_is_refused(ledger, alice):
    await ledger.submit(alice, "notes:hide", "k", transient={"value": b"hidden value"})
    with pytest.raises(ContractError, match="PEER_REFUSED"):
        await ledger.evaluate(alice, "notes:reveal", "k", peer="CMSP")


async def test_history_is_newest_first_and_holds_deletions(ledger, alice):
    await ledger.submit(alice, "notes:write", "k", "one")
    await ledger.submit(alice, "notes:write", "k", "two")
    await ledger.submit(alice, "notes:remove", "k")
    assert json.loads((await ledger.evaluate(alice, "notes:changes", "k")).payload) == [None, "two", "one"]


async def test_pages_carry_a_bookmark(ledger, alice):
    for key in ("a", "b", "c"):
        await ledger.submit(alice, "notes:write", key, "v")
    first = json.loads((await ledger.evaluate(alice, "notes:page", 2, "")).payload)
    assert first == {"keys": ["a", "b"], "bookmark": "c"}
    second = json.loads((await ledger.evaluate(alice, "notes:page", 2, "c")).payload)
    assert second == {"keys": ["c"], "bookmark": ""}


async def test_ranges_longer_than_a_page_are_read_whole(ledger, alice):
    keys = [f"k{number:03}" for number in range(250)]
    assert (await ledger.submit(alice, "notes:read_write_many", keys)).payload == b"0"
    assert (await ledger.submit(alice, "notes:sum_range", "k", "l")).payload == b"1000"
    assert (await ledger.submit(alice, "notes:read_write_many", keys)).payload == b"250"


async def test_rich_queries_are_refused_as_on_a_key_value_database(ledger, alice):
    with pytest.raises(ContractError) as caught:
        await ledger.evaluate(alice, "notes:rich")
    assert caught.value.fields["operation"] == "GET_QUERY_RESULT"


async def test_an_evaluation_cannot_write(ledger, alice):
    with pytest.raises(ContractError, match="EVALUATION_WRITES"):
        await ledger.evaluate(alice, "notes:writes")


async def test_one_chaincode_calls_another_in_the_same_transaction(ledger, alice):
    ledger.deploy("other", [Notes()])
    result = await ledger.submit(alice, "notes:relay", "k", "v")
    assert (result.code, result.payload, result.event) == ("VALID", b"200", None)
    assert ledger.state("k", chaincode="other") == b"v"
    assert ledger.state("k") is None


async def test_calling_a_chaincode_that_is_not_there_is_refused(ledger, alice):
    with pytest.raises(ContractError) as caught:
        await ledger.submit(alice, "notes:relay", "k", "v")
    assert caught.value.fields["operation"] == "INVOKE_CHAINCODE"


@pytest.mark.parametrize("seconds", [-61, 61])
async def test_proposals_far_from_the_peers_clocks_are_refused(ledger, alice, seconds):
    time = ledger.time + timedelta(seconds=seconds)
    with pytest.raises(ContractError, match="PROPOSAL_TIME_REFUSED"):
        await ledger.submit(alice, "notes:write", "k", "v", time=time)
    assert ledger.state("k") is None


async def test_the_clocks_move_when_they_are_told_to(ledger, alice):
    ledger.advance(timedelta(days=1))
    found = json.loads((await ledger.evaluate(alice, "notes:who")).payload)
    assert found["time"] == "2026-01-02T12:00:00+00:00"


async def test_unknown_organizations_are_refused(ledger, alice):
    with pytest.raises(LedgerUsageError, match="XMSP"):
        ledger.caller("XMSP")
    with pytest.raises(LedgerUsageError, match="XMSP"):
        await ledger.submit(alice, "notes:write", "k", "v", endorsers=["XMSP"])
    with pytest.raises(LedgerUsageError, match="XMSP"):
        await ledger.evaluate(alice, "notes:who", peer="XMSP")
    with pytest.raises(LedgerUsageError):
        await ledger.submit(alice, "notes:write", "k", "v", endorsers="AMSP")
    with pytest.raises(LedgerUsageError):
        Ledger(contracts=[Notes()], organizations="AMSP")


async def test_unknown_chaincodes_and_bad_arguments_are_refused(ledger, alice):
    with pytest.raises(EndorsementError, match="not found"):
        await ledger.submit(alice, "notes:write", "k", "v", chaincode="none")
    with pytest.raises(ContractError, match="FUNCTION_NOT_FOUND"):
        await ledger.submit(alice, "notes:_mark")
    with pytest.raises(TypeError):
        await ledger.submit(alice, "notes:write", "k", 1.5)


async def test_a_policy_that_nobody_can_satisfy_finds_no_endorsers():
    ledger = Ledger(contracts=[Notes()], organizations=["AMSP"], policy="AND('AMSP.peer','XMSP.peer')")
    with pytest.raises(EndorsementError, match="ENDORSERS_MISSING"):
        await ledger.submit(ledger.caller("AMSP"), "notes:write", "k", "v")


def test_a_policy_that_cannot_be_read_is_refused():
    with pytest.raises(ProtocolError):
        Ledger(contracts=[Notes()], organizations=["AMSP"], policy="MAJORITY")
