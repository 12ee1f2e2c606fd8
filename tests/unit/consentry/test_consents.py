"""Import, look-up, filter and withdrawal of consents, with the real contracts."""

from datetime import timedelta

import pandas as pd
import pytest
from support.consent_frames import CARE, NON_COMMERCIAL, RESEARCH, consent_frame, pseudonyms
from support.ledger_gateway import LedgerGateway

from consentry.errors import ImportIncomplete, InputRejected, LedgerRefused
from consentry_records import canonical
from fabric_gateway import Timeouts
from fabric_gateway.failures import StatusFailure

NORTHGATE = "NorthgateMSP"
RIVERSIDE = "RiversideMSP"
BUSY = StatusFailure("UNAVAILABLE", "insufficient number of orderers")


def test_an_import_records_every_consent(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steps = []
    summary = steward.consents.import_frame(
        consent_frame(pseudonyms(25)), batch_size=10, progress=lambda done, total: steps.append((done, total))
    )
    assert (summary.count, summary.batches) == (25, 3)
    assert summary.rate > 0
    assert steps[-1] == (25, 25)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    recorded = steward.subjects.latest_consents(pseudonyms(25))
    consents = steward.consents.get(list(recorded.values()))
    assert {consent.custodian for consent in consents} == {NORTHGATE}
    assert {consent.state for consent in consents} == {"given"}
    assert consents[0].purposes == (CARE, RESEARCH)
    assert consents[0].not_after == "2027-01-01T00:00:00.000Z"


def test_private_entries_are_endorsed_by_the_custodian_alone(gateway, ledger_of):
    ledger_of(NORTHGATE, "steward").consents.import_frame(consent_frame(["p"]))
    assert gateway.endorsers["consents:store_private"] == (NORTHGATE,)
    assert len(gateway.endorsers["consents:import_batch"]) > 1


def test_nothing_personal_reaches_the_channel(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["a-most-unlikely-pseudonym"]))
    subject = steward.subjects.find(["a-most-unlikely-pseudonym"])["a-most-unlikely-pseudonym"]
    secrets = [b"a-most-unlikely-pseudonym", subject.salt, subject.key, subject.salt.hex().encode()]
    secrets.extend([b"2025-1", b"paper form"])
    blocks = b"".join(block.SerializeToString() for block in gateway.memory.blocks)
    keys = gateway.memory.private_keys(NORTHGATE, f"custodian-{NORTHGATE}")
    stored = b"".join(gateway.memory.private(NORTHGATE, f"custodian-{NORTHGATE}", key) or b"" for key in keys)
    assert not any(secret in blocks for secret in secrets)
    assert not any(secret in stored for secret in secrets)
    assert not any(secret in repr(subject).encode() for secret in secrets)


def test_the_private_entry_comes_back_to_its_custodian_only(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["p"]))
    (consent_id,) = steward.subjects.consents_of("p")
    entry = steward.consents.private_entry(consent_id)
    assert (entry["pseudonym"], entry["notice_version"], entry["method"]) == ("p", "2025-1", "paper form")
    assert bytes.fromhex(entry["salt"]) == steward.subjects.find(["p"])["p"].salt
    with pytest.raises(InputRejected) as caught:
        ledger_of(RIVERSIDE, "steward").consents.private_entry(consent_id)
    assert caught.value.code == "SUBJECT_UNKNOWN"


def test_reads_are_never_submitted(ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    with pytest.raises(ValueError, match="evaluated, never submitted"):
        steward.transactions.submit("consents:read_private", "key")


def test_a_subject_keeps_its_salt_over_imports(ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["p", "q"]))
    before = steward.subjects.find(["p", "q"])
    steward.consents.import_frame(consent_frame(["q", "r"]))
    after = steward.subjects.find(["p", "q", "r"])
    assert {name: after[name] for name in before} == before
    assert len({subject.salt for subject in after.values()}) == 3
    assert len(steward.subjects.consents_of("q")) == 2


def test_consents_of_one_subject_in_one_frame_do_not_void_one_another(ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    summary = steward.consents.import_frame(consent_frame(["p", "q"] * 10), batch_size=4)
    assert summary.count == 20
    assert len(steward.subjects.consents_of("p")) == 10


def test_nothing_is_sent_when_a_row_is_faulty(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    frame = consent_frame(pseudonyms(3))
    frame.loc[1, "notice_digest"] = "none"
    gateway.calls.clear()
    with pytest.raises(InputRejected):
        steward.consents.import_frame(frame)
    assert gateway.calls == []
    assert steward.subjects.find(pseudonyms(3)) == {}


@pytest.mark.parametrize("size", [0, -1, 1001])
def test_batch_sizes_have_bounds(ledger_of, size):
    with pytest.raises(InputRejected) as caught:
        ledger_of(NORTHGATE, "steward").consents.import_frame(consent_frame(["p"]), batch_size=size)
    assert caught.value.code == "BATCH_SIZE_INVALID"


def test_an_import_without_the_role_says_so_and_how_far_it_came(ledger_of):
    researcher = ledger_of(NORTHGATE, "researcher")
    with pytest.raises(ImportIncomplete) as caught:
        researcher.consents.import_frame(consent_frame(["p"]))
    assert (caught.value.recorded, caught.value.total) == (0, 1)
    assert caught.value.cause.code == "ROLE_REQUIRED"
    assert researcher.subjects.consents_of("p") == ()
    assert len(researcher.subjects.batches("refused")) == 1


def test_unknown_outcomes_are_found_out_and_nothing_is_imported_twice(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    gateway.failures["submit"] = [BUSY, BUSY]
    assert steward.consents.import_frame(consent_frame(pseudonyms(4))).count == 4
    functions = [function for step, function in gateway.calls if step == "endorse"]
    assert functions.count("consents:store_private") == functions.count("consents:import_batch") == 1


def test_a_transaction_lost_on_the_way_leaves_its_batch_open(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward", timeouts=Timeouts(commit_status=0.2))
    gateway.commit_failed_submits = False
    gateway.failures["submit"] = [BUSY]
    with pytest.raises(ImportIncomplete) as caught:
        steward.consents.import_frame(consent_frame(["p"]))
    assert caught.value.cause.code == "OUTCOME_UNKNOWN"
    assert len(steward.subjects.batches("prepared")) == 1


def test_what_an_interrupted_import_left_is_looked_up(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    forbidden = StatusFailure("PERMISSION_DENIED", "no")
    # Committed, but the client never hears of it: first the private transaction, then the public one.
    gateway.failures["commit_status"] = [forbidden]
    with pytest.raises(ImportIncomplete):
        steward.consents.import_frame(consent_frame(["p"]))
    assert steward.consents.settle_batches() == ()
    steward.consents.import_frame(consent_frame(["p"]))
    run = steward.transactions._contract.submit
    calls = []

    def lose_the_public_one(function, *arguments, **options):
        calls.append(function)
        if function == "consents:import_batch":
            gateway.failures["commit_status"] = [forbidden]
        return run(function, *arguments, **options)

    steward.transactions._contract.submit = lose_the_public_one
    with pytest.raises(ImportIncomplete):
        steward.consents.import_frame(consent_frame(["q"]))
    assert "q" not in steward.subjects.latest_consents(["q"])
    assert len(steward.consents.settle_batches()) == 1
    assert "q" in steward.subjects.latest_consents(["q"])
    assert steward.subjects.batches("prepared") == ()


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
def test_an_interrupted_import_goes_on_and_doubles_nothing(gateway, ledger_of, lost):
    steward = ledger_of(NORTHGATE, "steward")
    frame = consent_frame(["p", "q", "r"])
    # The client dies after its transaction number `lost` was committed and before it hears of it.
    run, calls = steward.transactions._contract.submit, []

    def die(function, *arguments, **options):
        calls.append(function)
        number = len(calls)
        run(function, *arguments, **options)
        if number == lost:
            raise RuntimeError("killed")

    steward.transactions._contract.submit = die
    with pytest.raises(RuntimeError, match="killed"):
        steward.consents.import_frame(frame, batch_size=1)
    steward.transactions._contract.submit = run
    assert steward.consents.import_frame(frame, batch_size=1).count == 3
    assert len(gateway.memory.states("consent/", "consent0")) == 3
    assert all(len(steward.subjects.consents_of(name)) == 1 for name in ("p", "q", "r"))
    # The same content once more is another import.
    steward.consents.import_frame(frame, batch_size=1)
    assert len(gateway.memory.states("consent/", "consent0")) == 6


def test_an_interrupted_import_sends_the_same_bytes_again(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    run, calls = steward.transactions._contract.submit, []

    def lose(function, *arguments, **options):
        calls.append((function, arguments, options.get("transient")))
        raise RuntimeError("killed")

    steward.transactions._contract.submit = lose
    for _ in range(2):
        with pytest.raises(RuntimeError, match="killed"):
            steward.consents.import_frame(consent_frame(["p", "q"]))
    assert calls[0] == calls[1]
    steward.transactions._contract.submit = run
    assert steward.consents.import_frame(consent_frame(["p", "q"])).count == 2


def test_an_interrupted_import_goes_on_without_a_subject_that_was_erased(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    frame = consent_frame(["p", "q"])
    run = steward.transactions._contract.submit

    def die(function, *arguments, **options):
        run(function, *arguments, **options)
        raise RuntimeError("killed")

    steward.transactions._contract.submit = die
    with pytest.raises(RuntimeError, match="killed"):
        steward.consents.import_frame(frame)
    erased = steward.subjects.find(["p"])["p"]
    steward.subjects.erase(erased.commitment)
    steward.transactions._contract.submit = run
    assert steward.consents.import_frame(frame).count == 2
    assert len(gateway.memory.states("consent/", "consent0")) == 2
    assert steward.subjects.find(["p"])["p"].commitment != erased.commitment
    assert len(steward.subjects.batches("refused")) == len(steward.subjects.batches("recorded")) == 1


def test_a_batch_whose_ids_another_release_drew_is_made_anew(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    run = steward.transactions._contract.submit

    def die(function, *arguments, **options):
        raise RuntimeError("killed")

    steward.transactions._contract.submit = die
    with pytest.raises(RuntimeError, match="killed"):
        steward.consents.import_frame(consent_frame(["p"]))
    with steward.subjects.store.writing() as connection:
        connection.execute("UPDATE consents SET consent_id = ?", ("consent-" + "0" * 32,))
    steward.transactions._contract.submit = run
    assert steward.consents.import_frame(consent_frame(["p"])).count == 1
    (recorded,) = gateway.memory.states("consent/", "consent0")
    assert recorded.endswith(steward.subjects.latest_consents(["p"])["p"])


def test_filter_keeps_the_rows_whose_subjects_consent(ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["research"]))
    steward.consents.import_frame(consent_frame(["care"], purposes=[CARE]))
    steward.consents.import_frame(consent_frame(["no-profit"], restrictions=[NON_COMMERCIAL]))
    frame = pd.DataFrame(
        {
            "pseudonym": ["care", "research", "no-profit", "stranger", "research", None],
            "value": range(6),
        },
        index=list("abcdef"),
    )
    assert list(steward.consents.filter(frame, purpose=RESEARCH).index) == ["b", "c", "e"]
    assert list(steward.consents.filter(frame, purpose=RESEARCH, commercial=True).index) == ["b", "e"]
    assert list(steward.consents.filter(frame, purpose=CARE).index) == ["a", "b", "c", "e"]
    assert frame.shape == (6, 2)


def test_filter_asks_once_for_many_rows_and_keeps_no_view(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["p"]))
    frame = pd.DataFrame({"pseudonym": ["p"] * 5000, "value": 1})
    gateway.calls.clear()
    kept = steward.consents.filter(frame, purpose=RESEARCH)
    assert len(kept) == 5000
    assert gateway.calls == [("evaluate", "consents:permitted")]
    kept["value"] = 2
    assert set(frame["value"]) == {1}


def test_more_subjects_than_a_query_holds_are_asked_in_parts(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(pseudonyms(450)))
    gateway.calls.clear()
    frame = pd.DataFrame({"pseudonym": pseudonyms(460)})
    assert len(steward.consents.filter(frame, purpose=RESEARCH)) == 450
    assert len(gateway.calls) == 2


def test_filter_of_nothing_is_nothing(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    gateway.calls.clear()
    assert steward.consents.filter(pd.DataFrame({"pseudonym": []}), purpose=RESEARCH).empty
    assert gateway.calls == []


def test_filter_needs_the_subjects_column_and_a_known_purpose(ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["p"]))
    with pytest.raises(InputRejected) as caught:
        steward.consents.filter(pd.DataFrame({"subject": ["p"]}), purpose=RESEARCH)
    assert caught.value.code == "FRAME_COLUMNS"
    with pytest.raises(InputRejected) as caught:
        steward.consents.filter(pd.DataFrame({"pseudonym": ["p"]}), purpose="curiosity")
    assert caught.value.code == "FIELD_INVALID"


def test_a_withdrawal_counts_from_the_next_question_on(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["p", "q", "p"]))
    frame = pd.DataFrame({"pseudonym": ["p", "q"]})
    assert len(steward.consents.filter(frame, purpose=RESEARCH)) == 2
    withdrawn = steward.consents.withdraw(pseudonym="p")
    assert len(withdrawn) == 2
    assert list(steward.consents.filter(frame, purpose=RESEARCH)["pseudonym"]) == ["q"]
    assert {consent.state for consent in steward.consents.get(withdrawn)} == {"withdrawn"}
    assert steward.consents.withdraw(pseudonym="p") == ()
    with pytest.raises(LedgerRefused) as caught:
        steward.consents.withdraw(consent_id=withdrawn[0])
    assert caught.value.code == "CONSENT_ALREADY_WITHDRAWN"
    assert caught.value.fields == {"consent_id": withdrawn[0]}


def test_expiry_needs_no_transaction(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["p"]))
    frame = pd.DataFrame({"pseudonym": ["p"]})
    assert len(steward.consents.filter(frame, purpose=RESEARCH)) == 1
    gateway.memory.advance(timedelta(days=366))
    assert steward.consents.filter(frame, purpose=RESEARCH).empty


def submissions(gateway: LedgerGateway) -> int:
    return sum(step == "submit" for step, _ in gateway.calls)


def test_withdrawing_takes_no_more_steps_than_giving(gateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    gateway.calls.clear()
    steward.consents.import_frame(consent_frame(["p"]))
    giving = submissions(gateway)
    gateway.calls.clear()
    steward.consents.withdraw(pseudonym="p")
    assert 1 == submissions(gateway) <= giving
    assert not steward.consents.filter(pd.DataFrame({"pseudonym": ["p"]}), purpose=RESEARCH).size


def test_withdrawal_by_another_organization_is_refused(ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["p"]))
    (consent_id,) = steward.subjects.consents_of("p")
    with pytest.raises(LedgerRefused) as caught:
        ledger_of(RIVERSIDE, "steward").consents.withdraw(consent_id=consent_id)
    assert caught.value.code == "NOT_CUSTODIAN"


@pytest.mark.parametrize("arguments", [{}, {"consent_id": "consent-1", "pseudonym": "p"}])
def test_a_withdrawal_names_one_thing(ledger_of, arguments):
    with pytest.raises(InputRejected) as caught:
        ledger_of(NORTHGATE, "steward").consents.withdraw(**arguments)
    assert caught.value.code == "WITHDRAWAL_AMBIGUOUS"


def test_withdrawal_for_an_unknown_pseudonym_does_not_repeat_it(ledger_of):
    with pytest.raises(InputRejected) as caught:
        ledger_of(NORTHGATE, "steward").consents.withdraw(pseudonym="somebody-else")
    assert caught.value.code == "SUBJECT_UNKNOWN"
    assert "somebody-else" not in str(caught.value)


def test_an_overtaken_batch_is_made_again(gateway: LedgerGateway, ledger_of):
    steward = ledger_of(NORTHGATE, "steward")
    steward.consents.import_frame(consent_frame(["p"]))
    overtaking = ledger_of(NORTHGATE, "steward")
    running = []

    def overtake() -> None:
        # Of the next import's submits the first is the private one, the second is the one to overtake.
        # An import of other content: the same would go on with the one that is under way.
        running.append(overtaking.consents.import_frame(consent_frame(["p", "q"])))

    gateway.before_commit = [bool, overtake]
    steward.consents.import_frame(consent_frame(["p"]))
    assert len(running) == 1
    subject = steward.subjects.find(["p"])["p"].commitment
    held = canonical.decode(gateway.memory.state(f"subject/{subject}") or b"")
    assert len(held["consents"]) == 3
