"""A permit as a GA4GH visa (Passport v1, ControlledAccessGrants): a JWT that the custodian signs with ES256.

A visa goes where no ledger is asked. It therefore ends soon, never after the permit, and is made only while
the grant still holds: a revocation takes effect when the visa ends.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from consentry.errors import InputRejected
from consentry.renderings.fields import CONSTANT, Field
from consentry.renderings.names import record_digest
from consentry.renderings.sources import DecisionSource
from consentry_records.access import ROWS
from consentry_records.grant import Grant, Suspension
from consentry_records.grant_rules import Use, grant_refusals
from consentry_records.instants import parse_instant, shift
from consentry_records.reasons import words
from consentry_records.rules import is_suspended
from consentry_records.settings import Settings

ALGORITHM = "ES256"
DEFAULT_LIFETIME_SECONDS = 3600
MAXIMUM_URL = 255
MEDIA_TYPE = "vnd.ga4gh.visa+jwt"
_THUMBPRINT_MEMBERS = ("crv", "kty", "x", "y")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisaIssuer:
    """Who issues: an HTTPS URL (`iss`), the URL of its key set (`jku`), and how long a visa holds in seconds.

    `source` is the URL of the custodian on whose word the visa rests.
    """

    url: str
    key_set_url: str
    source: str
    lifetime_seconds: int = DEFAULT_LIFETIME_SECONDS

    def __post_init__(self) -> None:
        """Refuse URLs that a visa cannot carry.

        Raises:
            InputRejected: VISA_URL_INVALID, VISA_LIFETIME_INVALID.
        """
        for url in (self.url, self.key_set_url, self.source):
            if len(url) > MAXIMUM_URL or urlsplit(url).scheme != "https" or not urlsplit(url).netloc:
                raise InputRejected(
                    "VISA_URL_INVALID",
                    f"a visa needs HTTPS URLs of at most {MAXIMUM_URL} characters, got {url!r}",
                )
        if self.lifetime_seconds < 1:
            raise InputRejected("VISA_LIFETIME_INVALID", "a visa holds for at least one second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the grant behind a permit stands now; `at` is the instant of the look."""

    grant: Grant
    suspension: Suspension | None
    settings: Settings
    at: str


def visa_claims(source: DecisionSource, standing: Standing, issuer: VisaIssuer) -> dict[str, Any]:
    """The claims of the visa on a permit; `sub` is the requester's enrolment id.

    Raises:
        InputRejected: VISA_WITHOUT_PERMIT, VISA_WITHOUT_GRANT, VISA_TOO_LATE, VISA_GRANT_OVER, VISA_COLUMNS,
            VISA_OUTPUT.
    """
    end = _permit_end(source, standing)
    if source.attempt.columns:
        raise InputRejected(
            "VISA_COLUMNS", "the permit is for some columns; a visa can only speak of the whole version"
        )
    if source.attempt.output != ROWS:
        raise InputRejected(
            "VISA_OUTPUT", "the permit is for aggregates or a function; a visa can only speak of the data"
        )
    last = min(end, shift(standing.at, 1000 * issuer.lifetime_seconds))
    value = f"{issuer.url.rstrip('/')}/versions/{source.version.version_id}"
    if len(value) > MAXIMUM_URL:
        raise InputRejected("VISA_URL_INVALID", f"{value} is longer than {MAXIMUM_URL} characters")
    return {
        "iss": issuer.url,
        "sub": source.attempt.requester,
        "iat": _seconds(standing.at),
        "exp": _seconds(last),
        "jti": source.attempt.attempt_id,
        "ga4gh_visa_v1": {
            "type": "ControlledAccessGrants",
            "asserted": _seconds(source.decision.decided_at),
            "value": value,
            "source": issuer.source,
            "by": "dac",
        },
        "consentry_decision": record_digest(source.decision),
    }


def sign_visa(claims: dict[str, Any], key: ec.EllipticCurvePrivateKey, issuer: VisaIssuer) -> str:
    """The visa as a signed JWT (JWS compact serialization).

    Raises:
        InputRejected: VISA_KEY_INVALID, not a P-256 key.
    """
    if not isinstance(key.curve, ec.SECP256R1):
        raise InputRejected("VISA_KEY_INVALID", "a visa is signed with a P-256 key (ES256)")
    headers = {"typ": MEDIA_TYPE, "kid": key_id(key.public_key()), "jku": issuer.key_set_url}
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers=headers)


def key_set(key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    """The JWK set (RFC 7517) to be published at `jku`."""
    return {"keys": [{**_jwk(key), "kid": key_id(key), "alg": ALGORITHM, "use": "sig"}]}


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """The key's thumbprint (RFC 7638)."""
    members = _jwk(key)
    text = json.dumps({member: members[member] for member in _THUMBPRINT_MEMBERS}, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(text.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def _permit_end(source: DecisionSource, standing: Standing) -> str:
    decision, grant = source.decision, standing.grant
    if not decision.permits or decision.permit_not_after is None:
        raise InputRejected("VISA_WITHOUT_PERMIT", "access was denied: there is nothing to issue a visa on")
    if decision.grant_id != grant.grant_id:
        raise InputRejected("VISA_WITHOUT_GRANT", "the permit does not rest on this grant")
    if standing.at >= decision.permit_not_after:
        raise InputRejected("VISA_TOO_LATE", f"the permit ended at {decision.permit_not_after}")
    refusals = grant_refusals(
        grant,
        source.version,
        Use.of(source.attempt, standing.settings),
        suspended=is_suspended(grant.grant_id, [standing.suspension] if standing.suspension else []),
        settings=standing.settings,
        at=standing.at,
    )
    if refusals or source.version.version_id not in grant.versions:
        why = "; ".join(words(reason) for reason in refusals) or "the grant was narrowed"
        raise InputRejected("VISA_GRANT_OVER", f"the grant does not hold any more: {why}")
    return min(decision.permit_not_after, grant.not_after)


def _jwk(key: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    return ECAlgorithm.to_jwk(key, as_dict=True)


def _seconds(instant: str) -> int:
    """Whole seconds since 1970, cut: no visa ends later than its permit."""
    return int(parse_instant(instant).timestamp())


FIELDS = (
    Field("header alg", "alg", CONSTANT),
    Field("header typ", "typ", CONSTANT),
    Field("header kid", "kid", "issuer.key"),
    Field("header jku", "jku", "issuer.key_set_url"),
    Field("iss", "iss", "issuer.url"),
    Field("sub", "sub", "attempt.requester"),
    Field("iat", "iat", "standing.at"),
    Field("exp", "exp", "decision.permit_not_after, issuer.lifetime_seconds"),
    Field("jti", "jti", "attempt.attempt_id", required=False),
    Field("ga4gh_visa_v1.type", "ga4gh_visa_v1.type", CONSTANT),
    Field("ga4gh_visa_v1.asserted", "ga4gh_visa_v1.asserted", "decision.decided_at"),
    Field("ga4gh_visa_v1.value", "ga4gh_visa_v1.value", "issuer.url, version.version_id"),
    Field("ga4gh_visa_v1.source", "ga4gh_visa_v1.source", "issuer.source"),
    Field("ga4gh_visa_v1.by", "ga4gh_visa_v1.by", CONSTANT),
)
"""Header and claims of a GA4GH visa of type ControlledAccessGrants."""
