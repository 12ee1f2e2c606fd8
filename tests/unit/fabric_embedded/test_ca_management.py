"""Fabric CA's management over its ASGI application: revocation, identities, affiliations, certificates."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from support.ca_client_over_asgi import REGISTRAR_SECRET, START, Client, Clock, ca_over_asgi, refused

from fabric_embedded.ca.affiliations import below, moved, tree
from fabric_embedded.ca.certificate_store import CertificateFilter
from fabric_embedded.ca.store import IdentityStore
from fabric_protocol.errors import IdentityError
from fabric_protocol.identities import parse_certificate, serialize_identity
from fabric_protocol.msp import Msp, MspManager
from fabric_protocol.msp_config import build_msp_config

pytestmark = pytest.mark.unit


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def registrar(clock: Clock) -> Any:
    async with ca_over_asgi(clock) as http:
        client = Client(http)
        assert (await client.enroll("registrar", REGISTRAR_SECRET)).status_code == 201
        yield client


async def member(registrar: Client, identity: str, **fields: object) -> Client:
    """Somebody who is registered and enrolled."""
    assert (await registrar.register(id=identity, secret="s", **fields)).status_code == 201
    client = Client(registrar.http)
    assert (await client.enroll(identity, "s")).status_code == 201
    return client


def numbers(certificate_pem: bytes) -> tuple[str, str]:
    certificate = parse_certificate(certificate_pem)
    extension = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    return f"{certificate.serial_number:x}", (extension.key_identifier or b"").hex().lstrip("0")


def listed(answer: httpx.Response) -> x509.CertificateRevocationList:
    assert answer.status_code == 200, answer.text
    return x509.load_pem_x509_crl(base64.b64decode(answer.json()["result"]["CRL"]))


def serials(crl: x509.CertificateRevocationList) -> set[str]:
    return {f"{entry.serial_number:x}" for entry in crl}


async def test_a_revoked_identity_is_locked_out_and_listed(registrar: Client) -> None:
    user = await member(registrar, "user-1", max_enrollments=-1)
    answer = await registrar.call(
        "POST", "/api/v1/revoke", {"id": "user-1", "reason": "keycompromise", "gencrl": True}
    )
    serial, aki = numbers(user.certificate)
    assert answer.json()["result"]["RevokedCerts"] == [{"Serial": serial, "AKI": aki}]
    assert serials(listed(answer)) == {serial}
    refused(await user.call("POST", "/api/v1/gencrl", {}), 401, 20)
    refused(await user.call("POST", "/api/v1/reenroll", {"certificate_request": ""}), 401, 20)
    refused(await user.enroll("user-1", "s"), 401, 20)
    again = await registrar.call("POST", "/api/v1/revoke", {"id": "user-1", "gencrl": True})
    assert again.json()["result"] == {"RevokedCerts": None, "CRL": ""}


async def test_one_certificate_is_revoked_by_serial_number_and_issuer(registrar: Client) -> None:
    user = await member(registrar, "user-1", max_enrollments=-1)
    first = user.certificate
    await user.enroll("user-1", "s")
    serial, aki = numbers(first)
    spelt = {"serial": f"00{serial.upper()}", "aki": ":".join(aki[i : i + 2] for i in range(0, len(aki), 2))}
    refused(await registrar.call("POST", "/revoke", {**spelt, "id": "registrar"}), 400, 9)
    answer = await registrar.call("POST", "/revoke", spelt)
    assert answer.json()["result"] == {"RevokedCerts": [{"Serial": serial, "AKI": aki}], "CRL": ""}
    assert "already revoked" in refused(await registrar.call("POST", "/revoke", spelt), 404, 66)
    refused(await registrar.call("POST", "/revoke", {**spelt, "serial": "abc"}), 404, 8)
    # The other certificate still works, and its owner may revoke it without being a revoker.
    own_serial, own_aki = numbers(user.certificate)
    assert (await user.call("POST", "/revoke", {"serial": own_serial, "aki": own_aki})).status_code == 200
    refused(await user.call("POST", "/revoke", {"id": "user-1"}), 401, 20)


async def test_whoever_revokes_himself_is_out(registrar: Client) -> None:
    user = await member(registrar, "user-1")
    assert (await user.call("POST", "/revoke", {"id": "user-1"})).status_code == 200
    refused(await user.call("POST", "/revoke", {"id": "user-1"}), 401, 20)


async def test_what_revoke_refuses(registrar: Client) -> None:
    await member(registrar, "admin-1", type="admin")
    user = await member(registrar, "user-1")
    revoker = await member(
        registrar,
        "revoker",
        attrs=[{"name": "hf.Revoker", "value": "true"}, {"name": "hf.Registrar.Roles", "value": "client"}],
    )
    refused(await user.call("POST", "/revoke", {"id": "revoker"}), 403, 71)
    refused(await user.call("POST", "/revoke", {"id": "nobody"}), 403, 71)
    refused(await revoker.call("POST", "/revoke", {"id": "admin-1"}), 403, 71)
    refused(await revoker.call("POST", "/revoke", {"id": "nobody"}), 404, 10)
    assert (await revoker.call("POST", "/revoke", {"id": "user-1"})).status_code == 200
    refused(await registrar.call("POST", "/revoke", {}), 400, 15)
    refused(await registrar.call("POST", "/revoke", {"serial": "01"}), 400, 15)
    for fields in ({"id": 7}, {"id": "x", "gencrl": "yes"}, []):
        refused(await registrar.call("POST", "/revoke", fields), 400, 5)


async def test_a_list_makes_an_msp_refuse_the_revoked(registrar: Client) -> None:
    user, other = await member(registrar, "user-1"), await member(registrar, "user-2")
    await registrar.call("POST", "/revoke", {"id": "user-1"})
    crl = base64.b64decode((await registrar.call("POST", "/gencrl", {})).json()["result"]["CRL"])
    roots = [base64.b64decode((await registrar.http.get("/cainfo")).json()["result"]["CAChain"])]
    msp = Msp.from_config(build_msp_config("NorthgateMSP", root_certificates=roots, crls=[crl]))
    before = Msp.from_config(build_msp_config("NorthgateMSP", root_certificates=roots))

    def check(judge: Msp, client: Client) -> None:
        manager = MspManager([judge])
        manager.validate(manager.deserialize(serialize_identity("NorthgateMSP", client.certificate)))

    check(before, user)
    check(msp, other)
    with pytest.raises(IdentityError):
        check(msp, user)


async def test_a_list_holds_what_was_asked_for(registrar: Client, clock: Clock) -> None:
    first = await member(registrar, "user-1")
    await registrar.call("POST", "/revoke", {"id": "user-1"})
    moment = clock.time
    clock.advance(hours=2)
    second = await member(registrar, "user-2")
    await registrar.call("POST", "/revoke", {"id": "user-2"})
    one, two = numbers(first.certificate)[0], numbers(second.certificate)[0]

    async def found(**fields: str) -> set[str]:
        return serials(listed(await registrar.call("POST", "/gencrl", fields)))

    hour = moment.replace(hour=moment.hour + 1).isoformat()
    assert await found() == {one, two}
    assert await found(revokedafter=hour) == {two}
    assert await found(revokedbefore=hour, revokedafter="0001-01-01T00:00:00Z") == {one}
    assert await found(expirebefore=hour) == set()
    assert await found(expireafter=hour) == {one, two}
    span = {"revokedafter": hour, "revokedbefore": START.isoformat()}
    refused(await registrar.call("POST", "/gencrl", span), 400, 36)
    span = {"expireafter": hour, "expirebefore": START.isoformat()}
    refused(await registrar.call("POST", "/gencrl", span), 400, 37)
    refused(await registrar.call("POST", "/gencrl", {"revokedafter": "yesterday"}), 400, 5)
    refused(await registrar.call("POST", "/gencrl", {"revokedafter": "2026-01-01T00:00:00"}), 400, 5)
    refused(await (await member(registrar, "user-3")).call("POST", "/gencrl", {}), 403, 71)


async def test_identities_are_added_changed_and_removed(registrar: Client) -> None:
    fields = {"id": "user-1", "secret": "s", "attrs": [{"name": "role", "value": "x", "ecert": True}]}
    added = await registrar.call("POST", "/identities", fields)
    assert (added.status_code, added.json()["result"]["secret"]) == (201, "s")
    refused(await registrar.call("POST", "/identities", fields), 409, 74)
    user = Client(registrar.http)
    await user.enroll("user-1", "s")
    changes = {
        "attrs": [{"name": "role", "value": ""}, {"name": "grade", "value": "2"}],
        "secret": "t",
        "max_enrollments": 1,
        "type": "peer",
    }
    changed = (await registrar.call("PUT", "/identities/user-1", changes)).json()["result"]
    assert changed["attrs"] == [{"name": "grade", "value": "2"}]
    assert (changed["type"], changed["max_enrollments"]) == ("peer", 1)
    refused(await user.enroll("user-1", "s"), 401, 20)
    refused(await user.enroll("user-1", "t"), 401, 20)  # one enrolment was used already
    assert (await registrar.call("PUT", "/identities/user-1", {"max_enrollments": 2})).status_code == 200
    assert (await user.enroll("user-1", "t")).status_code == 201
    none = await registrar.call("PUT", "/identities/user-1", {"max_enrollments": -2})
    assert "max_enrollments" not in none.json()["result"]  # as Go leaves out a zero
    refused(await user.enroll("user-1", "t"), 401, 20)
    removed = await registrar.call("DELETE", "/identities/user-1")
    assert (removed.status_code, removed.json()["result"]["id"]) == (200, "user-1")
    refused(await registrar.call("GET", "/identities/user-1"), 404, 63)
    refused(await user.call("POST", "/revoke", {"id": "user-1"}), 401, 20)
    assert numbers(user.certificate)[0] in serials(listed(await registrar.call("POST", "/gencrl", {})))


async def test_what_changes_of_identities_refuse(registrar: Client) -> None:
    attrs = [
        {"name": "hf.Registrar.Roles", "value": "client"},
        {"name": "hf.Registrar.Attributes", "value": "plain"},
    ]
    small = await member(registrar, "small", attrs=attrs)
    await member(registrar, "admin-1", type="admin")
    await member(registrar, "user-1")
    refused(await small.call("PUT", "/identities/admin-1", {"secret": "x"}), 403, 71)
    refused(await small.call("DELETE", "/identities/admin-1"), 403, 71)
    refused(await small.call("PUT", "/identities/user-1", {"type": "admin"}), 403, 71)
    refused(
        await small.call("PUT", "/identities/user-1", {"attrs": [{"name": "other", "value": "x"}]}), 403, 71
    )
    revoker = {"attrs": [{"name": "hf.Revoker", "value": "true"}]}
    refused(await small.call("PUT", "/identities/small", revoker), 403, 71)
    refused(await registrar.call("PUT", "/identities/user-1", {"affiliation": "clinic"}), 400, 58)
    refused(await registrar.call("PUT", "/identities/user-1", {"max_enrollments": -3}), 400, 5)
    refused(await registrar.call("PUT", "/identities/nobody", {}), 404, 63)
    refused(await registrar.call("DELETE", "/identities/registrar"), 403, 56)
    refused(await registrar.call("DELETE", "/identities/registrar?force=perhaps"), 400, 61)
    assert (await registrar.call("DELETE", "/identities/registrar?force=true")).status_code == 200


async def test_attributes_that_an_identity_has_count_when_it_is_changed(registrar: Client) -> None:
    await member(registrar, "user-1", attrs=[{"name": "hf.Registrar.Roles", "value": "client"}])
    delegate = {"attrs": [{"name": "hf.Registrar.DelegateRoles", "value": "client"}]}
    assert (await registrar.call("PUT", "/identities/user-1", delegate)).status_code == 200
    more = {"attrs": [{"name": "hf.Registrar.DelegateRoles", "value": "client,peer"}]}
    refused(await registrar.call("PUT", "/identities/user-1", more), 403, 71)


async def test_affiliations(registrar: Client) -> None:
    refused(await registrar.call("GET", "/affiliations"), 404, 16)
    refused(await registrar.call("POST", "/affiliations", {"name": "clinic.ward.a"}), 404, 63)
    for name in ("", ".", "a..b", "with space", 7):
        refused(await registrar.call("POST", "/affiliations?force=true", {"name": name}), 400, 5)
    added = await registrar.call("POST", "/affiliations?force=true", {"name": "clinic.ward.a"})
    assert (added.status_code, added.json()["result"]["name"]) == (201, "clinic.ward.a")
    refused(await registrar.call("POST", "/affiliations", {"name": "clinic.ward"}), 409, 60)
    assert (await registrar.call("GET", "/affiliations")).json()["result"] == {
        "name": "clinic",
        "affiliations": [{"name": "clinic.ward", "affiliations": [{"name": "clinic.ward.a"}]}],
        "caname": "northgate-ca",
    }
    one = (await registrar.call("GET", "/affiliations/clinic.ward.a")).json()["result"]
    assert one == {"name": "clinic.ward.a", "caname": "northgate-ca"}
    refused(await registrar.call("GET", "/affiliations/other"), 404, 63)
    user = await member(registrar, "user-1", affiliation="clinic.ward.a")
    refused(await user.call("GET", "/affiliations"), 403, 71)
    refused(await registrar.call("PUT", "/affiliations/clinic.ward", {"name": "clinic.unit"}), 400, 64)
    await registrar.call("POST", "/affiliations", {"name": "other"})
    refused(await registrar.call("PUT", "/affiliations/clinic.ward?force=1", {"name": "other"}), 400, 64)
    moved_to = await registrar.call("PUT", "/affiliations/clinic.ward?force=true", {"name": "clinic.unit"})
    (inner,) = moved_to.json()["result"]["affiliations"]
    assert (inner["name"], inner["identities"][0]["affiliation"]) == ("clinic.unit.a", "clinic.unit.a")
    refused(await registrar.call("DELETE", "/affiliations/clinic"), 403, 71)
    gone = await registrar.call("DELETE", "/affiliations/clinic?force=true")
    assert gone.json()["result"]["name"] == "clinic"
    refused(await registrar.call("GET", "/identities/user-1"), 404, 63)
    refused(await user.call("POST", "/revoke", {"id": "user-1"}), 401, 20)
    assert (await registrar.call("GET", "/affiliations")).json()["result"]["name"] == "other"


async def test_a_registrar_sees_and_manages_its_own_affiliation_only(registrar: Client) -> None:
    for name in ("north", "north.ward", "northern"):
        await registrar.call("POST", "/affiliations", {"name": name})
    attrs = [
        {"name": "hf.Registrar.Roles", "value": "*"},
        {"name": "hf.Revoker", "value": "true"},
        {"name": "hf.AffiliationMgr", "value": "true"},
    ]
    north = await member(registrar, "north-registrar", affiliation="north", attrs=attrs)
    await member(registrar, "user-1", affiliation="northern")
    await member(registrar, "user-2", affiliation="north.ward")
    known = (await north.call("GET", "/identities")).json()["result"]["identities"]
    assert [identity["id"] for identity in known] == ["north-registrar", "user-2"]
    refused(await north.call("GET", "/identities/user-1"), 403, 71)
    refused(await north.call("POST", "/revoke", {"id": "user-1"}), 403, 71)
    refused(await north.call("GET", "/affiliations/northern"), 403, 71)
    refused(await north.call("POST", "/affiliations", {"name": "south"}), 403, 71)
    refused(await north.call("DELETE", "/affiliations/north?force=true"), 403, 71)
    refused(await north.register(id="user-3", affiliation="northern"), 403, 71)
    refused(await north.register(id="user-3", affiliation="."), 403, 71)
    refused(await north.register(id="user-3", affiliation="north.absent"), 403, 71)
    refused(await north.call("PUT", "/identities/user-2", {"affiliation": "."}), 403, 71)
    assert (await north.register(id="user-3")).status_code == 201
    assert (await north.call("GET", "/identities/user-3")).json()["result"]["affiliation"] == "north"
    certificates = (await north.call("GET", "/certificates")).json()["result"]["certs"]
    assert len(certificates) == 2
    tree_of_north = (await north.call("GET", "/affiliations")).json()["result"]
    assert tree_of_north["affiliations"] == [{"name": "north.ward"}]


async def test_affiliations_stay_out_of_certificates(registrar: Client) -> None:
    await registrar.call("POST", "/affiliations", {"name": "oncology"})
    user = await member(registrar, "user-1", affiliation="oncology")
    assert b"oncology" not in x509.load_pem_x509_certificate(user.certificate).public_bytes(Encoding.DER)


async def test_certificates_are_found_by_what_is_asked(registrar: Client, clock: Clock) -> None:
    user = await member(registrar, "user-1")
    await registrar.call("POST", "/revoke", {"id": "user-1"})
    clock.advance(hours=1)
    serial, aki = numbers(user.certificate)

    async def count(query: str = "") -> int:
        answer = await registrar.call("GET", f"/certificates{query}")
        assert answer.status_code == 200, answer.text
        return len(answer.json()["result"]["certs"])

    assert (await count(), await count("?id=user-1"), await count(f"?serial=0{serial}&aki={aki}")) == (
        2,
        1,
        1,
    )
    assert (await count("?notrevoked=true"), await count("?notexpired=true")) == (1, 2)
    assert (await count("?revoked_start=-1d"), await count("?revoked_start=-10m")) == (1, 0)
    assert (await count("?expired_end=2026-02-01"), await count("?expired_start=2026-02-01")) == (0, 2)
    assert await count("?revoked_end=2026-01-03T00:00:00Z&revoked_start=2026-01-01") == 1
    for query in (
        "notrevoked=true&revoked_start=-1d",
        "notexpired=true&expired_end=%2B1d",
        "notrevoked=perhaps",
        "revoked_end=soon",
        "expired_end=-1y",
        "expired_end=-999999d",
    ):
        refused(await registrar.call("GET", f"/certificates?{query}"), 400, 67)
    plain = await member(registrar, "user-2")
    refused(await plain.call("GET", "/certificates"), 403, 71)


def test_a_store_that_was_made_before_revocation_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "ca.sqlite"
    with closing(sqlite3.connect(path)) as older:
        older.execute(
            "CREATE TABLE identities (id TEXT PRIMARY KEY, type TEXT, salt BLOB, secret_hash BLOB, "
            "max_enrollments INTEGER, enrollments INTEGER NOT NULL DEFAULT 0, "
            "failed_logins INTEGER NOT NULL DEFAULT 0, attributes TEXT)"
        )
        older.execute("CREATE TABLE certificates (serial TEXT, aki TEXT, id TEXT, pem BLOB)")
        older.execute("INSERT INTO identities VALUES ('a', 'client', x'00', x'00', -1, 0, 0, '[]')")
        older.execute("INSERT INTO certificates VALUES ('1', '2', 'a', x'00')")
        older.commit()
    with closing(IdentityStore(path)) as store:
        (identity,) = store.all()
        assert (identity.affiliation, identity.revoked) == ("", False)
        assert [item.revoked_at for item in store.certificates.find(CertificateFilter())] == [None]


def test_affiliations_are_compared_part_by_part() -> None:
    assert below("a.b", "a")
    assert below("a", "")
    assert not below("ab", "a")
    assert not below("a", "a.b")
    assert moved("a.b.c", "a.b", "x") == "x.c"
    assert tree(["a", "b.c"]) == {"name": "", "affiliations": [{"name": "a"}, {"name": "b.c"}]}
