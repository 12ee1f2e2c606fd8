"""The CA over its ASGI application: enrol, register, identities, and what it refuses."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from support.ca_client_over_asgi import REGISTRAR_SECRET, START, Client, Clock, ca_over_asgi, refused
from support.ca_requests import basic, certificate_request, signer, token

from fabric_embedded.ca.attributes import Attribute
from fabric_embedded.ca.store import MAX_FAILED_LOGINS, IdentityStore, SaltedSecret
from fabric_protocol.certificates import new_authority, new_private_key
from fabric_protocol.identities import certificate_attributes

pytestmark = pytest.mark.unit


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def http(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with ca_over_asgi(clock) as client:
        yield client


@pytest.fixture
async def registrar(http: httpx.AsyncClient) -> Client:
    client = Client(http)
    assert (await client.enroll("registrar", REGISTRAR_SECRET)).status_code == 201
    return client


@pytest.mark.parametrize("path", ["/cainfo", "/api/v1/cainfo", "/api/v1/cainfo?ca=northgate-ca"])
async def test_cainfo_is_open_and_carries_the_chain(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 200
    info = answer.json()["result"]
    assert info["CAName"] == "northgate-ca"
    chain = x509.load_pem_x509_certificate(base64.b64decode(info["CAChain"]))
    assert chain.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "ca.northgate"


async def test_a_certificate_carries_id_type_and_asked_attributes_and_nothing_else(
    registrar: Client, http: httpx.AsyncClient
) -> None:
    attributes = [
        {"name": "consentry.role", "value": "steward,dpo", "ecert": True},
        {"name": "private", "value": "x"},
    ]
    answer = await registrar.register(id="user-1", type="client", secret="s3cret", attrs=attributes)
    assert answer.status_code == 201
    assert answer.json()["result"] == {"secret": "s3cret"}
    user = Client(http)
    assert (await user.enroll("user-1", "s3cret", hosts=["a-person.example"])).status_code == 201
    certificate = x509.load_pem_x509_certificate(user.certificate)
    assert certificate.subject.rfc4514_string() == "CN=user-1,OU=client"
    assert certificate_attributes(certificate) == {"consentry.role": "steward,dpo"}
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ([], {}),
        ([{"name": "private"}], {"private": "x"}),
        ([{"name": "absent", "optional": True}], {}),
    ],
)
async def test_attribute_requests_choose(
    registrar: Client, http: httpx.AsyncClient, requests: list[object], expected: dict[str, str]
) -> None:
    attributes = [{"name": "role", "value": "a", "ecert": True}, {"name": "private", "value": "x"}]
    await registrar.register(id="user-1", secret="s", attrs=attributes)
    user = Client(http)
    assert (await user.enroll("user-1", "s", attr_reqs=requests)).status_code == 201
    assert certificate_attributes(x509.load_pem_x509_certificate(user.certificate)) == expected


async def test_a_required_attribute_that_is_missing_refuses_the_enrolment(registrar: Client) -> None:
    answer = await registrar.enroll("registrar", REGISTRAR_SECRET, attr_reqs=[{"name": "hf.EnrollmentID"}])
    assert "hf.EnrollmentID" in refused(answer, 500, 0)


async def test_the_subject_must_be_the_caller(http: httpx.AsyncClient) -> None:
    body = {"certificate_request": certificate_request("somebody-else", new_private_key())}
    answer = await http.post("/enroll", json=body, headers=basic("registrar", REGISTRAR_SECRET))
    refused(answer, 403, 77)


@pytest.mark.parametrize(
    "headers",
    [
        basic("registrar", "wrong"),
        basic("nobody", REGISTRAR_SECRET),
        {"authorization": "Basic ???"},
        {"authorization": "x"},
    ],
)
async def test_every_failed_login_looks_the_same(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    body = {"certificate_request": certificate_request("registrar", new_private_key())}
    answer = await http.post("/enroll", json=body, headers=headers)
    assert refused(answer, 401, 20) == "Authentication failure"


async def test_a_missing_header_is_code_2(http: httpx.AsyncClient) -> None:
    assert refused(await http.post("/enroll", json={}), 401, 2) == "No authorization header"
    refused(await http.post("/register", json={"id": "x"}), 401, 2)


async def test_too_many_wrong_secrets_lock_an_identity(http: httpx.AsyncClient) -> None:
    client = Client(http)
    for _ in range(MAX_FAILED_LOGINS):
        refused(await client.enroll("registrar", "wrong"), 401, 20)
    refused(await client.enroll("registrar", REGISTRAR_SECRET), 401, 73)


async def test_a_secret_is_used_as_often_as_registered(registrar: Client, http: httpx.AsyncClient) -> None:
    await registrar.register(id="user-1", secret="s", max_enrollments=1)
    user = Client(http)
    assert (await user.enroll("user-1", "s")).status_code == 201
    refused(await user.enroll("user-1", "s"), 401, 20)
    answer = await user.call(
        "POST", "/api/v1/reenroll", {"certificate_request": certificate_request("user-1", user.key)}
    )
    assert answer.status_code == 201


async def test_a_failed_enrolment_uses_nothing_up(registrar: Client, http: httpx.AsyncClient) -> None:
    await registrar.register(id="user-1", secret="s", max_enrollments=1)
    user = Client(http)
    refused(await user.enroll("user-1", "s", certificate_request="nonsense"), 400, 31)
    assert (await user.enroll("user-1", "s")).status_code == 201


async def test_registering_twice_is_refused(registrar: Client) -> None:
    first = await registrar.register(id="user-1")
    assert len(first.json()["result"]["secret"]) >= 12
    refused(await registrar.register(id="user-1"), 409, 74)


async def test_whoever_is_no_registrar_registers_and_sees_nobody(
    registrar: Client, http: httpx.AsyncClient
) -> None:
    await registrar.register(id="user-1", secret="s")
    user = Client(http)
    await user.enroll("user-1", "s")
    refused(await user.register(id="user-2"), 403, 71)
    refused(await user.call("GET", "/api/v1/identities"), 403, 71)
    refused(await user.call("GET", "/api/v1/identities/registrar"), 403, 71)
    refused(await user.call("GET", "/api/v1/identities/nobody"), 403, 71)


async def test_a_registrar_lists_identities_without_secrets(registrar: Client) -> None:
    await registrar.register(id="user-1", secret="very-secret", attrs=[{"name": "role", "value": "x"}])
    answer = await registrar.call("GET", "/api/v1/identities?ca=northgate-ca")
    assert [identity["id"] for identity in answer.json()["result"]["identities"]] == ["registrar", "user-1"]
    assert "very-secret" not in answer.text
    one = await registrar.call("GET", "/api/v1/identities/user-1")
    assert one.json()["result"]["attrs"] == [{"name": "role", "value": "x"}]
    refused(await registrar.call("GET", "/api/v1/identities/nobody"), 404, 63)


async def test_a_token_is_bound_to_method_uri_body_and_certificate(registrar: Client) -> None:
    body = b'{"id":"user-1"}'
    good = token("POST", "/register", body, registrar.certificate, signer(registrar.key))
    forged = [
        (token("PUT", "/register", body, registrar.certificate, signer(registrar.key)), "/register", body),
        (good, "/api/v1/register", body),
        (good, "/register?ca=northgate-ca", body),
        (good, "/register", b'{"id":"user-2"}'),
        (
            token("POST", "/register", body, registrar.certificate, signer(new_private_key())),
            "/register",
            body,
        ),
        ({"authorization": good["authorization"] + ".x"}, "/register", body),
        ({"authorization": "no token"}, "/register", body),
    ]
    for headers, uri, content in forged:
        refused(await registrar.http.post(uri, content=content, headers=headers), 401, 20)
    answer = await registrar.http.post("/register", content=body, headers=good)
    assert answer.status_code == 201


async def test_a_certificate_of_another_authority_with_a_known_name_is_refused(registrar: Client) -> None:
    from fabric_protocol.certificates import certificate_pem, issue

    other = new_authority("ca.northgate", start=START)
    forged = issue(other, common_name="registrar", public_key=registrar.key.public_key(), start=START)
    registrar.certificate = certificate_pem(forged)
    refused(await registrar.register(id="user-1"), 401, 20)


async def test_an_expired_certificate_is_refused(registrar: Client, clock: Clock) -> None:
    clock.time += timedelta(days=366)
    refused(await registrar.register(id="user-1"), 401, 20)


async def test_what_is_not_supported_says_so(registrar: Client) -> None:
    answer = await registrar.enroll("registrar", REGISTRAR_SECRET, profile="ca")
    assert "not supported" in refused(answer, 501, 0)


async def test_unknown_paths_methods_and_authorities(registrar: Client) -> None:
    for path in ("/api/v1/nothing", "/api/v1/identities/", "/api/v1/identities/a%2Fb", "/"):
        unknown = await registrar.http.get(path)
        assert (unknown.status_code, unknown.text) == (404, "404 page not found\n")
    refused(await registrar.http.delete("/api/v1/enroll"), 405, 1)
    refused(await registrar.http.get("/api/v1/cainfo?ca=another"), 404, 19)
    refused(await registrar.call("POST", "/register", {"id": "user-1", "caname": "another"}), 404, 19)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"id": ""},
        {"id": 7},
        {"id": "with space"},
        {"id": "x" * 65},
        {"id": "u", "attrs": {}},
        {"id": "u", "attrs": [{"value": "x"}]},
        {"id": "u", "attrs": [{"name": "a", "value": 1}]},
        {"id": "u", "attrs": [{"name": "a"}, {"name": "a"}]},
        {"id": "u", "max_enrollments": "1"},
        {"id": "u", "max_enrollments": True},
        {"id": "u", "type": "a b"},
        {"id": "u", "secret": 5},
        [],
        "text",
    ],
)
async def test_bad_registrations_are_refused_with_code_5(registrar: Client, fields: object) -> None:
    refused(await registrar.call("POST", "/register", fields), 400, 5)


async def test_other_bad_bodies(registrar: Client) -> None:
    refused(await registrar.call("POST", "/register", {"id": "u", "max_enrollments": -2}), 400, 82)
    refused(await registrar.call("POST", "/register", {"id": "u", "affiliation": "clinic"}), 403, 71)
    refused(await registrar.call("POST", "/register"), 400, 4)
    headers = token("POST", "/register", b"{", registrar.certificate, signer(registrar.key))
    refused(await registrar.http.post("/register", content=b"{", headers=headers), 400, 5)
    huge = {"certificate_request": "x" * (1 << 21)}
    refused(
        await registrar.http.post("/enroll", json=huge, headers=basic("registrar", REGISTRAR_SECRET)), 400, 5
    )


async def test_secrets_are_stored_hashed(registrar: Client) -> None:
    await registrar.register(id="user-1", secret="very-secret")
    store: IdentityStore = registrar.http.store  # type: ignore[attr-defined]
    salted = store.salted_secret("user-1")
    assert b"very-secret" not in salted.digest + salted.salt
    assert salted.matches("very-secret")
    assert not salted.matches("very-secre")


def test_two_identities_with_one_secret_have_different_hashes() -> None:
    assert SaltedSecret.of("same").digest != SaltedSecret.of("same").digest


def test_a_store_in_a_file_is_for_its_owner_only(tmp_path: Any) -> None:
    path = tmp_path / "identities.sqlite"
    store = IdentityStore(path)
    assert store.add("a", "client", SaltedSecret(b"s", b"d"), -1, (Attribute("n", "v", True),))
    store.close()
    assert path.stat().st_mode & 0o777 == 0o600
    again = IdentityStore(path)
    found = again.get("a")
    again.close()
    assert found is not None
    assert found.attributes == (Attribute("n", "v", True),)
