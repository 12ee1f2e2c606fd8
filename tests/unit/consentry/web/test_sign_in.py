"""Signing in: by a signed challenge, once, in time, by a member of this organization, at this origin."""

from __future__ import annotations

import pytest
from fabric_protos.common import common_pb2
from fabric_protos.peer import proposal_pb2, proposal_response_pb2
from google.protobuf.message import DecodeError
from support.web_bench import ORIGIN, START, WebBench, answer_to

from consentry.errors import InputRejected
from consentry.web.application import CHALLENGES_A_MINUTE
from consentry.web.challenges import DOMAIN, Challenge
from consentry.web.sessions import COOKIE, IDLE_SECONDS, LONGEST_SECONDS


def cookie(browser) -> str:
    return browser.client.cookies.get(COOKIE, domain="trail.northgate.example") or ""


def test_an_officer_signs_in_and_out(bench):
    browser = bench.browser()
    officer = bench.officer("dpo")
    answer = browser.sign_in(officer)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    shown = browser.get("/")
    assert shown.status_code == 200
    assert "data protection officer" in shown.text
    assert browser.post("/sign-out").status_code == 303
    assert browser.get("/").status_code == 200
    assert "sign-in-1." in browser.last.text


def test_the_cookie_is_the_browsers_alone(bench):
    answer = bench.browser().get("/sign-in")
    attributes = answer.headers["set-cookie"].lower()
    assert attributes.startswith("__host-consentry=")
    for attribute in ("secure", "httponly", "samesite=strict", "path=/"):
        assert attribute in attributes
    assert "domain=" not in attributes


def test_signing_in_gives_another_session(bench):
    browser = bench.browser()
    challenge = browser.challenge()
    before = cookie(browser)
    browser.post("/sign-in", answer=answer_to(challenge, bench.officer("dpo")))
    assert cookie(browser) not in ("", before)
    fixed = bench.browser()
    fixed.client.cookies.set(COOKIE, before, domain="trail.northgate.example")
    assert "sign-in-1." in fixed.get("/").text


def test_a_cookie_of_ones_own_making_is_no_session(bench):
    browser = bench.browser()
    browser.client.cookies.set(COOKIE, "chosen-by-somebody", domain="trail.northgate.example")
    browser.get("/sign-in")
    assert "chosen-by-somebody" not in browser.last.headers["set-cookie"]


def test_a_challenge_is_answered_once(bench):
    browser = bench.browser()
    challenge = browser.challenge()
    officer = bench.officer("dpo")
    browser.post("/sign-in", answer="signed-1.AAAA.AAAA")
    refused = browser.post("/sign-in", answer=answer_to(challenge, officer))
    assert refused.status_code == 401
    assert "is not one to this challenge" in refused.text


def test_an_expired_challenge_is_refused(bench):
    browser = bench.browser()
    answer = answer_to(browser.challenge(), bench.officer("dpo"))
    bench.pass_time(61)
    refused = browser.post("/sign-in", answer=answer)
    assert refused.status_code == 401
    assert "had expired" in refused.text


def test_anothers_challenge_is_refused(bench):
    """Whoever lures an officer into signing for a page of his own is not signed in by that."""
    attacker, victim = bench.browser(), bench.browser()
    victim.get("/sign-in")
    answer = answer_to(attacker.challenge(), bench.officer("dpo"))
    assert victim.post("/sign-in", answer=answer).status_code == 401


def test_a_challenge_of_another_origin_is_refused(bench):
    browser = bench.browser()
    made = browser.challenge()
    other = Challenge("https://evil.example", made.channel, made.nonce, made.expires_at)
    assert browser.post("/sign-in", answer=answer_to(other, bench.officer("dpo"))).status_code == 401


def test_members_of_other_organizations_are_refused(bench):
    refused = bench.browser().sign_in(bench.officer("dpo", organization=bench.other))
    assert refused.status_code == 403
    assert "own organization" in refused.text


def test_strangers_are_refused(bench):
    from support.sample_organizations import SampleOrganization

    stranger = bench.officer("dpo", organization=SampleOrganization("NorthgateMSP"))
    assert bench.browser().sign_in(stranger).status_code == 401


def test_an_expired_certificate_is_refused(bench):
    assert bench.browser().sign_in(bench.officer("dpo", valid_days=3)).status_code == 401


def test_a_revoked_certificate_ends_its_sessions(bench):
    officer = bench.officer("dpo")
    browser = bench.browser()
    browser.sign_in(officer)
    assert browser.get("/").status_code == 200
    bench.revoke(officer)
    assert "sign-in-1." in browser.get("/").text
    assert bench.browser().sign_in(officer).status_code == 401


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "x",
        "signed-1.",
        "signed-1.AA",
        "signed-1.AA.AA.AA",
        "signed-1.é.AA",
        "sign-in-1.AAAA.AAAA",
        "A" * 30_000,
    ],
)
def test_what_is_no_answer_is_refused(bench, answer):
    browser = bench.browser()
    browser.challenge()
    assert browser.post("/sign-in", answer=answer).status_code in (400, 401)


def test_a_session_ends_when_nobody_uses_it(bench):
    browser = bench.signed_in("dpo")
    bench.pass_time(IDLE_SECONDS - 1)
    assert "sign-in-1." not in browser.get("/").text
    bench.pass_time(IDLE_SECONDS)
    assert "sign-in-1." in browser.get("/").text


def test_a_session_ends_however_much_it_is_used(bench):
    browser = bench.signed_in("dpo")
    for _ in range(LONGEST_SECONDS // (IDLE_SECONDS - 60) + 1):
        bench.pass_time(IDLE_SECONDS - 60)
        last = browser.get("/").text
    assert "sign-in-1." in last


def test_two_officers_at_once_have_sessions_of_their_own(bench):
    first, second = bench.signed_in("dpo"), bench.signed_in("auditor")
    assert "data protection officer" in first.get("/").text
    assert "data protection officer" not in second.get("/").text
    first.post("/sign-out")
    assert "sign-in-1." not in second.get("/").text


def test_the_page_that_was_wanted_is_shown_after_signing_in(bench):
    browser = bench.browser()
    browser.get("/?block=7")
    code = browser.last.text.partition("web sign-in ")[2].partition("<")[0]
    answer = browser.post("/sign-in", answer=answer_to(Challenge.from_code(code), bench.officer("dpo")))
    assert answer.headers["location"] == "/?block=7"


def test_a_link_followed_from_elsewhere_goes_on_with_the_session(bench):
    browser = bench.browser()
    shown = browser.get("/", headers={"sec-fetch-site": "cross-site"})
    assert 'http-equiv="refresh"' in shown.text
    assert "set-cookie" not in shown.headers


def test_challenges_are_not_given_without_end(bench):
    browser = bench.browser()
    answers = [browser.get("/sign-in").status_code for _ in range(CHALLENGES_A_MINUTE + 5)]
    assert answers == [200] * CHALLENGES_A_MINUTE + [429] * 5
    assert bench.browser("198.51.100.2").get("/sign-in").status_code == 200
    bench.pass_time(60)
    assert browser.get("/sign-in").status_code == 200


def test_a_signed_challenge_can_never_be_a_transaction():
    challenge = Challenge(ORIGIN, "consentry", "A" * 43, int(START.timestamp()))
    assert challenge.message.startswith(DOMAIN)
    messages = (
        common_pb2.Envelope,
        common_pb2.Payload,
        common_pb2.BlockHeader,
        proposal_pb2.Proposal,
        proposal_pb2.SignedProposal,
        proposal_response_pb2.ProposalResponsePayload,
    )
    for message in messages:
        with pytest.raises(DecodeError):
            message.FromString(challenge.message)


def test_a_code_says_what_is_signed():
    challenge = Challenge(ORIGIN, "consentry", "A" * 43, 1)
    assert Challenge.from_code(challenge.code) == challenge


@pytest.mark.parametrize(
    "code",
    [
        "",
        "x",
        "sign-in-1.",
        "sign-in-1.AAAA",
        "sign-in-1.e30",
        Challenge("http://a.example", "c", "A" * 43, 1).code,
        Challenge("https://a.example/\x1b[2J", "c", "A" * 43, 1).code,
        Challenge(ORIGIN, "c", "A", 1).code,
    ],
)
def test_what_is_no_code_is_refused(code):
    with pytest.raises(InputRejected, match="SIGN_IN_CODE_INVALID"):
        Challenge.from_code(code)


def test_a_regulators_pages_are_its_own_officers_only(filled):
    bench = WebBench(filled[0], kind="regulator", msp_id="RegulatorMSP")
    assert bench.signed_in("regulator").get("/").status_code == 200
    assert bench.browser().sign_in(bench.officer("regulator", organization=bench.other)).status_code == 403
