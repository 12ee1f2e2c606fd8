"""Datasets, grants and suspensions under key-level policies: altered chaincode of others changes nothing
(DESIGN.md §9).
"""

from __future__ import annotations

import pytest
from support.altered_contracts import CarelessGrants, Cheating
from support.consortium import Consortium
from support.ledger_examples import HOSPITALS, LAKESIDE, NORTHGATE, REGULATOR, RIVERSIDE, identifier

from consentry_contracts import contracts
from consentry_records import Grant, keys
from fabric_shim import custodian_policy


async def prepared(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.grant()
    await consortium.submit(consortium.person("regulator", REGULATOR), "grants:suspend", identifier("grant"))
    for msp_id in (*HOSPITALS, REGULATOR):
        consortium.ledger.replace_contracts(msp_id, [*contracts(), Cheating()])


OWNERS = {
    keys.grant(identifier("grant")): NORTHGATE,
    keys.version(identifier("version")): NORTHGATE,
    keys.suspension(identifier("grant")): REGULATOR,
}


@pytest.mark.parametrize("key", sorted(OWNERS))
async def test_the_policy_is_the_owner_and_half_of_the_others(consortium: Consortium, key: str) -> None:
    await prepared(consortium)
    owner = OWNERS[key]
    others = [msp_id for msp_id in (*HOSPITALS, REGULATOR) if msp_id != owner]
    assert consortium.ledger.key_policy(key) == custodian_policy(owner, others, 2)


@pytest.mark.parametrize("key", sorted(OWNERS))
async def test_neither_all_others_nor_the_owner_alone_can_change_it(consortium: Consortium, key: str) -> None:
    await prepared(consortium)
    owner, before = OWNERS[key], consortium.ledger.state(key)
    others = [msp_id for msp_id in (*HOSPITALS, REGULATOR) if msp_id != owner]
    for endorsers in (others, [owner], [owner, others[0]]):
        cheat = consortium.person("steward", endorsers[0])
        result = await consortium.ledger.submit(cheat, "cheating:rewrite", key, endorsers=endorsers)
        assert result.code == "ENDORSEMENT_POLICY_FAILURE"
        assert consortium.ledger.state(key) == before
    together = [owner, *others[:2]]
    cheat = consortium.person("steward", owner)
    result = await consortium.ledger.submit(cheat, "cheating:rewrite", key, endorsers=together)
    assert result.code == "VALID"


async def test_an_altered_check_of_another_organization_fails_at_validation(consortium: Consortium) -> None:
    await consortium.register_version()
    grant_id = await consortium.grant()
    others = [RIVERSIDE, LAKESIDE, REGULATOR]
    for msp_id in others:
        honest = [contract for contract in contracts() if contract.name != "grants"]
        consortium.ledger.replace_contracts(msp_id, [*honest, CarelessGrants()])
    thief = consortium.person("steward", RIVERSIDE)
    result = await consortium.ledger.submit(thief, "grants:revoke", grant_id, endorsers=others)
    assert result.code == "ENDORSEMENT_POLICY_FAILURE"
    assert consortium.record(Grant, keys.grant(grant_id)).grantee == RIVERSIDE


async def test_the_custodian_itself_changes_its_grant(consortium: Consortium) -> None:
    await consortium.register_version()
    grant_id = await consortium.grant()
    result = await consortium.submit(consortium.person("steward"), "grants:revoke", grant_id)
    assert NORTHGATE in result.endorsers
    assert len(result.endorsers) == 3
