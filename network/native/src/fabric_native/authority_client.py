"""A client of one certificate authority with Fabric CA's REST interface: enrols and registers nodes.

Source: fabric-behaviour §10 (`lib/serverenroll.go`, `lib/serverregister.go`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from fabric_native.errors import AuthorityError
from fabric_protocol.ca_token import build_token
from fabric_protocol.certificates import key_pem, new_private_key
from fabric_protocol.signatures import sign


class AuthorityClient:
    """Speaks to the CA `name` over an open connection; after `enroll_registrar` it can register others."""

    def __init__(self, connection: httpx.Client, name: str) -> None:
        self._connection = connection
        self._name = name
        self._certificate = b""
        self._key: EllipticCurvePrivateKey | None = None

    def enroll_registrar(self, identifier: str, secret: str) -> None:
        """Become the registrar.

        Raises:
            AuthorityError: AUTHORITY_REFUSED, AUTHORITY_UNREACHABLE.
        """
        self._key = new_private_key()
        self._certificate = self._enroll(identifier, secret, self._key, (), "")

    def issue(
        self, identifier: str, role: str, *, hosts: Sequence[str] = (), profile: str = ""
    ) -> tuple[bytes, bytes]:
        """Register somebody and enrol for him; certificate and key in PEM.

        Parameters:
            identifier: enrolment id, the certificate's common name.
            role: client, peer, admin or orderer: the certificate's organizational unit.
            hosts: names and addresses of a TLS server.
            profile: of the CA's signing profiles; empty for identities.

        Raises:
            AuthorityError: AUTHORITY_REFUSED, AUTHORITY_UNREACHABLE.
        """
        key = new_private_key()
        secret = self._register(identifier, role)
        return self._enroll(identifier, secret, key, hosts, profile), key_pem(key)

    def _register(self, identifier: str, role: str) -> str:
        body = _encoded(
            # An affiliation would become organizational units of the certificate; "." is none.
            {"id": identifier, "type": role, "affiliation": ".", "max_enrollments": 1, "caname": self._name}
        )
        path, key = self._path("register"), self._key
        if key is None:
            raise AuthorityError("AUTHORITY_REFUSED", "nobody is enrolled as registrar yet")
        token = build_token("POST", path, body, self._certificate, lambda message: sign(key, message))
        return str(self._post(path, body, token)["secret"])

    def _enroll(
        self,
        identifier: str,
        secret: str,
        key: EllipticCurvePrivateKey,
        hosts: Sequence[str],
        profile: str,
    ) -> bytes:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, identifier)])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
        body = {
            "certificate_request": request.public_bytes(Encoding.PEM).decode("ascii"),
            "hosts": list(hosts),
            "profile": profile,
            # Asked for nothing, so that the CA's defaults (hf.EnrollmentID, …) stay out.
            "attr_reqs": [],
            "caname": self._name,
        }
        credentials = base64.b64encode(f"{identifier}:{secret}".encode()).decode()
        result = self._post(self._path("enroll"), _encoded(body), f"Basic {credentials}")
        return base64.b64decode(result["Cert"])

    def _path(self, operation: str) -> str:
        return f"/api/v1/{operation}?ca={quote(self._name, safe='')}"

    def _post(self, path: str, body: bytes, authorization: str) -> Mapping[str, Any]:
        headers = {"Authorization": authorization, "Content-Type": "application/json"}
        try:
            answer = self._connection.post(path, content=body, headers=headers)
            document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise AuthorityError(
                "AUTHORITY_UNREACHABLE", f"the CA {self._name} gave no answer: {type(error).__name__}"
            ) from error
        if not document.get("success"):
            reasons = "; ".join(str(item.get("message")) for item in document.get("errors", ()))
            raise AuthorityError("AUTHORITY_REFUSED", f"the CA {self._name} refused {path}: {reasons}")
        result: Mapping[str, Any] = document["result"]
        return result


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode("utf-8")
