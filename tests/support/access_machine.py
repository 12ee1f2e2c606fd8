"""Requests, reviews, grants, attempts and decisions in any order, against a model that a reader can check by
eye; on any ledger that answers as a `Consortium` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from support import ledger_examples as examples
from support.ledger_examples import REGULATOR, RIVERSIDE, identifier
from support.ledger_machine import LedgerMachine

from consentry_records import Conditions, Grant, keys
from fabric_shim import ContractError

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


class AccessLedger(Protocol):
    """What the machine needs of a ledger of three hospitals and a regulator, with its settings written."""

    def person(self, roles: str, msp_id: str = ...) -> Any:
        """Somebody with these roles; the same person each time."""
        ...

    def instant(self, seconds: float = 0) -> str:
        """The ledger's time, so many seconds later."""
        ...

    async def submit(self, caller: Any, function: str, *arguments: Any) -> Any:
        """Submit, and wait until it is valid; raises ContractError."""
        ...

    async def register_version(self, which: int = 1, /) -> str:
        """A dataset version of Northgate's; its id."""
        ...

    async def decide(self, attempt_id: str) -> Mapping[str, Any]:
        """The decision of Northgate's service."""
        ...

    async def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        ...

    def record(self, kind: type[Grant], key: str) -> Any:
        """The committed record under a key."""
        ...

    def taken_uses(self, grant_id: str) -> list[bytes]:
        """What stands under a grant's use keys, in any order."""
        ...


class AccessMachine(LedgerMachine):
    """Every rule does the same to the ledger and to the model, and compares the answers."""

    consortium: AccessLedger

    @initialize()
    def begin(self) -> None:
        self.model = Model()
        self.attempts = 0
        self.consortium = self.open()
        self.grant_id = identifier("grant", self.number)
        self.run(self.consortium.register_version(self.number))
        researcher = self.consortium.person("researcher", RIVERSIDE)
        request = examples.new_request(self.number, versions=(identifier("version", self.number),))
        self.run(self.consortium.submit(researcher, "grants:request", request))
        policy = {"approvals": 1, "required_roles": []}
        self.submit("dpo", "reviews:set_policy", policy)

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
        code = self.submit(roles, "reviews:record", examples.new_review(self.number, recommendation=said))
        assert code == ("REVIEW_EXISTS" if roles in self.model.reviews else "")
        self.model.reviews.setdefault(roles, said)

    @rule(uses=st.integers(1, 3))
    def grant(self, uses: int) -> None:
        fields = {
            "request_id": identifier("request", self.number),
            "versions": (identifier("version", self.number),),
            "not_before": self.consortium.instant(-1),
            "not_after": self.consortium.instant(86_400),
        }
        grant = examples.new_grant(self.number, conditions=Conditions(maximum_uses=uses), **fields)
        code = self.submit("dpo", "grants:grant", grant)
        if self.model.granted:
            assert code == "GRANT_EXISTS"
        elif self.model.may_grant():
            assert code == ""
            self.model.granted, self.model.uses_left = True, uses
            # A grant permits once it holds over all of [time - tolerance, time + tolerance].
            self.run(self.consortium.pass_time(1.5))
        else:
            assert code in ("REVIEWS_MISSING", "REVIEWS_REJECT")

    @precondition(lambda self: self.model.granted)
    @rule()
    def revoke(self) -> None:
        assert self.submit("dpo", "grants:revoke", self.grant_id) == (
            "GRANT_ALREADY_REVOKED" if self.model.revoked else ""
        )
        self.model.revoked = True

    @precondition(lambda self: self.model.granted)
    @rule(lift=st.booleans())
    def suspend_or_lift(self, lift: bool) -> None:
        function = "grants:lift_suspension" if lift else "grants:suspend"
        code = self.submit("regulator", function, self.grant_id, msp_id=REGULATOR)
        possible = self.model.suspended == lift
        assert (code == "") == possible
        if possible:
            self.model.suspended = not lift

    @precondition(lambda self: self.model.granted and not self.model.revoked)
    @rule()
    def narrow_to_aggregates(self) -> None:
        grant = self.consortium.record(Grant, keys.grant(self.grant_id))
        conditions = Conditions(maximum_uses=grant.conditions.maximum_uses, aggregate_output_only=True)
        kept = {"not_after": grant.not_after, "versions": grant.versions}
        narrower = examples.narrowed(self.number, conditions=conditions, **kept)
        assert self.submit("dpo", "grants:narrow", narrower) == ""
        self.model.aggregate_only = True

    @rule(
        purpose=st.sampled_from(PURPOSES),
        output=st.sampled_from(["rows", "aggregate"]),
        roles=st.sampled_from(["researcher", "auditor"]),
    )
    def attempt_and_decide(self, purpose: str, output: str, roles: str) -> None:
        self.attempts += 1
        attempt = examples.new_attempt(
            1_000 * self.number + self.attempts,
            version_id=identifier("version", self.number),
            purpose=purpose,
            output=output,
        )
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
        taken = self.consortium.taken_uses(self.grant_id)
        permitted = [a.encode() for a, is_permitted in self.model.decided.items() if is_permitted]
        assert sorted(taken) == sorted(permitted)
