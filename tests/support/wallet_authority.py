"""A certificate authority's re-enrolment for tests of wallets, without a server."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime

import httpx
from cryptography import x509
from support.sample_organizations import SampleOrganization

from fabric_protocol.certificates import certificate_pem, issue
from fabric_protocol.signatures import verify


def reenrolling(organization: SampleOrganization, now: datetime) -> Callable[[httpx.Request], httpx.Response]:
    """Check the token as Fabric CA does, and enrol anew for a year."""

    def authority(request: httpx.Request) -> httpx.Response:
        certificate, signature = request.headers["authorization"].split(".")
        pem = base64.b64decode(certificate)
        parts = (request.url.raw_path, request.content, pem)
        message = ".".join(["POST", *(base64.b64encode(part).decode() for part in parts)])
        old = x509.load_pem_x509_certificate(pem)
        verify(old.public_key(), base64.b64decode(signature), message.encode())
        assert request.url.path == "/api/v1/reenroll"
        csr = x509.load_pem_x509_csr(json.loads(request.content)["certificate_request"].encode())
        assert csr.is_signature_valid
        issued = issue(
            organization.authority,
            common_name=str(csr.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value),
            public_key=csr.public_key(),
            attributes={"consentry.role": "steward"},
            start=now,
            valid_days=365,
        )
        result = {"Cert": base64.b64encode(certificate_pem(issued)).decode()}
        document = {"result": result, "errors": [], "messages": [], "success": True}
        return httpx.Response(201, json=document)

    return authority
