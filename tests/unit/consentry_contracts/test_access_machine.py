"""Requests, reviews, grants, attempts and decisions in any order, against a model that a reader can check by
eye.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import REGULATOR, RIVERSIDE, identifier

from consentry_records import Conditions, Grant, keys
from fabric_shim import ContractError

GRANT = identifier("grant")
PURPOSES = ("DUO:0000006", "DUO:0000007", "TREAT")


@dataclass
class Model:
    """What has been done, in the words of the issue."""

    reviews: dict[str, str] = field(default_factory=dict)
    granted: bool = False
    revoked: bool = False
    suspended: bool = False
    aggregate_only: bool = False
    uses_left: int = 0
    decided: dict[str, bool] = field(default_factory=dict)

    def may_grant(self) -> bool:
        said = list(self.reviews.values())
        approve, reject = said.count("approve"), said.count("reject")
        return approve >= 1 and not (reject and reject >= approve)

    def permits(self, purpose: str, output: str, roles: str) -> bool:
        return (
            self.granted
            and not self.revoked
            and not self.suspended
            and "researcher" in roles
            and purpose in ("DUO:0000006", "DUO:0000007")
            and (output == "aggregate" or not self.aggregate_only)
            and self.uses_left > 0
        )


class AccessMachine(RuleBasedStateMachine):
    """Every rule does the same to the ledger and to the model, and compares the answers."""

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.model = Model()
        self.attempts = 0
        self.consortium = self.run(Consortium.initialized())
        self.run(self.consortium.register_version())
        researcher = self.consortium.person("researcher", RIVERSIDE)
        self.run(self.consortium.submit(researcher, "grants:request", examples.new_request()))
        policy = {"approvals": 1, "required_roles": []}
        self.submit("dpo", "reviews:set_policy", policy)

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.close()

    def run(self, call: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await call

        return self.runner.run(awaited())

    def submit(self, roles: str, function: str, *arguments: Any, **where: str) -> str:
        caller = self.consortium.person(roles, **where)
        try:
            self.run(self.consortium.submit(caller, function, *arguments))
        except ContractError as refusal:
            return refusal.code
        return ""

    @rule(
        roles=st.sampled_from(["dpo", "steward", "ethics"]),
        said=st.sampled_from(["approve", "reject", "abstain"]),
    )
    def review(self, roles: str, said: str) -> None:
        code = self.submit(roles, "reviews:record", examples.new_review(1, recommendation=said))
        assert code == ("REVIEW_EXISTS" if roles in self.model.reviews else "")
        self.model.reviews.setdefault(roles, said)

    @rule(uses=st.integers(1, 3))
    def grant(self, uses: int) -> None:
        fields = {"not_before": self.consortium.instant(-2), "not_after": self.consortium.instant(86_400)}
        grant = examples.new_grant(1, conditions=Conditions(maximum_uses=uses), **fields)
        code = self.submit("dpo", "grants:grant", grant)
        if self.model.granted:
            assert code == "GRANT_EXISTS"
        elif self.model.may_grant():
            assert code == ""
            self.model.granted, self.model.uses_left = True, uses
        else:
            assert code in ("REVIEWS_MISSING", "REVIEWS_REJECT")

    @precondition(lambda self: self.model.granted)
    @rule()
    def revoke(self) -> None:
        assert self.submit("dpo", "grants:revoke", GRANT) == (
            "GRANT_ALREADY_REVOKED" if self.model.revoked else ""
        )
        self.model.revoked = True

    @precondition(lambda self: self.model.granted)
    @rule(lift=st.booleans())
    def suspend_or_lift(self, lift: bool) -> None:
        function = "grants:lift_suspension" if lift else "grants:suspend"
        code = self.submit("regulator", function, GRANT, msp_id=REGULATOR)
        possible = self.model.suspended == lift
        assert (code == "") == possible
        if possible:
            self.model.suspended = not lift

    @precondition(lambda self: self.model.granted and not self.model.revoked)
    @rule()
    def narrow_to_aggregates(self) -> None:
        grant = self.consortium.record(Grant, keys.grant(GRANT))
        conditions = Conditions(maximum_uses=grant.conditions.maximum_uses, aggregate_output_only=True)
        narrower = examples.narrowed(1, conditions=conditions, not_after=grant.not_after)
        assert self.submit("dpo", "grants:narrow", narrower) == ""
        self.model.aggregate_only = True

    @rule(
        purpose=st.sampled_from(PURPOSES),
        output=st.sampled_from(["rows", "aggregate"]),
        roles=st.sampled_from(["researcher", "auditor"]),
    )
    def attempt_and_decide(self, purpose: str, output: str, roles: str) -> None:
        self.attempts += 1
        attempt = examples.new_attempt(self.attempts, purpose=purpose, output=output)
        assert self.submit(roles, "access:attempt", attempt, msp_id=RIVERSIDE) == ""
        decision = self.run(self.consortium.decide(attempt.attempt_id))
        permitted = self.model.permits(purpose, output, roles)
        assert (decision["outcome"] == "permit") == permitted, decision
        assert bool(decision["reasons"]) != permitted
        self.model.uses_left -= permitted
        self.model.decided[attempt.attempt_id] = permitted

    @precondition(lambda self: self.model.decided)
    @rule(data=st.data())
    def decide_again(self, data: st.DataObject) -> None:
        attempt_id = data.draw(st.sampled_from(sorted(self.model.decided)))
        assert self.submit("service", "access:decide", attempt_id) == "ATTEMPT_ALREADY_DECIDED"

    @invariant()
    def every_permit_has_a_use_of_its_own(self) -> None:
        if not hasattr(self, "consortium"):
            return
        taken = [v for k, v in self.consortium.ledger.states().items() if k.startswith("use/")]
        permitted = [a.encode() for a, is_permitted in self.model.decided.items() if is_permitted]
        assert sorted(taken) == sorted(permitted)


AccessMachine.TestCase.settings = settings(
    max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAccessMachine = AccessMachine.TestCase
