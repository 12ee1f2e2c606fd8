"""A client of a certificate authority with Fabric CA's REST interface (v1.5): enrol, register, revoke."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import ssl
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from consentry.errors import ConfigurationError, EnrolmentError, InputRejected
from consentry.identity import ROLE_ATTRIBUTE, WalletIdentity
from consentry.profile import AuthorityEndpoint
from fabric_protocol.certificates import certificate_pem, key_pem, new_private_key

_TIMEOUT_SECONDS = 15.0


def new_enrolment_id() -> str:
    """Return a random enrolment id (32 hex): certificates carry it in place of a name (DESIGN §8)."""
    return secrets.token_hex(16)


class CaClient:
    """One organization's certificate authority; a context manager that closes its connections.

    Example:
        with CaClient(organization.ca, "NorthgateMSP") as ca:
            registrar = ca.enroll(registrar_id, registrar_secret)
            secret = ca.register(registrar, user_id, {"consentry.role": "steward"})
            steward = ca.enroll(user_id, secret)
    """

    def __init__(
        self, authority: AuthorityEndpoint, msp_id: str, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Prepare a client for the authority of `msp_id`; `transport` replaces the network in tests.

        Raises:
            ConfigurationError: the TLS roots cannot be read.
        """
        self._name = authority.name
        self._msp_id = msp_id
        self._client = httpx.Client(
            base_url=authority.url,
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
            verify=_tls_context(authority.read_tls_roots()),
            transport=transport,
        )

    def enroll(
        self, enrolment_id: str, secret: str, *, attributes: Sequence[str] = (ROLE_ATTRIBUTE,)
    ) -> WalletIdentity:
        """Make a key, have a certificate issued for it, and return both.

        Only the named attributes are asked for, so that no other CA's defaults (`hf.EnrollmentID`, …) enter.

        Raises:
            EnrolmentError: CA_REFUSED (wrong id or secret, used up), CA_UNREACHABLE, CA_ANSWER_INVALID.
        """
        key = new_private_key()
        body = self._certificate_request(enrolment_id, key, attributes)
        credentials = base64.b64encode(f"{enrolment_id}:{secret}".encode()).decode()
        result = self._post("enroll", _encoded(body), f"Basic {credentials}")
        certificate = _issued_certificate(result, enrolment_id, key)
        return WalletIdentity(self._msp_id, certificate_pem(certificate), key_pem(key))

    def reenroll(
        self, identity: WalletIdentity, *, attributes: Sequence[str] = (ROLE_ATTRIBUTE,)
    ) -> WalletIdentity:
        """Have a certificate issued for a new key of an identity that signs for it; return both.

        The certificate in use so far stays valid until it ends.

        Raises:
            EnrolmentError: CA_REFUSED (revoked, expired), CA_UNREACHABLE, CA_ANSWER_INVALID.
        """
        key = new_private_key()
        certificate = self.reenroll_key(identity, key, attributes=attributes)
        return WalletIdentity(self._msp_id, certificate, key_pem(key))

    def reenroll_key(
        self,
        identity: WalletIdentity,
        key: ec.EllipticCurvePrivateKey,
        *,
        attributes: Sequence[str] = (ROLE_ATTRIBUTE,),
    ) -> bytes:
        """Have a certificate issued for a key that is there already, e.g. on a token; return it (PEM).

        Raises:
            EnrolmentError: as `reenroll`.
        """
        enrolment_id = identity.enrolment_id
        result = self._signed("reenroll", self._certificate_request(enrolment_id, key, attributes), identity)
        return certificate_pem(_issued_certificate(result, enrolment_id, key))

    def register(
        self,
        registrar: WalletIdentity,
        enrolment_id: str,
        attributes: Mapping[str, str],
        *,
        type: str = "client",
        max_enrollments: int = 1,
    ) -> str:
        """Register somebody who may then enrol; return the secret for it.

        `attributes` enter the certificate when they are asked for at enrolment; `type` is client, peer,
        admin or orderer; `max_enrollments` says how often the secret can be used (−1: any number).

        Raises:
            EnrolmentError: CA_REFUSED (id taken, registrar not entitled), CA_UNREACHABLE, CA_ANSWER_INVALID.
        """
        body = {
            "id": enrolment_id,
            "type": type,
            "max_enrollments": max_enrollments,
            "affiliation": "",
            "attrs": [{"name": name, "value": value, "ecert": True} for name, value in attributes.items()],
            "caname": self._name,
        }
        result = self._signed("register", body, registrar)
        secret = result.get("secret")
        if not isinstance(secret, str) or not secret:
            raise _invalid("the answer to a registration has no secret")
        return secret

    def revoke(self, revoker: WalletIdentity, certificate: x509.Certificate) -> None:
        """Revoke an identity with all of its certificates; it can never enrol again.

        The ledger goes on accepting it until a revocation list stands in the channel configuration.

        Args:
            revoker: Who may revoke (`hf.Revoker`), or the owner.
            certificate: A certificate of the identity, issued by this authority.

        Raises:
            EnrolmentError: CA_REFUSED (unknown identity, not entitled), CA_UNREACHABLE, CA_ANSWER_INVALID.
        """
        names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        body = {"id": str(names[0].value) if names else "", "caname": self._name}
        self._signed("revoke", body, revoker)

    def gencrl(self, requester: WalletIdentity) -> bytes:
        """Return a list (PEM) of all certificates that this authority revoked, signed by it.

        Raises:
            EnrolmentError: CA_REFUSED (not entitled: `hf.GenCRL`), CA_UNREACHABLE, CA_ANSWER_INVALID.
        """
        result = self._signed("gencrl", {"caname": self._name}, requester)
        try:
            revocations = base64.b64decode(result["CRL"], validate=True)
            x509.load_pem_x509_crl(revocations)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise _invalid("it has no revocation list") from error
        return revocations

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> CaClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _certificate_request(
        self, enrolment_id: str, key: ec.EllipticCurvePrivateKey, attributes: Sequence[str]
    ) -> dict[str, Any]:
        return {
            "certificate_request": _signing_request(enrolment_id, key),
            "attr_reqs": [{"name": name, "optional": True} for name in attributes],
            "caname": self._name,
        }

    def _path(self, operation: str) -> str:
        return f"/api/v1/{operation}?ca={quote(self._name, safe='')}"

    def _signed(self, operation: str, body: Mapping[str, Any], signer: WalletIdentity) -> dict[str, Any]:
        data = _encoded(body)
        return self._post(operation, data, _token("POST", self._path(operation), data, signer))

    def _post(self, operation: str, data: bytes, authorization: str) -> dict[str, Any]:
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        try:
            response = self._client.post(self._path(operation), content=data, headers=headers)
        except httpx.HTTPError as error:
            raise EnrolmentError(
                "CA_UNREACHABLE",
                f"the certificate authority at {self._client.base_url} gave no answer "
                f"({type(error).__name__}); is it up?",
            ) from error
        return _result(response, operation)


def _result(response: httpx.Response, operation: str) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError as error:
        raise _invalid(f"status {response.status_code} with no JSON document") from error
    if not isinstance(answer, dict):
        raise _invalid("expected an object")
    if not answer.get("success"):
        errors = answer.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        code, message = first.get("code", 0), first.get("message", "no reason given")
        raise EnrolmentError(
            "CA_REFUSED",
            f"the certificate authority refused to {operation}: {message} "
            f"(status {response.status_code}, code {code})",
            {"status": response.status_code, "ca_code": code if isinstance(code, int) else 0},
        )
    result = answer.get("result")
    if not isinstance(result, dict):
        raise _invalid("expected a result")
    return result


def _signing_request(enrolment_id: str, key: ec.EllipticCurvePrivateKey) -> str:
    try:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, enrolment_id)])
    except ValueError as error:
        raise InputRejected(
            "ENROLMENT_ID_INVALID", "expected an enrolment id of 1 to 64 characters"
        ) from error
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def _issued_certificate(
    result: Mapping[str, Any], enrolment_id: str, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(base64.b64decode(result["Cert"], validate=True))
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise _invalid("the answer to an enrolment has no certificate") from error
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if certificate.public_key() != key.public_key() or [name.value for name in names] != [enrolment_id]:
        raise _invalid("the certificate issued is for another key or name")
    return certificate


def _token(method: str, path: str, body: bytes, registrar: WalletIdentity) -> str:
    """Return Fabric CA's token: a signature over method, path with query, body and certificate."""
    certificate = base64.b64encode(registrar.certificate_pem).decode()
    encoded = (base64.b64encode(part).decode() for part in (path.encode(), body))
    signed = ".".join((method, *encoded, certificate)).encode()
    return f"{certificate}.{base64.b64encode(registrar.sign(signed)).decode()}"


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _tls_context(roots: bytes) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=roots.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError("PROFILE_INVALID", "the CA's TLS roots are no PEM certificates") from error


def _invalid(message: str) -> EnrolmentError:
    return EnrolmentError(
        "CA_ANSWER_INVALID", f"the certificate authority's answer cannot be used: {message}"
    )
