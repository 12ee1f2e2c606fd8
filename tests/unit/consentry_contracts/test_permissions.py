"""Roles, kinds of organization and transient fields, for every function from the table."""

from __future__ import annotations

from typing import Any

import pytest
from support import ledger_examples as examples
from support.consortium import Consortium, change, change_batch, consent_batch, new_session
from support.ledger_examples import HOSPITALS, NORTHGATE, REGULATOR, identifier

from consentry_contracts import contracts
from consentry_contracts.permissions import PERMISSIONS
from consentry_records import FinishedSession
from consentry_records.roles import ROLES
from consentry_records.rows import rows_root_of_digests
from fabric_shim import ContractError
from fabric_shim.contract import MARK

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "ledger:initialize": (examples.settings(),),
    "ledger:settings": (),
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
    "training:record_round": (
        {
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
        },
    ),
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
        },
    ),
    "trail:get": (identifier("trailread"),),
}
EVERY_FUNCTION = pytest.mark.parametrize("function", sorted(PERMISSIONS))
WITH_ROLES = pytest.mark.parametrize(
    "function", sorted(name for name in PERMISSIONS if PERMISSIONS[name].roles)
)


def test_the_table_names_exactly_the_callable_functions() -> None:
    callable_ = {
        f"{contract.name}:{name}"
        for contract in contracts()
        for name in dir(contract)
        if hasattr(getattr(contract, name), MARK)
    }
    assert set(PERMISSIONS) == callable_ == set(ARGUMENTS)


async def outcome(consortium: Consortium, roles: str, msp_id: str, function: str, **options: Any) -> str:
    try:
        await consortium.ledger.evaluate(
            consortium.person(roles, msp_id), function, *ARGUMENTS[function], **options
        )
    except ContractError as error:
        return error.code
    return "DONE"


def transient_of(function: str) -> dict[str, bytes]:
    return dict.fromkeys(PERMISSIONS[function].transient, b"x")


@WITH_ROLES
async def test_without_the_role_nothing_is_reached(consortium: Consortium, function: str) -> None:
    permission = PERMISSIONS[function]
    home = REGULATOR if permission.kind == "regulator" else NORTHGATE
    others = ",".join(role for role in ROLES if role not in permission.roles)
    for roles in ("", others, permission.roles[0].upper(), f"{permission.roles[0]} "):
        assert (
            await outcome(consortium, roles, home, function, transient=transient_of(function))
            == "ROLE_REQUIRED"
        )
    for role in permission.roles:
        assert (
            await outcome(consortium, role, home, function, transient=transient_of(function))
            != "ROLE_REQUIRED"
        )


@pytest.mark.parametrize(
    "function",
    sorted(name for name in PERMISSIONS if PERMISSIONS[name].kind and not PERMISSIONS[name].transient),
)
async def test_an_organization_of_another_kind_is_refused(consortium: Consortium, function: str) -> None:
    wrong = HOSPITALS[0] if PERMISSIONS[function].kind == "regulator" else REGULATOR
    roles = ",".join(PERMISSIONS[function].roles)
    assert await outcome(consortium, roles, wrong, function) == "ORGANIZATION_KIND_WRONG"


@EVERY_FUNCTION
async def test_transient_fields_are_exactly_those_of_the_function(
    consortium: Consortium, function: str
) -> None:
    expected = "TRANSIENT_INVALID" if PERMISSIONS[function].transient else "TRANSIENT_NOT_ALLOWED"
    transient = {**transient_of(function), "pseudonym": b"p-17"}
    assert await outcome(consortium, ",".join(ROLES), NORTHGATE, function, transient=transient) == expected
    if PERMISSIONS[function].transient:
        assert await outcome(consortium, ",".join(ROLES), NORTHGATE, function) == expected


@pytest.mark.parametrize("function", sorted(name for name in ARGUMENTS if ARGUMENTS[name]))
@pytest.mark.parametrize(
    "argument", [b"\xff", b"{", b"null", b'{"a":1,"a":1}', b'{"a":0.5}', b'{"who":"Jane Doe"}']
)
async def test_broken_arguments_get_a_stable_code(
    consortium: Consortium, function: str, argument: bytes
) -> None:
    caller = consortium.person(",".join(ROLES), NORTHGATE)
    with pytest.raises(ContractError) as caught:
        await consortium.ledger.evaluate(caller, function, argument, transient=transient_of(function))
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
