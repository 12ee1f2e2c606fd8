"""The contract decides as the rules do: the same records, the same outcome, rules, reasons and grant.

Whoever reads a decision can make it again from the records of that moment; the contract finds its records by
keys and indexes, the rules are handed all there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import HOSPITALS, LAKESIDE, NORTHGATE, REGULATOR, RIVERSIDE, identifier
from support.seeding import let_seed

from consentry_records import (
    AccessAttempt,
    AccessDecision,
    Conditions,
    DatasetVersion,
    FunctionApproval,
    Grant,
    Settings,
    Suspension,
    decide,
    keys,
)
from consentry_records.roles import ROLES
from consentry_records.vocabulary import DUO_TERMS, PURPOSES, RESTRICTIONS

COUNTRIES = ("IE", "DE")
COLUMNS = ("age", "tumour stage", "größe")
CATEGORIES = ("measurements", "genomics")
# Type 2 diabetes, MODY 1, diabetes, cancer, an obsolete one and one that never was.
DISEASES = (
    "MONDO:0005148",
    "MONDO:0007452",
    "MONDO:0005015",
    "MONDO:0004992",
    "MONDO:0000010",
    "MONDO:9999999",
)
PEOPLE = ("riverside-1", "riverside-2")


@pytest.fixture(scope="module")
def consortium() -> Consortium:
    """One ledger for all examples, each with a dataset version and grants of its own."""
    made = asyncio.run(Consortium.initialized())
    let_seed(made)
    return made


def some(values: Any, minimum: int = 0, maximum: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    codes = st.sampled_from(list(values))
    return st.lists(codes, min_size=minimum, max_size=maximum, unique=True).map(tuple)


def often(value: Any, others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What lets a grant permit, three times of four: else nothing would ever be permitted."""
    return st.integers(0, 3).flatmap(lambda drawn: others if drawn == 3 else st.just(value))


CONDITIONS = st.builds(
    Conditions,
    maximum_uses=often(None, st.integers(1, 4)),
    persons=often((), some(PEOPLE)),
    project_members_only=often(False, st.booleans()),
    aggregate_output_only=often(False, st.booleans()),
    countries=often((), some(COUNTRIES)),
    columns=often((), some(COLUMNS)),
    data_categories=often((), some(CATEGORIES)),
    publication_not_before=st.just(None),
)


# A function that an attempt would run, and what its custodian said of it; instants as those of grants.
APPROVED: dict[str, Any] = {
    "state": "approved",
    "purposes": ("DUO:0000042", "TREAT"),
    "begins": -3600,
    "ends": 5400,
    "other_version": False,
}
FUNCTIONS = st.fixed_dictionaries(
    {
        "state": often("approved", st.sampled_from([None, "revoked"])),
        "purposes": often(APPROVED["purposes"], some(PURPOSES, 1)),
        "begins": often(-3600, st.sampled_from([-2.001, -2, -1.999, 0])),
        "ends": often(5400, st.sampled_from([1.999, 2, 2.001])),
        "other_version": often(False, st.just(True)),
    }
)


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """What is drawn of one situation; its ids and times follow from the ledger."""
    grants = [
        {
            "purposes": draw(often(("DUO:0000042", "TREAT"), some(PURPOSES, 1))),
            "restrictions": draw(often((), some(RESTRICTIONS))),
            "diseases": draw(often((), some(DISEASES))),
            "conditions": draw(CONDITIONS),
            "grantee": draw(often(RIVERSIDE, st.sampled_from(HOSPITALS))),
            "custodian": draw(often(NORTHGATE, st.just(LAKESIDE))),
            "state": draw(often("active", st.just("revoked"))),
            "ethics_approval_digest": draw(st.sampled_from([None, examples.digest("ethics")])),
            "project": draw(st.sampled_from([None, "heart"])),
            # Seconds from the decision on; the ledger's tolerance is two.
            "begins": draw(often(-3600, st.sampled_from([-2.001, -2, -1.999, 0, 3600]))),
            "ends": draw(often(7200, st.sampled_from([3601, 1.999, 2, 2.001]))),
            "suspension": draw(often(None, st.sampled_from(["suspended", "lifted"]))),
            "taken": draw(st.integers(0, 4)),
        }
        for _ in range(draw(often(2, st.integers(0, 3))))
    ]
    function = draw(st.none() | often(APPROVED, FUNCTIONS))
    return {
        "grants": [one for one in grants if one["begins"] < one["ends"]],
        "duo_terms": draw(often((), some(DUO_TERMS))),
        "retired": draw(often(False, st.just(True))),
        "requester_msp": draw(often(RIVERSIDE, st.sampled_from([LAKESIDE, REGULATOR, "OtherMSP"]))),
        "roles": draw(often(("clinician", "researcher"), some(ROLES, 0, 3))),
        "purpose": draw(often("DUO:0000006", st.sampled_from(list(PURPOSES)))),
        "commercial": draw(often(False, st.just(True))),
        "attempted": draw(some(DISEASES, 0, 1)),
        "output": "rows" if function is None and draw(st.booleans()) else "aggregate",
        "function": function,
        "columns": draw(often((), some(COLUMNS))),
        "categories": draw(often(CATEGORIES[:1], some(CATEGORIES, 1))),
        "projects": draw(some(("heart", "lung"))),
        "emergency": draw(often(None, st.just("LIFE_THREATENING"))),
        "epoch": draw(st.sampled_from(["d" * 64, "e" * 64])),
        "countries": draw(st.lists(st.sampled_from([*COUNTRIES, None]), min_size=4, max_size=4)),
    }


def records(consortium: Consortium, number: int, drawn: Mapping[str, Any]) -> dict[str, str]:
    """The situation as records by their keys, indexes and taken uses among them."""
    version_id = identifier("version", number)
    retirement = {"reason": "error", "retired_at": examples.START, "retired_by": "steward-1"}
    version = examples.version(number, duo_terms=drawn["duo_terms"], categories=drawn["categories"]).to_dict()
    if drawn["retired"]:
        version |= {"state": "retired", "retirement": retirement}
    attempt = examples.attempt(
        number,
        version_id=version_id,
        purpose=drawn["purpose"],
        commercial=drawn["commercial"],
        diseases=drawn["attempted"],
        output=drawn["output"],
        columns=drawn["columns"],
        emergency=drawn["emergency"],
        requester_msp=drawn["requester_msp"],
        roles=drawn["roles"],
        projects=drawn["projects"],
        requester=PEOPLE[0],
        function_digest=function_digest(number, drawn),
    )
    known = zip(examples.settings().organizations, drawn["countries"], strict=True)
    organizations = [one.to_dict() | {"country": country} for one, country in known]
    ledger_settings = examples.settings().to_dict() | {"organizations": organizations}
    values = {
        keys.SETTINGS: Settings.from_dict(ledger_settings),
        keys.version(version_id): DatasetVersion.from_dict(version),
        keys.attempt(attempt.attempt_id): attempt,
    }
    texts = {key: record.to_bytes().decode() for key, record in values.items()}
    texts[keys.epoch(NORTHGATE)] = drawn["epoch"]
    if attempt.function_digest is not None and drawn["function"]["state"] is not None:
        approval = approval_record(consortium, attempt, drawn["function"])
        key = keys.function_approval(NORTHGATE, approval.owner, approval.code_digest)
        texts[key] = approval.to_bytes().decode()
    for place, one in enumerate(drawn["grants"]):
        texts |= grant_records(consortium, 10 * number + place, version_id, one)
    return texts


def function_digest(number: int, drawn: Mapping[str, Any]) -> str | None:
    """The digest of the attempt's function; one gives no rows out and breaks no glass."""
    possible = drawn["output"] == "aggregate" and drawn["emergency"] is None
    return examples.digest(f"function {number}") if possible and drawn["function"] is not None else None


def approval_record(
    consortium: Consortium, attempt: AccessAttempt, drawn: Mapping[str, Any]
) -> FunctionApproval:
    """Northgate's approval of the attempt's function."""
    return FunctionApproval(
        owner=attempt.requester_msp,
        code_digest=attempt.function_digest or "",
        revision=1,
        versions=(identifier("version", 10**9) if drawn["other_version"] else attempt.version_id,),
        purposes=drawn["purposes"],
        not_before=consortium.instant(drawn["begins"]),
        not_after=consortium.instant(drawn["ends"]),
        custodian=NORTHGATE,
        state=drawn["state"],
        changed_by="dpo-1",
        changed_at=examples.START,
    )


def grant_records(
    consortium: Consortium, number: int, version_id: str, drawn: Mapping[str, Any]
) -> dict[str, str]:
    grant = examples.grant(
        number,
        versions=(version_id,),
        not_before=consortium.instant(drawn["begins"]),
        not_after=consortium.instant(drawn["ends"]),
        use_slots=drawn["conditions"].maximum_uses,
        **{name: drawn[name] for name in GRANT_FIELDS},
    )
    texts = {
        keys.grant(grant.grant_id): grant.to_bytes().decode(),
        keys.grant_index(version_id, grant.grantee, grant.grant_id): grant.grant_id,
    }
    if drawn["suspension"] is not None:
        lifted = examples.MIDDLE if drawn["suspension"] == "lifted" else None
        state = {"state": drawn["suspension"], "lifted_at": lifted}
        suspension = Suspension.from_dict(examples.suspension(number).to_dict() | state)
        texts[keys.suspension(grant.grant_id)] = suspension.to_bytes().decode()
    for use in range(1, min(drawn["taken"], grant.use_slots or 0) + 1):
        texts[keys.use(grant.grant_id, use)] = "closed"
    return texts


GRANT_FIELDS = (
    "purposes",
    "restrictions",
    "diseases",
    "conditions",
    "grantee",
    "custodian",
    "state",
    "ethics_approval_digest",
    "project",
)
NUMBERS = iter(range(1, 10**6))
OUTCOMES: set[tuple[str, bool]] = set()


def again(consortium: Consortium, number: int, at: str, epoch: str) -> Any:
    """The decision made by the rules from everything that is on the ledger, as a client reads it."""
    states = consortium.ledger.states()
    grants = [Grant.from_bytes(value) for key, value in states.items() if key.startswith("grant/")]
    found = [Suspension.from_bytes(v) for key, v in states.items() if key.startswith("suspension/")]
    free = {
        grant.grant_id: left[0]
        for grant in grants
        if grant.use_slots is not None
        and (left := [n for n in range(1, grant.use_slots + 1) if keys.use(grant.grant_id, n) not in states])
    }
    attempt = consortium.record(AccessAttempt, keys.attempt(identifier("attempt", number)))
    approvals = [
        FunctionApproval.from_bytes(value)
        for key, value in states.items()
        if key.startswith(f"function-approval/{NORTHGATE}/")
    ]
    named = (attempt.requester_msp, attempt.function_digest)
    return decide(
        attempt,
        consortium.record(DatasetVersion, keys.version(identifier("version", number))),
        grants,
        found,
        consortium.record(Settings, keys.SETTINGS),
        epoch,
        at,
        free,
        next((one for one in approvals if (one.owner, one.code_digest) == named), None),
    )


@settings(max_examples=100, deadline=None)
@given(situations())
def test_the_contract_decides_as_the_rules_do(consortium: Consortium, drawn: dict[str, Any]) -> None:
    number = next(NUMBERS)
    attempt_id = identifier("attempt", number)

    async def decided() -> tuple[str, Any]:
        written = records(consortium, number, drawn)
        await consortium.ledger.submit(consortium.person("steward"), "seeding:write", written)
        at = consortium.instant()
        expected = again(consortium, number, at, drawn["epoch"])
        await consortium.submit(consortium.person("service"), "access:decide", attempt_id)
        return at, expected

    at, expected = asyncio.run(decided())
    made = consortium.record(AccessDecision, keys.decision(attempt_id))
    attempt = consortium.record(AccessAttempt, keys.attempt(attempt_id))
    wanted = expected.record(attempt)
    # Which of the free uses is taken follows from the transaction id; that one is taken does not.
    assert (made.use is None) == (wanted.use is None)
    assert made.to_dict() | {"use": None} == wanted.to_dict() | {"use": None}
    assert made.decided_at == at
    OUTCOMES.add((made.outcome, attempt.function_digest is not None))


def test_both_outcomes_were_drawn_with_and_without_functions() -> None:
    assert {(outcome, run) for outcome in ("permit", "deny") for run in (False, True)} == OUTCOMES
