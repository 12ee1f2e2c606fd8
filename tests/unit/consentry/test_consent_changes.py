"""Changes of consents and requests of data subjects, with the real contracts."""

import pytest
from support.consent_frames import CARE, END, RESEARCH, consent_frame, digest

from consentry.consent_changes import Declaration
from consentry.errors import ConsentryError, InputRejected, LedgerRefused
from consentry.private_reads import read_private
from consentry.private_values import unseal
from consentry_records.private_entries import entry_key
from consentry_records.rights_request import STORES

NORTHGATE = "NorthgateMSP"
PEOPLE = ["p", "q", "r"]
LATER = "2029-01-01T00:00:00.000Z"
ATTESTED = dict.fromkeys(STORES, "searched") | {"peer-files": "key-destroyed"}


@pytest.fixture
def steward(ledger_of):
    ledger = ledger_of(NORTHGATE, "steward,dpo")
    ledger.consents.import_frame(consent_frame(PEOPLE))
    return ledger


def ids(steward):
    latest = steward.subjects.latest_consents(PEOPLE)
    return [latest[name] for name in PEOPLE]


def permitted(steward, purpose=RESEARCH):
    return [found is not None for found in steward.consents.permitted(PEOPLE, purpose=purpose)]


def test_a_withdrawal_keeps_how_it_was_declared_for_its_custodian_alone(gateway, steward):
    consent_ids = ids(steward)
    letter = Declaration(
        method="letter of a mother", declared_by="guardian", mandate_digest=digest("3"), claimed_at=END
    )
    with pytest.raises(LedgerRefused) as caught:
        steward.consents.withdraw_many(consent_ids[:2], letter)
    assert caught.value.code == "CLAIMED_TOO_LATE"
    letter = Declaration(method="letter of a mother", declared_by="guardian", mandate_digest=digest("3"))
    steward.consents.withdraw_many(consent_ids[:2], letter)
    assert permitted(steward) == [False, False, True]
    consent = steward.consents.get(consent_ids[:1])[0]
    key = entry_key(consent.subject, consent.consent_id, consent.events[-1].batch_id)
    subject = steward.subjects.by_commitment(consent.subject)
    document = unseal(subject.key, key, read_private(steward.transactions, key))
    assert (document["method"], document["declared_by"]) == ("letter of a mother", "guardian")
    blocks = b"".join(block.SerializeToString() for block in gateway.memory.blocks)
    assert b"letter of a mother" not in blocks


def test_a_renewal_ends_later_and_a_narrowing_allows_less(steward):
    consent_ids = ids(steward)
    steward.consents.renew(consent_ids, not_after=LATER)
    steward.consents.narrow(consent_ids[:1], purposes=(CARE,))
    assert permitted(steward) == [False, True, True]
    first, second, _ = steward.consents.get(consent_ids)
    assert (first.not_after, second.not_after) == (LATER, LATER)
    assert [event.event for event in first.events] == ["given", "renewed", "narrowed"]
    with pytest.raises(LedgerRefused) as caught:
        steward.consents.narrow(consent_ids[:1], purposes=(CARE, RESEARCH))
    assert caught.value.code == "CONSENT_WIDENED"
    for wrong in ({"purpose": CARE}, {"purposes": ("anything",)}, {"not_after": "tomorrow"}):
        with pytest.raises(InputRejected):
            steward.consents.narrow(consent_ids[:1], **wrong)


def test_errors_and_opt_outs_end_use(steward):
    consent_ids = ids(steward)
    steward.consents.enter_in_error(consent_ids[:1])
    assert steward.consents.opt_out(["q", "somebody new"]) == 2
    assert permitted(steward) == [False, False, True]
    assert permitted(steward, CARE) == [False, True, True]
    steward.consents.opt_out(["q"], opted_out=False)
    assert permitted(steward) == [False, True, True]


def test_a_declaration_for_another_needs_a_mandate(steward):
    with pytest.raises(InputRejected) as caught:
        steward.consents.withdraw_many(ids(steward), Declaration(method="letter", declared_by="proxy"))
    assert caught.value.code == "MANDATE_INVALID"


def test_an_erasure_leaves_nothing_that_can_be_read(gateway, steward):
    (consent_id, *_), subject = ids(steward), steward.subjects.find(["p"])["p"]
    steward.consents.withdraw_many([consent_id], Declaration(method="portal"))
    request = steward.rights.receive("p", "erasure")
    assert [entry.rights_request_id for entry in steward.rights.unanswered()] == [request.rights_request_id]
    with pytest.raises(InputRejected):
        steward.rights.erase(request.rights_request_id, {"collection": "searched"})
    steward.rights.advance(request.rights_request_id, "accepted")
    done = steward.rights.erase(request.rights_request_id, ATTESTED)
    assert (done.state, done.purged) == ("fulfilled", 2)
    assert (
        steward.rights.notify(done.rights_request_id, ["RiversideMSP"]).notices[0].recipient == "RiversideMSP"
    )
    assert steward.rights.unanswered() == ()
    keys = gateway.memory.private_keys(NORTHGATE, f"custodian-{NORTHGATE}")
    assert not any(key.startswith(subject.commitment) for key in keys)
    assert steward.subjects.find(["p"]) == {}
    custody = steward.profile.subject_register("northgate")
    files = b"".join(path.read_bytes() for path in custody.parent.glob(custody.name + "*"))
    assert subject.salt not in files
    assert subject.key not in files
    with pytest.raises(ConsentryError):
        steward.consents.private_entry(consent_id)
    assert steward.subjects.ensure(["p"])["p"].commitment != subject.commitment


def test_an_objection_ends_with_its_rejection(steward):
    request = steward.rights.receive("q", "objection", purposes=[RESEARCH])
    assert permitted(steward) == [True, False, True]
    steward.rights.advance(request.rights_request_id, "rejected", "GDPR-21-1")
    assert permitted(steward) == [True, True, True]


def test_a_fulfilled_restriction_holds_until_it_is_lifted(steward):
    request = steward.rights.receive("q", "restriction")
    steward.rights.advance(request.rights_request_id, "accepted")
    steward.rights.fulfil(request.rights_request_id)
    assert permitted(steward, CARE) == [True, False, True]
    steward.rights.advance(request.rights_request_id, "lifted")
    assert permitted(steward, CARE) == [True, True, True]


def test_requests_of_strangers_and_unknown_rights_are_refused(steward):
    for pseudonym, right, code in (
        ("nobody", "erasure", "SUBJECT_UNKNOWN"),
        ("p", "oblivion", "FIELD_INVALID"),
        ("p", "objection", "OBJECTION_PURPOSES_INVALID"),
    ):
        with pytest.raises(InputRejected) as caught:
            steward.rights.receive(pseudonym, right)
        assert caught.value.code == code
