"""Enrolment and registration against an authority in memory that checks what Fabric CA checks."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from support.sample_organizations import SampleOrganization

from consentry.ca_client import CaClient, new_enrolment_id
from consentry.errors import ConfigurationError, ConsentryError, EnrolmentError
from consentry.profile import AuthorityEndpoint
from consentry.wallet import WalletIdentity
from fabric_protocol.certificates import certificate_pem, issue, key_pem, new_private_key
from fabric_protocol.signatures import verify

MSP = "NorthgateMSP"
ORGANIZATION = SampleOrganization(MSP)
SECRET = "a-secret-that-must-not-appear"
Answer = Callable[[httpx.Request], httpx.Response]


def result(value: object, status: int = 201) -> httpx.Response:
    return httpx.Response(status, json={"result": value, "errors": [], "messages": [], "success": True})


def refusal(code: int, message: str, status: int = 401) -> httpx.Response:
    errors = [{"code": code, "message": message}]
    return httpx.Response(status, json={"result": "", "errors": errors, "messages": [], "success": False})


def enrolled(request: httpx.Request, name: str | None = None, other_key: bool = False) -> httpx.Response:
    signing_request = x509.load_pem_x509_csr(json.loads(request.content)["certificate_request"].encode())
    (common_name,) = signing_request.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    certificate = issue(
        ORGANIZATION.authority,
        common_name=name or str(common_name.value),
        public_key=new_private_key().public_key() if other_key else signing_request.public_key(),
        organizational_units=("client",),
        attributes={"consentry.role": "steward"},
        start=datetime.now(UTC) - timedelta(minutes=5),
    )
    return result({"Cert": base64.b64encode(certificate_pem(certificate)).decode()})


@pytest.fixture
def authority(tmp_path: Path) -> AuthorityEndpoint:
    roots = tmp_path / "tls.pem"
    roots.write_bytes(ORGANIZATION.authority.pem)
    return AuthorityEndpoint("https://ca.example", "northgate ca", roots)


def client(authority: AuthorityEndpoint, answer: Answer) -> CaClient:
    return CaClient(authority, MSP, transport=httpx.MockTransport(answer))


def registrar() -> WalletIdentity:
    member = ORGANIZATION.member("client", name="registrar")
    return WalletIdentity(MSP, member.pem, key_pem(member.key))


def test_enrolment_gives_a_key_and_its_certificate(authority: AuthorityEndpoint) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return enrolled(request)

    with client(authority, answer) as ca:
        identity = ca.enroll("user-1", SECRET)
    assert (identity.msp_id, identity.enrolment_id, identity.roles) == (MSP, "user-1", {"steward"})
    (request,) = seen
    assert (
        request.headers["authorization"] == "Basic " + base64.b64encode(f"user-1:{SECRET}".encode()).decode()
    )
    body = json.loads(request.content)
    assert body["attr_reqs"] == [{"name": "consentry.role", "optional": True}]
    assert body["caname"] == "northgate ca"


def test_registration_is_signed_over_the_exact_request(authority: AuthorityEndpoint) -> None:
    signer = registrar()
    seen: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        certificate, signature = request.headers["authorization"].split(".")
        assert base64.b64decode(certificate) == signer.certificate_pem
        parts = (request.url.raw_path, request.content, signer.certificate_pem)
        message = ".".join(["POST", *(base64.b64encode(part).decode() for part in parts)])
        verify(signer.certificate.public_key(), base64.b64decode(signature), message.encode())
        seen.append(json.loads(request.content))
        return result({"secret": SECRET})

    with client(authority, answer) as ca:
        assert ca.register(signer, "user-1", {"consentry.role": "steward,dpo"}) == SECRET
    assert seen[0]["attrs"] == [{"name": "consentry.role", "value": "steward,dpo", "ecert": True}]
    assert (seen[0]["type"], seen[0]["max_enrollments"]) == ("client", 1)


def test_refusals_say_what_the_authority_said(authority: AuthorityEndpoint) -> None:
    refuse = client(authority, lambda _: refusal(20, "Authentication failure"))
    with refuse as ca, pytest.raises(EnrolmentError) as caught:
        ca.enroll("user-1", SECRET)
    assert caught.value.code == "CA_REFUSED"
    assert caught.value.fields == {"status": 401, "ca_code": 20}
    assert "Authentication failure" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: httpx.Response(200, text="<html>"),
        lambda request: httpx.Response(200, json=[]),
        lambda request: result("text"),
        lambda request: result({}),
        lambda request: result({"Cert": "no base64!"}),
        lambda request: result({"Cert": base64.b64encode(b"no PEM").decode()}),
        lambda request: enrolled(request, name="somebody-else"),
        lambda request: enrolled(request, other_key=True),
    ],
)
def test_answers_that_cannot_be_used_are_refused(authority: AuthorityEndpoint, answer: Answer) -> None:
    with client(authority, answer) as ca, pytest.raises(EnrolmentError) as caught:
        ca.enroll("user-1", SECRET)
    assert caught.value.code == "CA_ANSWER_INVALID"
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"success": False}),
        httpx.Response(500, json={"success": False, "errors": "x"}),
        httpx.Response(500, json={"success": False, "errors": ["x"]}),
        httpx.Response(500, json={"success": False, "errors": [{"code": "x", "message": 1}]}),
    ],
)
def test_refusals_of_any_form_are_refusals(authority: AuthorityEndpoint, answer: httpx.Response) -> None:
    with client(authority, lambda _: answer) as ca, pytest.raises(EnrolmentError) as caught:
        ca.enroll("user-1", SECRET)
    assert caught.value.code == "CA_REFUSED"


@pytest.mark.parametrize("value", [{}, {"secret": ""}, {"secret": 1}])
def test_a_registration_without_a_secret_is_refused(authority: AuthorityEndpoint, value: object) -> None:
    with client(authority, lambda _: result(value)) as ca, pytest.raises(EnrolmentError) as caught:
        ca.register(registrar(), "user-1", {})
    assert caught.value.code == "CA_ANSWER_INVALID"


def revocation_list() -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(ORGANIZATION.authority.certificate.subject)
    time = datetime.now(UTC)
    signed = builder.last_update(time).next_update(time + timedelta(days=1))
    return signed.sign(ORGANIZATION.authority.private_key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_revocation_names_the_identity_of_the_certificate(authority: AuthorityEndpoint) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []
    crl = revocation_list()

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.path, json.loads(request.content)))
        if request.url.path.endswith("gencrl"):
            return result({"CRL": base64.b64encode(crl).decode()}, 200)
        return result({"RevokedCerts": [], "CRL": ""}, 200)

    revoked = ORGANIZATION.member("client", name="user-1")
    with client(authority, answer) as ca:
        ca.revoke(registrar(), x509.load_pem_x509_certificate(revoked.pem))
        assert ca.gencrl(registrar()) == crl
    assert seen == [
        ("/api/v1/revoke", {"id": "user-1", "caname": "northgate ca"}),
        ("/api/v1/gencrl", {"caname": "northgate ca"}),
    ]


@pytest.mark.parametrize("value", [{}, {"CRL": 7}, {"CRL": "no base64!"}, {"CRL": "bm8gbGlzdA=="}])
def test_a_revocation_list_has_to_be_one(authority: AuthorityEndpoint, value: object) -> None:
    with client(authority, lambda _: result(value, 200)) as ca, pytest.raises(EnrolmentError) as caught:
        ca.gencrl(registrar())
    assert caught.value.code == "CA_ANSWER_INVALID"


def test_an_authority_that_does_not_answer_is_unreachable(authority: AuthorityEndpoint) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with client(authority, answer) as ca, pytest.raises(EnrolmentError) as caught:
        ca.enroll("user-1", SECRET)
    assert caught.value.code == "CA_UNREACHABLE"
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("enrolment_id", ["", "x" * 65])
def test_enrolment_ids_fit_a_certificate(authority: AuthorityEndpoint, enrolment_id: str) -> None:
    with client(authority, enrolled) as ca, pytest.raises(ConsentryError) as caught:
        ca.enroll(enrolment_id, SECRET)
    assert caught.value.code == "ENROLMENT_ID_INVALID"


def test_tls_roots_have_to_be_certificates(authority: AuthorityEndpoint) -> None:
    authority.tls_roots.write_bytes(b"no PEM")
    with pytest.raises(ConfigurationError) as caught:
        CaClient(authority, MSP)
    assert caught.value.code == "PROFILE_INVALID"


def test_enrolment_ids_are_random() -> None:
    assert len({new_enrolment_id() for _ in range(50)}) == 50
