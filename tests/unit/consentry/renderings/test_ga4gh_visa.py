"""Visas: signed, verified by the published key alone, ended with the permit, refused where nothing stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support import ledger_examples
from support import rendering_examples as examples
from support.rendering_examples import ISSUER, decided, denial, permit, standing

from consentry.errors import InputRejected
from consentry.renderings import VisaIssuer, key_set, sign_visa, visa_claims
from consentry_records import Grant
from consentry_records.instants import parse_instant, shift

KEY = ec.generate_private_key(ec.SECP256R1())


def verified(token: str, keys: dict[str, Any]) -> dict[str, Any]:
    """The claims, verified as a passport clearinghouse does: by the key set, found by `kid`."""
    header = jwt.get_unverified_header(token)
    key = jwt.PyJWKSet.from_dict(keys)[header["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=["ES256"],
        issuer=ISSUER.url,
        options={"verify_exp": False, "verify_iat": False},
    )
    return claims


def test_a_visa_is_verified_with_the_published_key() -> None:
    token = sign_visa(visa_claims(decided(), standing(), ISSUER), KEY, ISSUER)
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"], header["jku"]) == (
        "ES256",
        "vnd.ga4gh.visa+jwt",
        ISSUER.key_set_url,
    )
    claims = verified(token, key_set(KEY.public_key()))
    visa = claims["ga4gh_visa_v1"]
    assert (claims["iss"], claims["sub"], claims["jti"]) == (
        ISSUER.url,
        "riverside-1",
        decided().attempt.attempt_id,
    )
    assert (visa["type"], visa["by"], visa["source"]) == ("ControlledAccessGrants", "dac", ISSUER.source)
    assert visa["value"] == f"{ISSUER.url}/versions/{examples.version().version_id}"
    assert visa["asserted"] == parse_instant(permit().decided_at).timestamp()
    assert claims["iat"] < claims["exp"] <= claims["iat"] + ISSUER.lifetime_seconds


def test_no_other_key_and_no_altered_visa_is_accepted() -> None:
    token = sign_visa(visa_claims(decided(), standing(), ISSUER), KEY, ISSUER)
    other = key_set(ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(KeyError):
        verified(token, other)
    head, _, signature = token.split(".")
    forged = jwt.encode(visa_claims(decided(), standing(), ISSUER) | {"sub": "other"}, KEY, algorithm="ES256")
    with pytest.raises(jwt.InvalidSignatureError):
        verified(".".join((head, forged.split(".")[1], signature)), key_set(KEY.public_key()))


@pytest.mark.parametrize("seconds", [1, 600, 10**9])
def test_a_visa_never_outlives_its_permit(seconds: int) -> None:
    issuer = VisaIssuer(
        url=ISSUER.url, key_set_url=ISSUER.key_set_url, source=ISSUER.source, lifetime_seconds=seconds
    )
    claims = visa_claims(decided(), standing(), issuer)
    end = permit().permit_not_after
    assert end is not None
    assert claims["exp"] <= parse_instant(end).timestamp()
    assert claims["exp"] <= claims["iat"] + seconds


def refused(**changes: Any) -> str:
    source = changes.pop("source", decided())
    with pytest.raises(InputRejected) as caught:
        visa_claims(source, standing(**changes), ISSUER)
    return caught.value.code


def test_where_nothing_stands_there_is_no_visa() -> None:
    def changed(**changes: Any) -> Grant:
        return Grant.from_dict(examples.grant().to_dict() | changes)

    assert refused(source=decided(decision=denial())) == "VISA_WITHOUT_PERMIT"
    assert refused(grant=ledger_examples.grant(2)) == "VISA_WITHOUT_GRANT"
    assert refused(at=permit().permit_not_after) == "VISA_TOO_LATE"
    assert refused(grant=changed(state="revoked")) == "VISA_GRANT_OVER"
    assert refused(suspension=ledger_examples.suspension()) == "VISA_GRANT_OVER"
    assert refused(grant=changed(purposes=["DUO:0000007"])) == "VISA_GRANT_OVER"
    narrower = changed(versions=[ledger_examples.identifier("version", 2)])
    assert refused(grant=narrower) == "VISA_GRANT_OVER"
    assert refused(grant=changed(not_after=examples.MIDDLE)) == "VISA_GRANT_OVER"
    emergency = permit(grant_id=None, emergency="LIFE_THREATENING", use=None)
    assert refused(source=decided(decision=emergency)) == "VISA_WITHOUT_GRANT"


def test_a_permit_for_some_columns_gets_no_visa_for_the_whole_version() -> None:
    source = replace(decided(), attempt=examples.attempt(columns=("age",)))
    assert refused(source=source) == "VISA_COLUMNS"


def test_a_permit_for_a_function_gets_no_visa_for_the_data() -> None:
    computed = {"output": "aggregate", "function_digest": ledger_examples.digest("function")}
    for changes in (computed, {"output": "aggregate"}):
        source = replace(decided(), attempt=examples.attempt(**changes))
        assert refused(source=source) == "VISA_OUTPUT"


def test_a_shortened_grant_shortens_the_visa() -> None:
    end = shift(examples.MIDDLE, 60_000)
    shorter = Grant.from_dict(examples.grant().to_dict() | {"not_after": end})
    claims = visa_claims(decided(), standing(grant=shorter), ISSUER)
    assert claims["exp"] == parse_instant(end).timestamp()


@pytest.mark.parametrize(
    "url", ["http://a.example", "https:///x", "", "ftp://a.example", "https://a.example/" + "x" * 255]
)
def test_urls_that_a_visa_cannot_carry_are_refused(url: str) -> None:
    with pytest.raises(InputRejected) as caught:
        VisaIssuer(url=url, key_set_url=ISSUER.key_set_url, source=ISSUER.source)
    assert caught.value.code == "VISA_URL_INVALID"


def test_a_key_of_another_curve_is_refused() -> None:
    with pytest.raises(InputRejected) as caught:
        sign_visa({}, ec.generate_private_key(ec.SECP384R1()), ISSUER)
    assert caught.value.code == "VISA_KEY_INVALID"
    with pytest.raises(InputRejected) as caught:
        VisaIssuer(url=ISSUER.url, key_set_url=ISSUER.url, source=ISSUER.url, lifetime_seconds=0)
    assert caught.value.code == "VISA_LIFETIME_INVALID"
