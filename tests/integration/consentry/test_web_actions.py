"""Each action of an officer, from its page over the signer to its commit, on a running ledger."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame, pseudonyms
from support.web_process import Person, code_on, log_of, serving_pages, wait_for

pytestmark = pytest.mark.integration
MONTH = timedelta(days=30)
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"], "duo_terms": [RESEARCH]}
DONE = "Done: it is on the ledger"


@pytest.fixture(scope="module")
def people() -> list[str]:
    return pseudonyms(4, f"patient-{os.urandom(8).hex()}")


@pytest.fixture(scope="module")
def version(consortium: Any, people: list[str]) -> Any:
    """A dataset version of northgate's."""
    with consortium.ledger("northgate", "steward") as steward:
        steward.consents.import_frame(consent_frame(people))
        frame = pd.DataFrame({"pseudonym": people, "radius": [1.0, 2.0, 3.0, 4.0]})
        return steward.datasets.register_frame(frame, name=f"cells-{os.urandom(6).hex()}", **TERMS)


@pytest.fixture(scope="module")
def consents(consortium: Any, version: Any, people: list[str]) -> list[tuple[str, str]]:
    """Pseudonyms with their consents."""
    with consortium.ledger("northgate", "steward") as steward:
        subjects = steward.subjects.find(people)
        found = steward.transactions.evaluate("subjects:get", [subjects[name].commitment for name in people])
    by_subject = {entry["subject"]: entry["consents"][0] for entry in found}
    return [(name, by_subject[subjects[name].commitment]) for name in people]


@pytest.fixture
def request_id(consortium: Any, version: Any) -> str:
    """Riverside's request for it."""
    with consortium.ledger("riverside", "researcher") as researcher:
        made = researcher.grants.request([version.version_id], purposes=[RESEARCH], duration=MONTH)
    return str(made.request_id)


@pytest.fixture
def grant_id(consortium: Any, version: Any, request_id: str) -> str:
    """A grant for half of what was asked."""
    with consortium.ledger("northgate", "steward") as steward:
        made = steward.grants.grant(
            request_id, versions=[version.version_id], purposes=[RESEARCH], duration=MONTH / 2
        )
    return str(made.grant_id)


@pytest.fixture(scope="module")
def northgate(consortium: Any) -> Iterator[Any]:
    with serving_pages(consortium, "northgate", "dpo") as address:
        yield address


@pytest.fixture(scope="module")
def dpo(consortium: Any, northgate: Any) -> Iterator[Person]:
    person = Person(consortium, "northgate", "dpo", northgate)
    yield person
    person.close()


def days_on(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def test_a_request_is_reviewed_with_a_rationale_and_granted(
    consortium: Any, dpo: Person, version: Any, request_id: str
) -> None:
    page = f"/requests/{request_id}"
    wait_for(consortium, dpo, page, request_id)
    secret = f"The cohort is small {os.urandom(4).hex()}"
    fields = {"recommendation": "approve", "reasons": ["PURPOSE_FITS", "DATA_MINIMAL"], "rationale": secret}
    shown = dpo.act(page, f"{page}/review", **fields)
    assert shown.count("VALID") == 2
    assert DONE in shown
    assert secret not in shown
    wait_for(consortium, dpo, page, 'tag good">to grant')
    assert secret in dpo.get(f"{page}?rationales=true").text
    fields = {"versions": [version.version_id], "purposes": [RESEARCH], "until": days_on(10)}
    assert DONE in dpo.act(page, f"{page}/grant", **fields, maximum_uses="3")
    wait_for(consortium, dpo, page, "not yet valid")
    assert secret not in log_of(consortium, "northgate")


def test_a_grant_is_changed_renewed_narrowed_and_revoked(
    consortium: Any, dpo: Person, grant_id: str, version: Any
) -> None:
    page = f"/grants/{grant_id}"
    wait_for(consortium, dpo, page, grant_id)
    assert DONE in dpo.act(page, f"{page}/end", until=days_on(16))
    assert DONE in dpo.act(page, f"{page}/renew", until=days_on(20))
    wait_for(consortium, dpo, page, days_on(21))
    fields = {"versions": [version.version_id], "purposes": [RESEARCH], "until": days_on(5)}
    assert DONE in dpo.act(page, f"{page}/narrow", **fields, aggregate_output_only="true")
    assert DONE in dpo.act(page, f"{page}/revoke")
    shown = wait_for(consortium, dpo, page, "<td>revoked</td>")
    assert [shown.count(f"<td>{done}</td>") for done in ("end moved", "renewed", "narrowed")] == [1, 1, 1]
    assert "<svg" in shown
    with consortium.ledger("northgate", "dpo") as ledger:
        grant = ledger.grants.get(grant_id)
    assert (grant.state, grant.renewals, grant.conditions.aggregate_output_only) == ("revoked", 1, True)


def test_a_regulator_suspends_and_lifts(consortium: Any, grant_id: str) -> None:
    page = f"/grants/{grant_id}"
    with serving_pages(consortium, "regulator", "regulator") as address:
        person = Person(consortium, "regulator", "regulator", address)
        wait_for(consortium, person, page, grant_id)
        assert DONE in person.act(page, f"{page}/suspend")
        wait_for(consortium, person, page, "lift-suspension")
        assert DONE in person.act(page, f"{page}/lift-suspension")
        wait_for(consortium, person, page, "suspension lifted")
        person.close()


def test_reviews_are_demanded_by_a_policy(consortium: Any, dpo: Person) -> None:
    assert DONE in dpo.act("/requests", "/requests/policy", approvals="0")


def test_a_consent_is_withdrawn(consortium: Any, dpo: Person, consents: list[tuple[str, str]]) -> None:
    page = f"/consents/{consents[0][1]}/withdraw"
    wait_for(consortium, dpo, page, consents[0][1])
    assert DONE in dpo.act(page, page)
    assert "This consent is withdrawn." in wait_for(consortium, dpo, page, "is withdrawn.")
    with consortium.ledger("northgate", "dpo") as ledger:
        (found,) = ledger.transactions.evaluate("consents:get", [consents[0][1]])
    assert found["state"] == "withdrawn"


def test_an_objection_is_recorded_rejected_and_an_access_request_answered(
    consortium: Any, dpo: Person, consents: list[tuple[str, str]]
) -> None:
    pseudonym = consents[1][0]
    fields = {"pseudonym": pseudonym, "right": "objection", "purposes": [RESEARCH]}
    shown = dpo.act("/rights/new", "/rights/new", **fields)
    assert DONE in shown
    assert pseudonym not in shown
    page = shown.partition('href="/rights/')[2].partition('"')[0]
    wait_for(consortium, dpo, f"/rights/{page}", 'tag">received')
    steps = {"step": "rejected", "ground": "GDPR-21-1", "revision": "1"}
    assert DONE in dpo.act(f"/rights/{page}", f"/rights/{page}/step", **steps)
    shown = dpo.act("/rights/new", "/rights/new", pseudonym=pseudonym, right="access")
    page = shown.partition('href="/rights/')[2].partition('"')[0]
    wait_for(consortium, dpo, f"/rights/{page}", 'tag">received')
    assert DONE in dpo.act(f"/rights/{page}", f"/rights/{page}/step", step="accepted", revision="1")
    wait_for(consortium, dpo, f"/rights/{page}", "/fulfil")
    assert DONE in dpo.act(f"/rights/{page}", f"/rights/{page}/fulfil", revision="2")
    wait_for(consortium, dpo, f"/rights/{page}", 'tag">fulfilled')
    fields = {"recipients": "RiversideMSP LakesideMSP", "revision": "3"}
    assert DONE in dpo.act(f"/rights/{page}", f"/rights/{page}/notify", **fields)
    assert pseudonym not in log_of(consortium, "northgate")


def test_an_erasure_is_carried_out_by_its_two_transactions(
    consortium: Any, dpo: Person, consents: list[tuple[str, str]]
) -> None:
    pseudonym = consents[2][0]
    shown = dpo.act("/rights/new", "/rights/new", pseudonym=pseudonym, right="erasure")
    page = "/rights/" + shown.partition('href="/rights/')[2].partition('"')[0]
    wait_for(consortium, dpo, page, 'tag">received')
    assert DONE in dpo.act(page, f"{page}/step", step="accepted", revision="1")
    wait_for(consortium, dpo, page, "/erase")
    methods = dict.fromkeys(("collection", "custody", "datasets", "peer-files", "backups"), "key-destroyed")
    shown = dpo.act(page, f"{page}/erase", **methods, revision="2")
    assert DONE in shown
    assert shown.count("VALID") == 2
    shown = wait_for(consortium, dpo, page, 'tag">fulfilled')
    assert "1 private entries purged" in shown
    with consortium.ledger("northgate", "dpo") as ledger:
        found = ledger.rights.get(page.removeprefix("/rights/"))
        assert ledger.subjects.find([pseudonym]) == {}
    assert (found.state, found.purged, len(found.stores)) == ("fulfilled", 1, 5)
    assert pseudonym not in log_of(consortium, "northgate")


def test_a_breach_is_recorded_and_closed(consortium: Any, dpo: Person) -> None:
    fields = {"natures": ["integrity"], "categories": "imaging", "subject_count": "2", "record_count": "9"}
    shown = dpo.act("/breaches/new", "/breaches/new", **fields)
    assert DONE in shown
    page = "/breaches/" + shown.partition('href="/breaches/')[2].partition('"')[0]
    steps = {
        "authority-not-notified": "a risk is unlikely",
        "subjects-not-notified": "data subjects not told",
    }
    wait_for(consortium, dpo, page, "/step")
    for number, (step, words) in enumerate(steps.items(), 1):
        assert 'value="closed"' not in dpo.get(page).text
        assert DONE in dpo.act(page, f"{page}/step", step=step, revision=str(number))
        wait_for(consortium, dpo, page, f"<td>{'no notification: ' if number == 1 else ''}{words}")
    assert DONE in dpo.act(page, f"{page}/step", step="closed", revision="3", document="ab" * 32)
    shown = wait_for(consortium, dpo, page, "ab" * 32)
    assert "/step" not in shown


def test_nobody_of_that_pseudonym_is_said_so(dpo: Person) -> None:
    dpo.get("/rights/new")
    answer = dpo.post("/rights/new", pseudonym="<b>nobody</b>", right="access")
    assert answer.status_code == 400
    assert "The register has nobody of this pseudonym." in answer.text
    assert "nobody</b>" not in answer.text


def test_the_ledger_s_refusal_is_shown_in_words(consortium: Any, dpo: Person, grant_id: str) -> None:
    page = f"/grants/{grant_id}"
    wait_for(consortium, dpo, page, grant_id)
    with consortium.ledger("northgate", "steward") as steward:
        answer = dpo.post(f"{page}/revoke")
        steward.grants.revoke(grant_id)
    shown = dpo.get(answer.headers["location"]).text
    digest = "".join(shown.partition('class="digest">')[2].partition("<")[0].split())
    refused = dpo.command("web", "sign", code_on(shown), "--digest", digest)
    assert refused.exit_code == 1
    assert getattr(refused.exception, "code", "") == "GRANT_ALREADY_REVOKED"
    shown = dpo.get(answer.headers["location"]).text
    assert f"Grant {grant_id} was revoked before." in shown
    assert "Refused: nothing was changed" in shown


def test_an_action_is_signed_on_a_machine_apart(
    consortium: Any, dpo: Person, grant_id: str, tmp_path: Path
) -> None:
    page = f"/grants/{grant_id}"
    wait_for(consortium, dpo, page, grant_id)
    place = dpo.post(f"{page}/revoke").headers["location"]
    for _ in range(2):
        file = tmp_path / "to-sign.json"
        file.write_text(dpo.get(f"{place}/file").text)
        shown = dpo.get(place).text
        digest = "".join(shown.partition('class="digest">')[2].partition("<")[0].split())
        signed = dpo.command("web", "sign", "--file", str(file), "--digest", digest)
        assert signed.exit_code == 0, signed.output
        assert "Revoke a grant" in signed.stderr
        assert dpo.post(f"{place}/signed", signed=signed.stdout).status_code == 303
    wait_for(consortium, dpo, place, DONE)
    with consortium.ledger("northgate", "dpo") as ledger:
        assert ledger.grants.get(grant_id).state == "revoked"


def test_what_is_declined_at_the_signer_is_not_done(consortium: Any, dpo: Person, grant_id: str) -> None:
    page = f"/grants/{grant_id}"
    wait_for(consortium, dpo, page, grant_id)
    place = dpo.post(f"{page}/revoke").headers["location"]
    code = code_on(dpo.get(place).text)
    other = dpo.command("web", "sign", code, "--digest", "sha256:" + "0" * 64)
    assert getattr(other.exception, "code", "") == "DIGEST_DIFFERS"
    no = dpo.command("web", "sign", code, typed="n\n")
    assert getattr(no.exception, "code", "") == "DECLINED"
    assert "You declined it at your computer" in dpo.get(place).text
    steward = Person(consortium, "northgate", "steward", dpo.address)
    code = code_on(dpo.get(dpo_offer(dpo, page)).text)
    stranger = steward.command("web", "sign", code)
    assert getattr(stranger.exception, "code", "") == "CODE_UNKNOWN"
    steward.close()


def dpo_offer(dpo: Person, page: str) -> str:
    """Where the action is that another revocation leads to."""
    dpo.get(page)
    return str(dpo.post(f"{page}/revoke").headers["location"])


def test_who_lacks_the_role_is_offered_nothing(consortium: Any, northgate: Any, grant_id: str) -> None:
    auditor = Person(consortium, "northgate", "auditor", northgate)
    page = f"/grants/{grant_id}"
    wait_for(consortium, auditor, page, grant_id)
    assert f"{page}/revoke" not in auditor.page.text
    auditor.get("/requests")
    for path in (f"{page}/revoke", f"{page}/suspend", f"{page}/lift-suspension"):
        assert auditor.post(path, form="0" * 32).status_code == 403
    auditor.close()
