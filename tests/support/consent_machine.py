"""Imports, changes, opt-outs and requests in any order, against a model that a reader can check by eye; on
any ledger that answers as a `Consortium` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from support import ledger_examples as examples
from support.consortium import change, change_batch
from support.ledger_examples import NORTHGATE, RIVERSIDE, identifier
from support.ledger_machine import LedgerMachine

from consentry_records import Consent, keys
from fabric_shim import ContractError

PEOPLE = ("first", "second")
RESEARCH, CARE = "DUO:0000006", "TREAT"
PURPOSES = (RESEARCH, CARE)
_DAY = 86_400


@dataclass
class ModelConsent:
    """What the model knows of a consent: nothing but what it permits."""

    person: str
    purposes: tuple[str, ...]
    not_after: str
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


class ConsentLedger(Protocol):
    """What the machine needs of a ledger of hospitals, with its settings written."""

    def person(self, roles: str) -> Any:
        """Somebody of Northgate's with these roles; the same person each time."""
        ...

    def instant(self, seconds: float = 0) -> str:
        """The ledger's time, so many seconds later."""
        ...

    async def submit(self, caller: Any, function: str, *arguments: Any) -> Any:
        """Submit, and wait until it is valid; raises ContractError."""
        ...

    async def evaluate(self, caller: Any, function: str, *arguments: Any) -> Any:
        """The decoded answer to a question."""
        ...

    async def import_consents(self, subjects: Sequence[str], batch: int = 1, **terms: Any) -> list[str]:
        """Both transactions of an import at Northgate; the consents' ids."""
        ...

    def record(self, kind: type[Consent], key: str) -> Any:
        """The committed record under a key."""
        ...


class ConsentMachine(LedgerMachine):
    """Northgate's steward and data protection officer; every rule does the same to ledger and model."""

    consortium: ConsentLedger

    @initialize()
    def begin(self) -> None:
        self.consortium = self.open()
        self.batch = 1_000 * self.number
        self.end_at, self.later = self.consortium.instant(21 * _DAY), self.consortium.instant(90 * _DAY)
        self.model = Model()

    def name(self, person: str) -> str:
        return f"{person} of run {self.number}"

    def attempt(self, function: str, document: Any) -> bool:
        """Whether the ledger takes it; what it refuses must change nothing in the model."""
        person = self.consortium.person("dpo")
        try:
            self.run(self.consortium.submit(person, function, document))
        except ContractError:
            return False
        return True

    def next_batch(self) -> int:
        self.batch += 1
        return self.batch

    @rule(person=st.sampled_from(PEOPLE), purposes=st.sampled_from([PURPOSES, (CARE,), (RESEARCH,)]))
    def give(self, person: str, purposes: tuple[str, ...]) -> None:
        terms = {"purposes": purposes, "not_after": self.end_at}
        call = self.consortium.import_consents([self.name(person)], self.next_batch(), **terms)
        (consent_id,) = self.run(call)
        self.model.consents[consent_id] = ModelConsent(person, purposes, self.end_at)

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
        terms = examples.terms(purposes=known.purposes, not_after=self.later)
        document = change_batch([change(consent_id, "renewed", terms=terms)], self.next_batch())
        if self.attempt("consents:change", document):
            assert known.in_force
            assert self.consortium.instant() < known.not_after
            known.not_after = self.later

    @rule(person=st.sampled_from(PEOPLE), out=st.booleans())
    def opt_out(self, person: str, out: bool) -> None:
        entry = {"subject": examples.commitment(self.name(person)), "opted_out": out, "claimed_at": None}
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
            "subject": examples.commitment(self.name(person)),
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

    @invariant()
    def both_permit_the_same(self) -> None:
        if not hasattr(self, "model"):
            return
        subjects = [examples.commitment(self.name(person)) for person in PEOPLE]
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
        for consent_id in self.model.consents if hasattr(self, "model") else ():
            record = self.consortium.record(Consent, keys.consent(consent_id))
            assert record.events[0].event == "given"
