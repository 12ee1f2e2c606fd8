"""A certificate authority over its REST interface; answers as status and JSON, without random parts."""

from __future__ import annotations

import base64
import json
import re
import ssl
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from cryptography import x509
from support.ca_requests import basic, certificate_request, signer, token
from support.conformance.engines import RunningEngine

from fabric_protocol.certificates import new_private_key
from fabric_protocol.identities import certificate_attributes

Person = tuple[bytes, Any]
_BAD_BODY = re.compile(r"(Invalid request body:) .*", re.DOTALL)
_CHANCE = (
    "Cert",
    "CAChain",
    "CRL",
    "IssuerPublicKey",
    "IssuerRevocationPublicKey",
    "Serial",
    "AKI",
    "secret",
)


class Authority:
    """One organization's CA; a context manager that closes its connection."""

    def __init__(self, engine: RunningEngine, msp_id: str) -> None:
        self._member = engine.profile.organization(msp_id)
        assert self._member.ca is not None
        self._registrar = engine.network.registrar(self._member.name)
        context = ssl.create_default_context(cadata=self._member.ca.read_tls_roots().decode())
        self._http = httpx.Client(base_url=self._member.ca.url, verify=context, trust_env=False)
        self.secrets: dict[str, str] = {}

    def __enter__(self) -> Authority:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def registrar(self) -> Person:
        """The registrar, enrolled anew."""
        return self.enroll(*self._registrar, [])[0]

    def get(self, path: str, names: Sequence[str]) -> list[Any]:
        """Status of a GET, and which of these names its result has."""
        answer = self._http.get(f"/api/v1/{path}")
        return [answer.status_code, sorted(set(names) & set(answer.json()["result"]))]

    def enroll(self, identifier: str, secret: str, attributes: Sequence[str]) -> tuple[Person, Any]:
        """Enrol; the person, and what the certificate says."""
        key = new_private_key()
        body = {
            "certificate_request": certificate_request(identifier, key),
            "attr_reqs": [{"name": name, "optional": True} for name in attributes],
        }
        answer = self._http.post("/api/v1/enroll", json=body, headers=basic(identifier, secret))
        answer.raise_for_status()
        certificate = base64.b64decode(answer.json()["result"]["Cert"])
        return (certificate, signer(key)), [answer.status_code, _described(certificate)]

    def enroll_refused(self, identifier: str, secret: str) -> Any:
        """What an enrolment answers that must not succeed."""
        body = {"certificate_request": certificate_request(identifier, new_private_key())}
        return self._seen(self._http.post("/api/v1/enroll", json=body, headers=basic(identifier, secret)))

    def register(
        self, registrar: Person, identifier: str, attributes: Mapping[str, str], **fields: Any
    ) -> Any:
        """Register; the secret is kept in `secrets`."""
        attrs = [{"name": name, "value": value, "ecert": True} for name, value in attributes.items()]
        body = {"id": identifier, "type": "client", "affiliation": "", "attrs": attrs, "max_enrollments": 1}
        answer = self._signed("POST", "register", body | fields, registrar)
        if answer.status_code in (200, 201) and answer.json()["result"]:
            self.secrets[identifier] = answer.json()["result"]["secret"]
        return self._seen(answer)

    def reenroll(self, person: Person) -> Any:
        """Renew a certificate with a new key."""
        names = x509.load_pem_x509_certificate(person[0]).subject.get_attributes_for_oid(
            x509.NameOID.COMMON_NAME
        )
        body = {"certificate_request": certificate_request(str(names[0].value), new_private_key())}
        answer = self._signed("POST", "reenroll", body, person)
        return [answer.status_code, _described(base64.b64decode(answer.json()["result"]["Cert"]))]

    def revocations(self, registrar: Person) -> Any:
        """How many certificates the list of revoked ones has."""
        answer = self._signed("POST", "gencrl", {}, registrar)
        revoked = x509.load_pem_x509_crl(base64.b64decode(answer.json()["result"]["CRL"]))
        return [answer.status_code, len(list(revoked))]

    def signed(self, method: str, path: str, body: Any, person: Person) -> Any:
        """A request with a person's token."""
        return self._seen(self._signed(method, path, body, person))

    def raw(self, method: str, path: str, content: bytes, person: Person) -> Any:
        """A request whose body is these bytes, with a person's token."""
        return self._seen(self._sent(method, path, content, person))

    def unsigned(self, method: str, path: str, body: Any, token: str = "") -> Any:
        """A request without a token, or with this one."""
        headers = {"Authorization": token} if token else {}
        return self._seen(self._http.request(method, f"/api/v1/{path}", json=body, headers=headers))

    def _signed(self, method: str, path: str, body: Any, person: Person) -> httpx.Response:
        return self._sent(method, path, b"" if body is None else json.dumps(body).encode(), person)

    def _sent(self, method: str, path: str, content: bytes, person: Person) -> httpx.Response:
        headers = token(method, f"/api/v1/{path}", content, *person)
        return self._http.request(method, f"/api/v1/{path}", content=content, headers=headers)

    def _seen(self, answer: httpx.Response) -> Any:
        try:
            content = answer.json()
        except ValueError:
            return [answer.status_code, answer.text]
        for error in content["errors"] or ():
            # In the words of Go's JSON library, which Fabric CA lets quote the body.
            error["message"] = _BAD_BODY.sub(r"\1 <why>", error["message"])
        return [answer.status_code, _without_chance(content)]


def _without_chance(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "<differs>" if name in _CHANCE else _without_chance(item) for name, item in value.items()
        }
    if isinstance(value, list):
        # Attributes come in any order.
        return sorted((_without_chance(item) for item in value), key=json.dumps)
    return value


def _described(pem: bytes) -> dict[str, Any]:
    certificate = x509.load_pem_x509_certificate(pem)
    return {
        "subject": certificate.subject.rfc4514_string(),
        "attributes": dict(sorted(certificate_attributes(certificate).items())),
        "extensions": sorted(item.oid.dotted_string for item in certificate.extensions),
        "key usage": _usages(certificate),
    }


def _usages(certificate: x509.Certificate) -> list[str]:
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    names = ("digital_signature", "key_encipherment", "key_cert_sign", "crl_sign", "content_commitment")
    return [name for name in names if getattr(usage, name)]
