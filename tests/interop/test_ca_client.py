"""Hyperledger's own `fabric-ca-client` against the embedded engine's CA: all its commands for X.509."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from support.embedded import two_organizations
from support.official_ca_client import OfficialCaClient

from fabric_embedded.network import EmbeddedNetwork

pytestmark = pytest.mark.optional_tool("fabric-ca-client")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNetwork]:
    with two_organizations(tmp_path_factory.mktemp("ca-client")) as network:
        yield network


Client = Callable[[str], OfficialCaClient]


@pytest.fixture
def client(engine: EmbeddedNetwork, tmp_path: Path, optional_tool: Callable[[str], str]) -> Client:
    """The command line of an identity of alpha that nobody has enrolled yet."""
    program = optional_tool("fabric-ca-client")
    return lambda name: OfficialCaClient(program, engine, "alpha", tmp_path / name)


@pytest.fixture
def registrar(client: Client, engine: EmbeddedNetwork) -> OfficialCaClient:
    found = client("registrar")
    assert found.enroll(*engine.registrar("alpha")).returncode == 0
    return found


def _registered(registrar: OfficialCaClient, name: str, *options: str) -> str:
    """Register an identity; its secret."""
    printed = registrar.run("register", "--id.name", name, "--id.type", "client", *options)
    return printed.strip().removeprefix("Password: ")


def test_certificates_of_the_ca(client: Client, engine: EmbeddedNetwork) -> None:
    anybody = client("anybody")
    anybody.run("getcainfo")
    (stored,) = (anybody.home / "msp" / "cacerts").iterdir()
    own = engine.directory / "organizations" / "alpha" / "ca" / "certificate.pem"
    assert stored.read_bytes().strip() == own.read_bytes().strip()


def test_register_enroll_and_reenroll(client: Client, registrar: OfficialCaClient) -> None:
    secret = _registered(registrar, "doctor", "--id.attrs", "role=doctor:ecert,team=7")
    doctor = client("doctor")
    assert doctor.enroll("doctor", secret).returncode == 0
    first = doctor.certificate()
    assert (first.subject.rfc4514_string(), doctor.attributes()) == (
        "CN=doctor,OU=client",
        {"role": "doctor"},
    )
    doctor.run("reenroll")
    assert doctor.attributes() == {"role": "doctor"}
    assert doctor.certificate().serial_number != first.serial_number
    # The program asks for this machine's name in the certificate, which is nobody's business.
    assert not [entry for entry in first.extensions if isinstance(entry.value, x509.SubjectAlternativeName)]
    assert doctor.enroll("doctor", secret, "--enrollment.attrs", "team,none:opt").returncode == 0
    assert doctor.attributes() == {"team": "7"}


def test_refusals_are_fabrics(client: Client, registrar: OfficialCaClient) -> None:
    secret = _registered(registrar, "nurse", "--id.maxenrollments", "1")
    nurse = client("nurse")
    missing = nurse.enroll("nurse", secret, "--enrollment.attrs", "none")
    assert "The following required attributes are missing: [none]" in missing.stderr
    assert "Error Code: 20 - Authentication failure" in nurse.enroll("nurse", "wrong").stderr
    assert nurse.enroll("nurse", secret).returncode == 0
    assert "Error Code: 20 - Authentication failure" in nurse.enroll("nurse", secret).stderr
    again = registrar.attempt("register", "--id.name", "nurse")
    assert "Identity 'nurse' is already registered" in again.stderr
    unprivileged = nurse.attempt("register", "--id.name", "friend")
    assert "Error Code: 71 - Authorization failure" in unprivileged.stderr


def test_identities_are_listed_added_changed_and_removed(registrar: OfficialCaClient) -> None:
    added = registrar.run(
        "identity", "add", "clerk", "--secret", "pw", "--type", "client", "--attrs", "role=clerk:ecert"
    )
    assert "Successfully added identity - Name: clerk" in added
    changed = registrar.run(
        "identity", "modify", "clerk", "--attrs", "role=steward:ecert", "--maxenrollments", "5"
    )
    assert "Max Enrollments: 5" in changed
    assert "{Name:role Value:steward ECert:true}" in registrar.run("identity", "list", "--id", "clerk")
    names = [line.split(",")[0] for line in registrar.run("identity", "list").splitlines()]
    assert {"Name: registrar", "Name: clerk"} <= set(names)
    assert "Successfully removed identity" in registrar.run("identity", "remove", "clerk", "--force")
    assert "Error Code: 63" in registrar.attempt("identity", "list", "--id", "clerk").stderr


def test_affiliations_are_listed_added_changed_and_removed(registrar: OfficialCaClient) -> None:
    registrar.run("affiliation", "add", "clinic.ward", "--force")
    registrar.run("affiliation", "add", "clinic.office")
    registrar.run("affiliation", "modify", "clinic.ward", "--name", "clinic.station")
    registrar.run("affiliation", "remove", "clinic.office", "--force")
    listed = registrar.run("affiliation", "list").split()
    assert listed == ["affiliation:", "clinic", "affiliation:", "clinic.station"]
    _registered(registrar, "warden", "--id.affiliation", "clinic.station")
    assert "Affiliation: clinic.station" in registrar.run("identity", "list", "--id", "warden")
    assert "Error" in registrar.attempt("affiliation", "add", "none.below").stderr


def test_revocation_and_its_lists(client: Client, registrar: OfficialCaClient) -> None:
    secret = _registered(registrar, "leaver")
    leaver = client("leaver")
    assert leaver.enroll("leaver", secret).returncode == 0
    serial = leaver.certificate().serial_number
    listed = registrar.run("certificate", "list", "--id", "leaver", "--notrevoked")
    assert f"Serial Number: {serial}" in listed
    registrar.run("revoke", "--revoke.name", "leaver", "-r", "cessationofoperation", "--gencrl")
    assert registrar.revocation_list().get_revoked_certificate_by_serial_number(serial) is not None
    assert "No results" in registrar.run("certificate", "list", "--id", "leaver", "--notrevoked")
    assert f"Serial Number: {serial}" in registrar.run(
        "certificate", "list", "--id", "leaver", "--revocation", "-1d::"
    )
    assert "Error Code: 20 - Authentication failure" in leaver.attempt("reenroll").stderr
    registrar.run("gencrl", "--revokedafter", "2020-01-01T00:00:00Z")
    assert registrar.revocation_list().get_revoked_certificate_by_serial_number(serial) is not None
    later = "2999-01-01T00:00:00Z"
    registrar.run("gencrl", "--expireafter", later)
    assert len(registrar.revocation_list()) == 0
