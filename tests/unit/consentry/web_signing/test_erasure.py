"""An erasure as officers carry it out: purged, the person's keys destroyed, and only then attested."""

from __future__ import annotations

from typing import Any

import pytest
from support.consent_frames import consent_frame
from support.gate_bench import NORTHGATE
from support.ledger_gateway import LedgerGateway
from support.signing_bench import SigningBench, call, raising

from consentry.errors import ConfigurationError
from consentry.ledger import Ledger
from consentry.web.action_settings import action_settings
from consentry.web.actions import Call
from consentry.web.signing.pending import COMMITTED, ENDORSED
from consentry_records.rights_request import STORES, PurgeOrder, RightsFulfilment, StoreAttestation

PERSON = "patient-17"
ATTESTED = tuple(StoreAttestation(store=store, method="key-destroyed") for store in STORES)


@pytest.fixture
def officer(ledger_of: Any) -> Ledger:
    """A data protection officer, with the register that the server has, too."""
    ledger: Ledger = ledger_of(NORTHGATE, "steward,dpo")
    ledger.consents.import_frame(consent_frame([PERSON]))
    return ledger


def accepted(officer: Ledger) -> str:
    request = officer.rights.receive(PERSON, "erasure")
    officer.rights.advance(request.rights_request_id, "accepted")
    return request.rights_request_id


def erasure(officer: Ledger, request_id: str, purged: int | None = None) -> tuple[Call, Call]:
    entries = action_settings(officer).private_entries(officer.subjects.find([PERSON])[PERSON].commitment)
    order = PurgeOrder(rights_request_id=request_id, entries=tuple(entries))
    done = RightsFulfilment(
        rights_request_id=request_id,
        revision=2,
        purged=len(entries) if purged is None else purged,
        stores=ATTESTED,
    )
    return call("rights:purge", order, endorsers=(NORTHGATE,)), call("rights:fulfil", done)


def test_looking_for_a_person_makes_no_register(ledger_of: Any) -> None:
    ledger: Ledger = ledger_of(NORTHGATE, "steward,dpo")
    commitment = action_settings(ledger).commitment
    assert commitment(PERSON) is None
    assert ledger.kept_subjects is None
    ledger.consents.import_frame(consent_frame([PERSON]))
    assert ledger.kept_subjects is not None
    assert commitment(PERSON) == ledger.subjects.find([PERSON])[PERSON].commitment


def test_the_keys_go_before_it_is_attested(
    bench: SigningBench, gateway: LedgerGateway, officer: Ledger
) -> None:
    subject = officer.subjects.find([PERSON])[PERSON]
    request_id = accepted(officer)
    pending = bench.offer(officer.identity, *erasure(officer, request_id))
    bench.before = action_settings(officer).before
    assert bench.sign(officer.identity, pending.code) == ["rights:purge", "rights:fulfil"]
    assert pending.state == COMMITTED
    assert officer.subjects.find([PERSON]) == {}
    keys = gateway.memory.private_keys(NORTHGATE, f"custodian-{NORTHGATE}")
    assert not any(key.startswith(subject.commitment) for key in keys)
    done = officer.rights.get(request_id)
    assert (done.state, done.purged, done.stores) == ("fulfilled", 1, ATTESTED)


def test_while_the_register_is_busy_nothing_is_attested(bench: SigningBench, officer: Ledger) -> None:
    request_id = accepted(officer)
    pending = bench.offer(officer.identity, *erasure(officer, request_id))

    def busy(made: Call) -> None:
        if made.function == "rights:fulfil":
            raise ConfigurationError("CUSTODY_BUSY", "another process reads the register")

    bench.before = busy
    with raising("CUSTODY_BUSY"):
        bench.sign(officer.identity, pending.code)
    assert (pending.state, pending.step, pending.submitted) == (ENDORSED, 1, "")
    assert officer.rights.get(request_id).state == "accepted"
    bench.before = action_settings(officer).before
    assert bench.sign(officer.identity, pending.code) == ["rights:fulfil"]
    assert officer.rights.get(request_id).state == "fulfilled"


@pytest.mark.parametrize("purged", [0, 2])
def test_a_fulfilment_counts_what_is_purged(bench: SigningBench, officer: Ledger, purged: int) -> None:
    calls = erasure(officer, accepted(officer), purged)
    with raising("ARGUMENT_INVALID"):
        bench.offer(officer.identity, *calls)


def test_a_purge_is_the_own_peer_s_alone_and_never_alone(bench: SigningBench, officer: Ledger) -> None:
    purge, done = erasure(officer, accepted(officer))
    with raising("ACTION_UNKNOWN"):
        bench.offer(officer.identity, purge)
    with raising("ARGUMENT_INVALID"):
        bench.offer(officer.identity, Call(purge.arguments), done)
