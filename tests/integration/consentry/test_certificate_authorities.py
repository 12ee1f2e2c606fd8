"""The CA client against Hyperledger's Fabric CA 1.5.21 and against the embedded engine's CA."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from support.fabric_ca import REGISTRAR, fabric_ca

from consentry.ca_client import CaClient, new_enrolment_id
from consentry.errors import EnrolmentError
from consentry.identity import WalletIdentity
from consentry.network import EMBEDDED, bring_up, take_down
from consentry.network.engines import load_network
from consentry.profile import NetworkProfile

pytestmark = pytest.mark.integration

Authority = tuple[CaClient, WalletIdentity]


@pytest.fixture
def official(tmp_path: Path, optional_tool: Callable[[str], str]) -> Iterator[Authority]:
    with (
        fabric_ca(optional_tool("fabric-ca"), tmp_path) as authority,
        CaClient(authority, "NorthgateMSP") as client,
    ):
        yield client, client.enroll(*REGISTRAR, attributes=())


@pytest.fixture(scope="module")
def small_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("small") / "network"
    bring_up(directory, "small", engine=EMBEDDED)
    yield directory
    take_down(directory)


@pytest.fixture
def embedded(small_network: Path) -> Iterator[Authority]:
    organization = NetworkProfile.load(small_network).organization_named("northgate")
    with CaClient(organization.ca, organization.msp_id) as client:
        yield client, client.enroll(*load_network(small_network).registrar("northgate"), attributes=())


@pytest.fixture(params=["official", "embedded"])
def authority(request: pytest.FixtureRequest) -> Authority:
    found: Authority = request.getfixturevalue(request.param)
    return found


def test_somebody_is_registered_with_attributes_and_enrolled(authority: Authority) -> None:
    client, registrar = authority
    enrolment_id = new_enrolment_id()
    secret = client.register(registrar, enrolment_id, {"consentry.role": "steward,dpo", "ward": "Köln"})
    identity = client.enroll(enrolment_id, secret)
    assert (identity.enrolment_id, identity.roles) == (enrolment_id, {"steward", "dpo"})
    # Neither name nor affiliation: only the attributes that were asked for.
    assert b"hf.Affiliation" not in identity.certificate_pem
    with pytest.raises(EnrolmentError) as caught:
        client.enroll(enrolment_id, secret)
    assert caught.value.code == "CA_REFUSED"


def test_somebody_enrols_anew_with_another_key(authority: Authority) -> None:
    client, registrar = authority
    enrolment_id = new_enrolment_id()
    secret = client.register(registrar, enrolment_id, {"consentry.role": "steward"})
    first = client.enroll(enrolment_id, secret)
    again = client.reenroll(first)
    assert (again.enrolment_id, again.roles) == (enrolment_id, {"steward"})
    assert again.certificate.public_key() != first.certificate.public_key()
    assert client.reenroll(again).enrolment_id == enrolment_id


def test_somebody_who_is_revoked_can_do_nothing_more(authority: Authority) -> None:
    client, registrar = authority
    enrolment_id = new_enrolment_id()
    secret = client.register(registrar, enrolment_id, {}, max_enrollments=-1)
    identity = client.enroll(enrolment_id, secret)
    client.revoke(registrar, identity.certificate)
    revoked = x509.load_pem_x509_crl(client.gencrl(registrar))
    assert revoked.get_revoked_certificate_by_serial_number(identity.certificate.serial_number) is not None
    for attempt in (lambda: client.reenroll(identity), lambda: client.enroll(enrolment_id, secret)):
        with pytest.raises(EnrolmentError) as caught:
            attempt()
        assert caught.value.code == "CA_REFUSED"
        assert secret not in str(caught.value)


def test_somebody_without_rights_registers_and_revokes_nobody(authority: Authority) -> None:
    client, registrar = authority
    enrolment_id = new_enrolment_id()
    identity = client.enroll(enrolment_id, client.register(registrar, enrolment_id, {}))
    for attempt in (
        lambda: client.register(identity, new_enrolment_id(), {}),
        lambda: client.revoke(identity, registrar.certificate),
    ):
        with pytest.raises(EnrolmentError) as caught:
            attempt()
        assert caught.value.code == "CA_REFUSED"


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_a_wrong_secret_is_refused(authority: Authority, secret: str) -> None:
    with pytest.raises(EnrolmentError) as caught:
        authority[0].enroll("registrar", secret)
    assert caught.value.code == "CA_REFUSED"
