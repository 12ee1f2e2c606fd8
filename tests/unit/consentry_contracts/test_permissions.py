"""Roles, kinds of organization and transient fields: every cell of the table, allowed and refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support import function_examples
from support import ledger_examples as examples
from support.consortium import (
    Consortium,
    change,
    change_batch,
    consent_batch,
    new_session,
    private_entries,
)
from support.ledger_examples import NORTHGATE, REGULATOR, identifier

from consentry_contracts import contracts
from consentry_records import FinishedSession
from consentry_records.permissions import PERMISSIONS
from consentry_records.private_entries import encode_entries, private_batch
from consentry_records.review import encode_rationale
from consentry_records.roles import ROLES
from consentry_records.rows import rows_root_of_digests
from fabric_shim import ContractError
from fabric_shim.contract import MARK

ROUND = {
    "session_id": identifier("session"),
    "number": 1,
    "participants": [
        {
            "msp": "A",
            "version_id": identifier("version"),
            "update_digest": examples.digest(),
            "rows": 1,
        }
    ],
    "aggregate_digest": examples.digest(),
    "metrics": {},
}
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "ledger:initialize": (examples.settings(),),
    "ledger:settings": (),
    "ledger:vote": (examples.settings(5),),
    "ledger:votes": (),
    "consents:store_private": (),
    "consents:import_batch": (consent_batch(["somebody"], examples.digest()),),
    "consents:withdraw": (identifier("consent"),),
    "consents:change": (change_batch([change(identifier("consent"))]),),
    "consents:get": ([identifier("consent")],),
    "consents:permitted": (
        {"subjects": [examples.commitment()], "purpose": "TREAT", "commercial": False, "recipient": "A"},
    ),
    "consents:read_private": (f"batch/{identifier('batch')}",),
    "subjects:opt_out": (
        {
            "batch_id": identifier("batch"),
            "custodian": NORTHGATE,
            "entries": [{"subject": examples.commitment(), "opted_out": True, "claimed_at": None}],
        },
    ),
    "subjects:get": ([examples.commitment()],),
    "rights:receive": (
        {
            "rights_request_id": identifier("rightsrequest"),
            "right": "erasure",
            "subject": examples.commitment(),
            "received_at": examples.START,
            "purposes": [],
            "evidence_digest": None,
        },
    ),
    "rights:advance": (
        {
            "rights_request_id": identifier("rightsrequest"),
            "revision": 1,
            "step": "accepted",
            "ground": None,
        },
    ),
    "rights:purge": (
        {"rights_request_id": identifier("rightsrequest"), "entries": [f"batch/{identifier('batch')}"]},
    ),
    "rights:fulfil": (
        {"rights_request_id": identifier("rightsrequest"), "revision": 1, "purged": 0, "stores": []},
    ),
    "rights:notify": (
        {
            "rights_request_id": identifier("rightsrequest"),
            "revision": 1,
            "notices": [{"recipient": "A", "notified_at": examples.START}],
        },
    ),
    "rights:get": (identifier("rightsrequest"),),
    "rights:of_subject": (examples.commitment(),),
    "rights:unanswered": (NORTHGATE,),
    "datasets:register": (examples.new_version(),),
    "datasets:update": (
        {
            "version": examples.new_version(
                supersedes=identifier("version", 2),
                removed_count=1,
                removed_root=rows_root_of_digests([examples.digest()]),
            ).to_dict(),
            "removed": [examples.digest()],
        },
    ),
    "datasets:retire": ({"version_id": identifier("version"), "reason": "superseded"},),
    "datasets:removed": (identifier("version"),),
    "datasets:get": (identifier("version"),),
    "datasets:versions": (identifier("dataset"),),
    "grants:request": (examples.new_request(),),
    "grants:grant": (examples.new_grant(),),
    "grants:change": ({"grant_id": identifier("grant"), "not_after": examples.END},),
    "grants:revoke": (identifier("grant"),),
    "grants:suspend": (identifier("grant"),),
    "grants:renew": ({"grant_id": identifier("grant"), "not_after": examples.END},),
    "grants:narrow": (examples.narrowed(),),
    "grants:lift_suspension": (identifier("grant"),),
    "grants:get": (identifier("grant"),),
    "grants:get_suspension": (identifier("grant"),),
    "grants:get_request": (identifier("request"),),
    "reviews:set_policy": ({"approvals": 1, "required_roles": []},),
    "reviews:store_rationale": (identifier("request"),),
    "reviews:record": (examples.new_review(),),
    "reviews:list": (identifier("request"),),
    "reviews:match": (identifier("request"),),
    "reviews:read_rationale": (identifier("request"), "reviewer-1"),
    "access:attempt": (examples.new_attempt(),),
    "access:decide": (identifier("attempt"),),
    "access:decide_batch": ({"attempts": [identifier("attempt")]},),
    "access:get": (identifier("attempt"),),
    "emergencies:review": (
        {
            "attempt_id": identifier("attempt"),
            "state": "justified",
            "findings": ["EMERGENCY_CONFIRMED"],
            "rationale_digest": None,
        },
    ),
    "emergencies:open": ([NORTHGATE],),
    "training:start": (new_session(),),
    "training:record_round": (ROUND,),
    "training:record_rounds": ({"rounds": [ROUND]},),
    "training:record_statement": (
        {
            "statement": {
                "session_id": identifier("session"),
                "sequence": 1,
                "claimed_time": examples.START,
                "round": None,
                "end": {
                    "session_id": identifier("session"),
                    "state": "failed",
                    "failure": None,
                    "used": [],
                },
            },
            "signature": "00" * 70,
        },
    ),
    "training:finish": (FinishedSession(session_id=identifier("session"), state="completed"),),
    "training:usage": (identifier("session"),),
    "training:get": (identifier("session"),),
    "models:register": ({"model_id": identifier("model"), "name": "m"},),
    "models:register_version": (
        {
            "model_version_id": identifier("modelversion"),
            "model_id": identifier("model"),
            "weights_digest": examples.digest(),
            "architecture_digest": examples.digest(),
            "parent": None,
            "sessions": [identifier("session")],
            "metrics": {},
            "test_set_digest": None,
            "signature": None,
        },
    ),
    "models:change_stage": (
        {
            "model_version_id": identifier("modelversion"),
            "stage": "validation",
            "reasons": ["VALIDATED"],
            "evidence_digest": None,
        },
    ),
    "models:get_stage": (identifier("modelversion"),),
    "models:get": (identifier("modelversion"),),
    "models:versions": (identifier("model"),),
    "impact:of_consent": ({"consent_id": identifier("consent"), "versions": []},),
    "impact:of_model_version": (identifier("modelversion"),),
    "breaches:record": (
        {
            "breach_id": identifier("breach"),
            "aware_at": examples.START,
            "natures": ["integrity"],
            "categories": ["imaging"],
            "subject_count": 1,
            "record_count": 1,
            "versions": [],
            "facts_digest": None,
        },
    ),
    "breaches:advance": (
        {
            "breach_id": identifier("breach"),
            "revision": 1,
            "step": "assessed",
            "happened_at": examples.START,
            "document_digest": None,
        },
    ),
    "breaches:get": (identifier("breach"),),
    "deliveries:record": (examples.new_delivery(),),
    "deliveries:may_go_on": (identifier("attempt"),),
    "deliveries:outlook": (identifier("attempt"),),
    "deliveries:of_attempt": (identifier("attempt"),),
    "functions:register": (function_examples.new_function(),),
    "functions:approve": (function_examples.new_approval(),),
    "functions:revoke": ({"owner": "A", "code_digest": examples.digest()},),
    "functions:get": ({"owner": "A", "code_digest": examples.digest()},),
    "trail:record_read": (
        {
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
        },
    ),
    "trail:get": (identifier("trailread"),),
    "epochs:close": (
        {
            "number": 1,
            "first_block": 0,
            "last_block": 1,
            "header_hash": "0" * 64,
            "chain_count": 0,
            "root": examples.digest("root"),
            "limits": True,
        },
    ),
    "epochs:get": ("NorthgateMSP", 1),
}
EVERY_FUNCTION = pytest.mark.parametrize("function", sorted(PERMISSIONS))
ENTRIES = private_entries(["somebody"])
TRANSIENT: dict[str, dict[str, bytes]] = {
    "consents:store_private": {
        "batch": private_batch(identifier("batch"), ENTRIES).to_bytes(),
        "entries": encode_entries(ENTRIES),
    },
    "consents:read_private": {"key": bytes(32)},
    "reviews:store_rationale": {"rationale": encode_rationale(bytes(32), "the cohort is small")},
    "reviews:read_rationale": {"key": bytes(32)},
}
NOBODY = "nobody"
KINDS = {"hospital": NORTHGATE, "regulator": REGULATOR}
CELLS = [(function, role) for function in sorted(PERMISSIONS) for role in (*ROLES, NOBODY)]
PLACES = [(function, kind) for function in sorted(PERMISSIONS) for kind in KINDS]


def test_the_table_names_exactly_the_callable_functions() -> None:
    callable_ = {
        f"{contract.name}:{name}"
        for contract in contracts()
        for name in dir(contract)
        if hasattr(getattr(contract, name), MARK)
    }
    assert set(PERMISSIONS) == callable_ == set(ARGUMENTS)
    assert {name: tuple(sorted(fields)) for name, fields in TRANSIENT.items()} == {
        name: permission.transient for name, permission in PERMISSIONS.items() if permission.transient
    }


async def outcome(consortium: Consortium, roles: str, msp_id: str, function: str, **options: Any) -> str:
    try:
        await consortium.ledger.evaluate(
            consortium.person(roles, msp_id), function, *ARGUMENTS[function], **options
        )
    except ContractError as error:
        return error.code
    return "DONE"


def transient_of(function: str) -> dict[str, bytes]:
    return TRANSIENT.get(function, {})


@pytest.fixture(scope="module")
def reader() -> Consortium:
    """A consortium that all cells ask and none changes: every function is evaluated only."""
    return asyncio.run(Consortium.initialized())


@pytest.mark.parametrize(("function", "role"), CELLS)
async def test_a_role_may_call_just_what_the_table_gives_it(
    reader: Consortium, function: str, role: str
) -> None:
    permission = PERMISSIONS[function]
    home = KINDS[permission.kind or "hospital"]
    roles = "" if role == NOBODY else role
    code = await outcome(reader, roles, home, function, transient=transient_of(function))
    allowed = not permission.roles or role in permission.roles
    assert (code == "ROLE_REQUIRED") == (not allowed), code
    if allowed:
        assert code not in {"ORGANIZATION_KIND_WRONG", "ORGANIZATION_UNKNOWN", "TRANSIENT_INVALID"}


@pytest.mark.parametrize(("function", "kind"), PLACES)
async def test_a_kind_of_organization_may_call_just_what_the_table_gives_it(
    reader: Consortium, function: str, kind: str
) -> None:
    permission, every_role = PERMISSIONS[function], ",".join(ROLES)
    code = await outcome(reader, every_role, KINDS[kind], function, transient=transient_of(function))
    assert (code == "ORGANIZATION_KIND_WRONG") == (permission.kind not in (None, kind)), code


@pytest.mark.parametrize("function", sorted(name for name in PERMISSIONS if PERMISSIONS[name].roles))
async def test_what_only_resembles_a_role_is_none(reader: Consortium, function: str) -> None:
    permission = PERMISSIONS[function]
    home, role = KINDS[permission.kind or "hospital"], permission.roles[0]
    for roles in (role.upper(), f"{role} ", f" {role}", f"{role};{role}", f"x{role}"):
        code = await outcome(reader, roles, home, function, transient=transient_of(function))
        assert code == "ROLE_REQUIRED"


@EVERY_FUNCTION
async def test_transient_fields_are_exactly_those_of_the_function(reader: Consortium, function: str) -> None:
    expected = "TRANSIENT_INVALID" if PERMISSIONS[function].transient else "TRANSIENT_NOT_ALLOWED"
    transient = {**transient_of(function), "pseudonym": b"p-17"}
    assert await outcome(reader, ",".join(ROLES), NORTHGATE, function, transient=transient) == expected
    if PERMISSIONS[function].transient:
        assert await outcome(reader, ",".join(ROLES), NORTHGATE, function) == expected


@pytest.mark.parametrize("function", sorted(name for name in ARGUMENTS if ARGUMENTS[name]))
@pytest.mark.parametrize(
    "argument", [b"\xff", b"{", b"null", b'{"a":1,"a":1}', b'{"a":0.5}', b'{"who":"Jane Doe"}']
)
async def test_broken_arguments_get_a_stable_code(reader: Consortium, function: str, argument: bytes) -> None:
    caller = reader.person(",".join(ROLES), NORTHGATE)
    with pytest.raises(ContractError) as caught:
        await reader.ledger.evaluate(caller, function, argument, transient=transient_of(function))
    assert caught.value.code in {
        "ARGUMENT_INVALID",
        "FIELD_MISSING",
        "FIELD_UNKNOWN",
        "FIELD_INVALID",
        "RECORD_NOT_OBJECT",
        "JSON_INVALID",
        "TRANSIENT_INVALID",
        "ORGANIZATION_UNKNOWN",
    }
    assert "Jane" not in str(caught.value)


async def test_a_name_that_is_no_enrolment_id_is_refused(consortium: Consortium) -> None:
    caller = consortium.ledger.caller(
        NORTHGATE, attributes={"consentry.role": "steward"}, common_name="Jane Doe"
    )
    with pytest.raises(ContractError) as caught:
        await consortium.ledger.submit(caller, "datasets:register", examples.new_version())
    assert caught.value.code == "ACTOR_INVALID"
    assert "Jane" not in str(caught.value)
