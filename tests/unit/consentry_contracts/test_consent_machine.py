"""Any sequence of imports, changes, opt-outs, requests and time: contracts and a simple model agree."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support import ledger_examples as examples
from support.consortium import Consortium, change, change_batch
from support.ledger_examples import NORTHGATE, RIVERSIDE, identifier

from consentry_records import keys
from fabric_shim import ContractError

PEOPLE = ("first", "second")
RESEARCH, CARE = "DUO:0000006", "TREAT"
PURPOSES = (RESEARCH, CARE)
END = "2026-03-31T00:00:00.000Z"
LATER = "2026-06-30T00:00:00.000Z"


@dataclass
class ModelConsent:
    """What the model knows of a consent: nothing but what it permits."""

    person: str
    purposes: tuple[str, ...] = PURPOSES
    not_after: str = END
    in_force: bool = True


@dataclass
class Model:
    """A set of consents, people who opted out, and requests that restrict."""

    consents: dict[str, ModelConsent] = field(default_factory=dict)
    opted_out: set[str] = field(default_factory=set)
    restricted: dict[str, str] = field(default_factory=dict)

    def permits(self, person: str, purpose: str, at: str) -> bool:
        if person in self.restricted.values() or (person in self.opted_out and purpose == RESEARCH):
            return False
        return any(
            consent.in_force and purpose in consent.purposes and at < consent.not_after
            for consent in self.consents.values()
            if consent.person == person
        )


class ConsentMachine(RuleBasedStateMachine):
    """Northgate's steward and data protection officer, and time that passes."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.batch = 0

    def run(self, call: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(call)  # type: ignore[arg-type]

    def attempt(self, function: str, document: Any) -> bool:
        """Whether the ledger takes it; what it refuses must change nothing in the model."""
        person = self.consortium.person("steward,dpo")
        try:
            self.run(self.consortium.submit(person, function, document))
        except ContractError:
            return False
        return True

    def next_batch(self) -> int:
        self.batch += 1
        return self.batch

    @initialize()
    def begin(self) -> None:
        self.consortium = self.run(Consortium.initialized())
        self.model = Model()

    @rule(person=st.sampled_from(PEOPLE), purposes=st.sampled_from([PURPOSES, (CARE,), (RESEARCH,)]))
    def give(self, person: str, purposes: tuple[str, ...]) -> None:
        call = self.consortium.import_consents([person], self.next_batch(), purposes=purposes)
        (consent_id,) = self.run(call)
        self.model.consents[consent_id] = ModelConsent(person, purposes)

    @precondition(lambda self: self.model.consents)
    @rule(data=st.data(), what=st.sampled_from(["withdrawn", "entered-in-error", "expired"]))
    def end(self, data: st.DataObject, what: str) -> None:
        consent_id = data.draw(st.sampled_from(sorted(self.model.consents)))
        if self.attempt("consents:change", change_batch([change(consent_id, what)], self.next_batch())):
            self.model.consents[consent_id].in_force = False
        elif what == "withdrawn":
            assert not self.model.consents[consent_id].in_force

    @precondition(lambda self: self.model.consents)
    @rule(data=st.data(), purposes=st.sampled_from([PURPOSES, (CARE,), (RESEARCH,)]))
    def narrow(self, data: st.DataObject, purposes: tuple[str, ...]) -> None:
        consent_id = data.draw(st.sampled_from(sorted(self.model.consents)))
        known = self.model.consents[consent_id]
        terms = examples.terms(purposes=purposes, not_after=known.not_after)
        document = change_batch([change(consent_id, "narrowed", terms=terms)], self.next_batch())
        if self.attempt("consents:change", document):
            assert set(purposes) < set(known.purposes)
            known.purposes = purposes

    @precondition(lambda self: self.model.consents)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        consent_id = data.draw(st.sampled_from(sorted(self.model.consents)))
        known = self.model.consents[consent_id]
        terms = examples.terms(purposes=known.purposes, not_after=LATER)
        document = change_batch([change(consent_id, "renewed", terms=terms)], self.next_batch())
        if self.attempt("consents:change", document):
            assert known.in_force
            assert self.consortium.instant() < known.not_after
            known.not_after = LATER

    @rule(person=st.sampled_from(PEOPLE), out=st.booleans())
    def opt_out(self, person: str, out: bool) -> None:
        entry = {"subject": examples.commitment(person), "opted_out": out, "claimed_at": None}
        batch = {
            "batch_id": identifier("batch", self.next_batch()),
            "custodian": NORTHGATE,
            "entries": [entry],
        }
        assert self.attempt("subjects:opt_out", batch)
        (self.model.opted_out.add if out else self.model.opted_out.discard)(person)

    @precondition(lambda self: len(self.model.restricted) < 2)
    @rule(person=st.sampled_from(PEOPLE))
    def restrict(self, person: str) -> None:
        request = identifier("rightsrequest", self.next_batch())
        document = {
            "rights_request_id": request,
            "right": "restriction",
            "subject": examples.commitment(person),
            "received_at": examples.START,
            "purposes": [],
            "evidence_digest": None,
        }
        assert self.attempt("rights:receive", document)
        self.model.restricted[request] = person

    @precondition(lambda self: self.model.restricted)
    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(sorted(self.model.restricted)))
        step = {"rights_request_id": request, "revision": 1, "step": "rejected", "ground": "NOT-APPLICABLE"}
        assert self.attempt("rights:advance", step)
        del self.model.restricted[request]

    @rule(days=st.sampled_from([1, 10, 30]))
    def wait(self, days: int) -> None:
        self.consortium.ledger.advance(timedelta(days=days))

    @invariant()
    def both_permit_the_same(self) -> None:
        subjects = [examples.commitment(person) for person in PEOPLE]
        for purpose in PURPOSES:
            query = {"subjects": subjects, "purpose": purpose, "commercial": False, "recipient": RIVERSIDE}
            at = self.consortium.instant()
            found = self.run(
                self.consortium.evaluate(self.consortium.person("researcher"), "consents:permitted", query)
            )
            expected = [self.model.permits(person, purpose, at) for person in PEOPLE]
            assert [consent is not None for consent in found["permitted"]] == expected

    @invariant()
    def history_is_never_lost(self) -> None:
        for consent_id in self.model.consents:
            value = self.consortium.ledger.state(keys.consent(consent_id))
            assert b'"event":"given"' in value

    def teardown(self) -> None:
        self.loop.close()


ConsentMachine.TestCase.settings = settings(
    max_examples=6, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestConsents = ConsentMachine.TestCase
