"""Reviews: one of each reviewer, rationale private, and a grant only as its custodian demands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support import ledger_examples as examples
from support.consortium import Consortium
from support.ledger_examples import LAKESIDE, NORTHGATE, RIVERSIDE, identifier

from consentry_records import Review, keys
from consentry_records.digest import sha256_digest
from consentry_records.duo import match
from consentry_records.private_entries import read_associated_data
from consentry_records.review import encode_rationale, rationale_key
from fabric_testing import Signatory

REQUEST = identifier("request")
DIABETES, MODY_1, GLIOBLASTOMA = "MONDO:0005015", "MONDO:0007452", "MONDO:0018177"
OBSOLETE, UNKNOWN = "MONDO:0000010", "MONDO:9999999"
RATIONALE = encode_rationale(b"s" * 32, "the cohort is small")


async def requested(consortium: Consortium, **changes: Any) -> None:
    await consortium.register_version(1, diseases=changes.pop("dataset_diseases", ()))
    researcher = consortium.person("researcher", RIVERSIDE)
    await consortium.submit(researcher, "grants:request", examples.new_request(1, **changes))


async def review(consortium: Consortium, reviewer: Signatory, **changes: Any) -> None:
    await consortium.submit(reviewer, "reviews:record", examples.new_review(1, **changes))


async def give(consortium: Consortium, **changes: Any) -> None:
    fields = {"not_before": consortium.instant(), "not_after": consortium.instant(60)}
    await consortium.submit(
        consortium.person("dpo"), "grants:grant", examples.new_grant(1, **{**fields, **changes})
    )


async def demand(consortium: Consortium, approvals: int, *roles: str) -> None:
    policy = {"approvals": approvals, "required_roles": list(roles)}
    await consortium.submit(consortium.person("dpo"), "reviews:set_policy", policy)


async def test_a_grant_waits_for_the_reviews_that_its_custodian_demands(consortium: Consortium) -> None:
    await requested(consortium)
    await demand(consortium, 2, "ethics")
    assert await consortium.refusal(give(consortium)) == "REVIEWS_MISSING"
    await review(consortium, consortium.person("dpo"))
    await review(consortium, consortium.person("steward"))
    assert await consortium.refusal(give(consortium)) == "REVIEW_ROLE_MISSING"
    await review(consortium, consortium.person("ethics"))
    await give(consortium)
    found = await consortium.evaluate(consortium.person("auditor", LAKESIDE), "reviews:list", REQUEST)
    assert sorted(len(one["roles"]) for one in found["reviews"]) == [1, 1, 1]


async def test_no_review_is_left_out_however_many_there_are(consortium: Consortium) -> None:
    await requested(consortium)
    said = [("a", "approve")] * 33 + [("b", "reject")] * 40
    for number, (name, recommendation) in enumerate(said):
        role = {"consentry.role": "ethics"}
        reviewer = consortium.ledger.caller(NORTHGATE, attributes=role, common_name=f"{name}-{number}")
        await review(consortium, reviewer, recommendation=recommendation)
    assert await consortium.refusal(give(consortium)) == "REVIEWS_REJECT"
    found = await consortium.evaluate(consortium.person(""), "reviews:list", REQUEST)
    assert len(found["reviews"]) == len(said)


async def test_a_review_that_commits_meanwhile_voids_the_grant(consortium: Consortium) -> None:
    await requested(consortium)
    fields = {"not_before": consortium.instant(), "not_after": consortium.instant(60)}
    held = await consortium.ledger.endorse(
        consortium.person("dpo"), "grants:grant", examples.new_grant(1, **fields)
    )
    await review(consortium, consortium.person("ethics"), recommendation="reject")
    assert consortium.ledger.commit([held])[0].code == "PHANTOM_READ_CONFLICT"
    assert await consortium.refusal(give(consortium)) == "REVIEWS_REJECT"


async def test_who_may_not_review(consortium: Consortium) -> None:
    await requested(consortium)
    steward = consortium.person("steward")
    await review(consortium, steward)
    assert await consortium.refusal(review(consortium, steward)) == "REVIEW_EXISTS"
    other = consortium.person("dpo", LAKESIDE)
    assert await consortium.refusal(review(consortium, other)) == "REVIEW_NOT_CONCERNED"
    both = consortium.person("researcher,steward")
    await consortium.submit(both, "grants:request", examples.new_request(2))
    own = consortium.submit(both, "reviews:record", examples.new_review(2))
    assert await consortium.refusal(own) == "REVIEWER_IS_REQUESTER"
    unknown = consortium.submit(steward, "reviews:record", examples.new_review(9))
    assert await consortium.refusal(unknown) == "REQUEST_NOT_FOUND"


async def test_a_rationale_is_private_and_its_digest_is_checked(consortium: Consortium) -> None:
    await requested(consortium)
    dpo, digest = consortium.person("dpo"), sha256_digest(RATIONALE)
    early = review(consortium, dpo, rationale_digest=digest)
    assert await consortium.refusal(early) == "RATIONALE_MISSING"
    transient = {"rationale": RATIONALE}
    stored = await consortium.submit(dpo, "reviews:store_rationale", REQUEST, transient=transient)
    assert stored.endorsers == (NORTHGATE,)
    again = consortium.submit(dpo, "reviews:store_rationale", REQUEST, transient=transient)
    assert await consortium.refusal(again) == "RATIONALE_EXISTS"
    wrong = review(consortium, dpo, rationale_digest=examples.digest())
    assert await consortium.refusal(wrong) == "RATIONALE_DIFFERS"
    await review(consortium, dpo, rationale_digest=digest)
    name = dpo.identity.common_name
    record = consortium.record(Review, keys.review(REQUEST, NORTHGATE, name))
    assert (record.rationale_digest, record.match) == (digest, "yes")
    assert not any(b"cohort" in value for value in consortium.ledger.states().values())
    key = b"k" * 32
    answer = await consortium.evaluate(
        consortium.person("ethics"), "reviews:read_rationale", REQUEST, name, transient={"key": key}
    )
    assert json.loads(opened(key, answer, rationale_key(REQUEST, name)))["text"] == "the cohort is small"


async def test_what_is_no_rationale_is_not_stored(consortium: Consortium) -> None:
    await requested(consortium)
    for value in (b"", b"{}", b'{"text":"x","salt":"00"}', b"\xff", RATIONALE + b" ", b"x" * 20_000):
        call = consortium.submit(
            consortium.person("dpo"), "reviews:store_rationale", REQUEST, transient={"rationale": value}
        )
        assert await consortium.refusal(call) == "TRANSIENT_INVALID"


async def test_the_terms_answer_before_a_person_does(consortium: Consortium) -> None:
    await consortium.register_version(1, duo_terms=("DUO:0000006", "DUO:0000018"))
    await consortium.register_version(2, duo_terms=("DUO:0000020",))
    versions = (identifier("version", 1), identifier("version", 2))
    request = examples.new_request(1, versions=versions, commercial=True)
    await consortium.submit(consortium.person("researcher", RIVERSIDE), "grants:request", request)
    found = await consortium.evaluate(consortium.person(""), "reviews:match", REQUEST)
    assert [found["versions"][version]["outcome"] for version in versions] == ["no", "person"]
    assert await consortium.refusal(give(consortium)) == "GRANT_EXCLUDED_BY_TERMS"
    await give(consortium, versions=versions[1:])
    granted = await consortium.evaluate(consortium.person(""), "grants:get", identifier("grant"))
    assert granted["match"] == "person"
    asked = await consortium.evaluate(consortium.person(""), "grants:get_request", REQUEST)
    assert asked["commercial"] is True


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [(MODY_1, "yes"), (GLIOBLASTOMA, "no"), (OBSOLETE, "person"), (UNKNOWN, "person")],
)
async def test_diseases_go_by_the_same_hierarchy_on_the_ledger_and_off_it(
    consortium: Consortium, asked: str, outcome: str
) -> None:
    terms = {"duo_terms": ("DUO:0000007",), "diseases": (DIABETES,)}
    await consortium.register_version(1, **terms)
    request = examples.new_request(1, purposes=("DUO:0000007",), diseases=(asked,))
    await consortium.submit(consortium.person("researcher", RIVERSIDE), "grants:request", request)
    found = await consortium.evaluate(consortium.person(""), "reviews:match", REQUEST)
    off_it = match(request, examples.version(**terms))
    assert found["algorithm"] == "duo-match/2"
    assert found["versions"][identifier("version", 1)] == {
        "outcome": off_it.outcome,
        "reasons": [reason.to_dict() for reason in off_it.reasons],
    }
    assert off_it.outcome == outcome


def opened(key: bytes, answer: dict[str, str], name: str) -> bytes:
    import base64

    nonce, ciphertext = (base64.b64decode(answer[part]) for part in ("nonce", "ciphertext"))
    return AESGCM(key).decrypt(nonce, ciphertext, read_associated_data(name))
