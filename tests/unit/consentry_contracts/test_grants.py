"""Requests, grants, their change, revocation and suspension."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import LAKESIDE, NORTHGATE, REGULATOR, RIVERSIDE, identifier

from consentry_records import AccessRequest, Grant, Suspension, keys
from consentry_records.instants import shift

GRANT_KEY = keys.grant(identifier("grant"))


async def test_a_request_is_recorded_with_who_asked(consortium: Consortium) -> None:
    await consortium.register_version()
    researcher = consortium.person("researcher", RIVERSIDE)
    await consortium.submit(researcher, "grants:request", examples.new_request())
    request = consortium.record(AccessRequest, keys.request(identifier("request")))
    assert (request.requester_msp, request.requester) == (RIVERSIDE, researcher.identity.common_name)
    again = consortium.submit(researcher, "grants:request", examples.new_request())
    assert await consortium.refusal(again) == "REQUEST_EXISTS"
    unknown = examples.new_request(2, versions=(identifier("version", 9),))
    assert (
        await consortium.refusal(consortium.submit(researcher, "grants:request", unknown))
        == "VERSION_NOT_FOUND"
    )


async def test_a_grant_is_for_the_requesters_organization_and_can_be_found(consortium: Consortium) -> None:
    await consortium.register_version()
    grant_id = await consortium.grant()
    grant = consortium.record(Grant, GRANT_KEY)
    assert (grant.custodian, grant.grantee, grant.state, grant.revision) == (
        NORTHGATE,
        RIVERSIDE,
        "active",
        1,
    )
    index_key = keys.grant_index(identifier("version"), RIVERSIDE, grant_id)
    assert consortium.ledger.state(index_key) == grant_id.encode()
    assert await consortium.evaluate(consortium.person(""), "grants:get", grant_id) == grant.to_dict()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"grant_id": identifier("grant", 7)}, "GRANT_EXISTS"),
        ({"request_id": identifier("request", 9)}, "REQUEST_NOT_FOUND"),
        ({"versions": (identifier("version", 2),)}, "GRANT_VERSION_NOT_REQUESTED"),
        ({"purposes": ("DUO:0000042",)}, "GRANT_PURPOSE_NOT_REQUESTED"),
        ({"restrictions": ("DUO:0000021",)}, "GRANT_ETHICS_APPROVAL_MISSING"),
        ({"not_after": "2026-05-10T12:00:00.000Z"}, "GRANT_TOO_LONG"),
        ({"not_before": "2026-03-10T11:59:50.000Z"}, "GRANT_STARTS_TOO_EARLY"),
        (
            {"not_before": "2026-03-10T11:59:59.500Z", "not_after": "2026-03-10T12:00:00.000Z"},
            "GRANT_ENDS_TOO_EARLY",
        ),
    ],
)
async def test_grants_that_are_refused(consortium: Consortium, changes: dict[str, Any], code: str) -> None:
    await consortium.register_version()
    await consortium.register_version(2)
    await consortium.grant(7)
    consortium.ledger.time -= timedelta(seconds=2)
    await consortium.submit(
        consortium.person("researcher", RIVERSIDE), "grants:request", examples.new_request()
    )
    fields = {"not_before": consortium.instant(), "not_after": consortium.instant(60), **changes}
    call = consortium.submit(consortium.person("steward"), "grants:grant", examples.new_grant(1, **fields))
    assert await consortium.refusal(call) == code


async def test_only_the_custodian_grants(consortium: Consortium) -> None:
    await consortium.register_version()
    await consortium.submit(
        consortium.person("researcher", RIVERSIDE), "grants:request", examples.new_request()
    )
    fields = {"not_before": consortium.instant(), "not_after": consortium.instant(60)}
    stranger = consortium.person("steward", LAKESIDE)
    call = consortium.submit(stranger, "grants:grant", examples.new_grant(1, **fields))
    assert await consortium.refusal(call) == "NOT_CUSTODIAN"


async def test_nobody_gives_himself_access(consortium: Consortium) -> None:
    await consortium.register_version()
    both = consortium.person("dpo,researcher")
    await consortium.submit(both, "grants:request", examples.new_request())
    fields = {"not_before": consortium.instant(), "not_after": consortium.instant(60)}
    grant = examples.new_grant(1, **fields)
    own = consortium.submit(both, "grants:grant", grant)
    assert await consortium.refusal(own) == "GRANTER_IS_REQUESTER"
    await consortium.submit(consortium.person("dpo"), "grants:grant", grant)
    later = {"grant_id": identifier("grant"), "not_after": consortium.instant(120)}
    for function in ("grants:renew", "grants:change"):
        assert await consortium.refusal(consortium.submit(both, function, later)) == "GRANTER_IS_REQUESTER"
    earlier = {"grant_id": identifier("grant"), "not_after": consortium.instant(30)}
    await consortium.submit(both, "grants:change", earlier)
    await consortium.submit(both, "grants:revoke", identifier("grant"))


async def test_the_datasets_terms_bound_its_grants(consortium: Consortium) -> None:
    await consortium.register_version(duo_terms=("DUO:0000007",))
    await consortium.submit(
        consortium.person("researcher", RIVERSIDE), "grants:request", examples.new_request()
    )
    fields = {"not_before": consortium.instant(), "not_after": consortium.instant(60)}
    call = consortium.submit(consortium.person("steward"), "grants:grant", examples.new_grant(1, **fields))
    assert await consortium.refusal(call) == "GRANT_PURPOSE_EXCLUDED"


async def test_a_change_gives_another_end_and_advances_the_epoch(consortium: Consortium) -> None:
    await consortium.register_version()
    grant_id = await consortium.grant()
    earlier = consortium.instant(10)
    change = {"grant_id": grant_id, "not_after": earlier}
    result = await consortium.submit(consortium.person("steward"), "grants:change", change)
    grant = consortium.record(Grant, GRANT_KEY)
    assert (grant.not_after, grant.revision, grant.state) == (earlier, 2, "active")
    assert consortium.ledger.state(keys.epoch(NORTHGATE)) == result.transaction_id.encode()
    assert keys.epoch(NORTHGATE) not in read_keys(result)


def read_keys(result: Any) -> set[str]:
    return {read.key for namespace in result.rwset.namespaces for read in namespace.reads}


@pytest.mark.parametrize(
    ("grant_id", "end", "msp_id", "code"),
    [
        (identifier("grant", 9), examples.END, NORTHGATE, "GRANT_NOT_FOUND"),
        (identifier("grant"), examples.END, RIVERSIDE, "NOT_CUSTODIAN"),
        (identifier("grant"), "2026-03-10T11:00:00.000Z", NORTHGATE, "PERIOD_INVALID"),
        (identifier("grant"), "2026-05-10T11:00:00.000Z", NORTHGATE, "GRANT_TOO_LONG"),
        (identifier("grant"), "tomorrow", NORTHGATE, "FIELD_INVALID"),
    ],
)
async def test_changes_that_are_refused(
    consortium: Consortium, grant_id: str, end: str, msp_id: str, code: str
) -> None:
    await consortium.register_version()
    await consortium.grant()
    change = {"grant_id": grant_id, "not_after": end}
    call = consortium.submit(consortium.person("steward", msp_id), "grants:change", change)
    assert await consortium.refusal(call) == code


async def test_a_revoked_grant_stays_revoked(consortium: Consortium) -> None:
    await consortium.register_version()
    grant_id = await consortium.grant()
    dpo = consortium.person("dpo")
    result = await consortium.submit(dpo, "grants:revoke", grant_id)
    assert consortium.record(Grant, GRANT_KEY).state == "revoked"
    assert consortium.ledger.state(keys.epoch(NORTHGATE)) == result.transaction_id.encode()
    assert (
        await consortium.refusal(consortium.submit(dpo, "grants:revoke", grant_id)) == "GRANT_ALREADY_REVOKED"
    )
    change = {"grant_id": grant_id, "not_after": shift(examples.MIDDLE, 60_000)}
    assert (
        await consortium.refusal(consortium.submit(dpo, "grants:change", change)) == "GRANT_ALREADY_REVOKED"
    )
    assert await consortium.refusal(consortium.submit(dpo, "grants:revoke", "grant")) == "FIELD_INVALID"


async def test_the_regulator_suspends_without_the_custodian(consortium: Consortium) -> None:
    await consortium.register_version()
    grant_id = await consortium.grant()
    regulator = consortium.person("regulator", REGULATOR)
    endorsers = [RIVERSIDE, LAKESIDE, REGULATOR]
    await consortium.submit(regulator, "grants:suspend", grant_id, endorsers=endorsers)
    suspension = consortium.record(Suspension, keys.suspension(grant_id))
    assert (suspension.regulator, suspension.suspended_by) == (REGULATOR, regulator.identity.common_name)
    again = consortium.submit(regulator, "grants:suspend", grant_id)
    assert await consortium.refusal(again) == "GRANT_ALREADY_SUSPENDED"
    unknown = consortium.submit(regulator, "grants:suspend", identifier("grant", 9))
    assert await consortium.refusal(unknown) == "GRANT_NOT_FOUND"
