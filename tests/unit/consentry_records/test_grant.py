"""Grants answer requests: nothing that was not asked for, no restriction dropped, not longer."""

from __future__ import annotations

from typing import Any

import pytest
from support import ledger_examples as examples

from consentry_records import Conditions, LedgerError
from consentry_records.grant_checks import check_grant_answers_request, check_grant_length
from consentry_records.instants import shift


def refusal(grant_changes: dict[str, Any], request_changes: dict[str, Any]) -> str:
    with pytest.raises(LedgerError) as caught:
        check_grant_answers_request(examples.new_grant(**grant_changes), examples.request(**request_changes))
    return caught.value.code


def test_a_grant_within_the_request_is_fine() -> None:
    check_grant_answers_request(examples.new_grant(), examples.request())
    check_grant_answers_request(
        examples.new_grant(purposes=("DUO:0000007",), restrictions=("DUO:0000046", "DUO:0000021")),
        examples.request(
            purposes=("DUO:0000042",), restrictions=("DUO:0000046",), ethics_approval_digest=examples.digest()
        ),
    )


def test_what_goes_beyond_the_request_is_refused() -> None:
    assert refusal({"versions": (examples.identifier("version", 9),)}, {}) == "GRANT_VERSION_NOT_REQUESTED"
    assert refusal({"purposes": ("DUO:0000042",)}, {}) == "GRANT_PURPOSE_NOT_REQUESTED"
    assert refusal({"purposes": ("TREAT",)}, {}) == "GRANT_PURPOSE_NOT_REQUESTED"
    assert refusal({}, {"restrictions": ("DUO:0000046",)}) == "GRANT_RESTRICTION_DROPPED"
    assert refusal({"restrictions": ("DUO:0000021",)}, {}) == "GRANT_ETHICS_APPROVAL_MISSING"
    cancer, diabetes = {"diseases": ("MONDO:0004992",)}, {"diseases": ("MONDO:0005015",)}
    assert refusal(cancer, diabetes) == "GRANT_DISEASE_NOT_REQUESTED"
    members_only = {"conditions": Conditions(project_members_only=True)}
    assert refusal(members_only, {"project": None}) == "GRANT_PROJECT_MISSING"


def test_a_period_is_as_long_as_asked_for_at_most() -> None:
    request = examples.request(duration_seconds=10)
    check_grant_length(examples.START, shift(examples.START, 10_000), request)
    with pytest.raises(LedgerError) as longer:
        check_grant_length(examples.START, shift(examples.START, 10_001), request)
    assert longer.value.code == "GRANT_TOO_LONG"
    with pytest.raises(LedgerError) as empty:
        check_grant_length(examples.START, examples.START, request)
    assert empty.value.code == "PERIOD_INVALID"
