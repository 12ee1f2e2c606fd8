"""A small embedded network for integration tests.

from support.embedded import two_organizations

@pytest.fixture(scope="session")
def network(tmp_path_factory):
    with two_organizations(tmp_path_factory.mktemp("network")) as network:
        yield network
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from support.ca_requests import basic, certificate_request, signer, token

from fabric_embedded.network import EmbeddedNetwork
from fabric_protocol.certificates import new_private_key
from fabric_protocol.identities import serialize_identity
from fabric_protocol.signatures import Signer, sign_digest
from fabric_protocol.topology import ChaincodeDefinition, CollectionDefinition, Organization, Topology

BASIC_CHAINCODE = (sys.executable, str(Path(__file__).with_name("basic_chaincode.py")))
ORGANIZATIONS = (
    Organization("alpha", "AlphaMSP", "hospital"),
    Organization("beta", "BetaMSP", "hospital"),
)


def two_organization_topology(command: Sequence[str] = BASIC_CHAINCODE, name: str = "basic") -> Topology:
    """Alpha and beta, both must endorse; each has a collection of its own, `custodian-<MSP id>`."""
    collections = tuple(
        CollectionDefinition(
            name=f"custodian-{organization.msp_id}",
            members=f"OR('{organization.msp_id}.member')",
            endorsement=f"OR('{organization.msp_id}.peer')",
        )
        for organization in ORGANIZATIONS
    )
    chaincode = ChaincodeDefinition(
        name=name,
        policy="OutOf(2, 'AlphaMSP.peer', 'BetaMSP.peer')",
        command=tuple(command),
        collections=collections,
    )
    return Topology(channel="testing", organizations=ORGANIZATIONS, chaincode=chaincode)


@contextmanager
def two_organizations(
    directory: Path, command: Sequence[str] = BASIC_CHAINCODE, name: str = "basic"
) -> Iterator[EmbeddedNetwork]:
    """A network of two organizations that is up; it is ended afterwards, its files stay."""
    network = EmbeddedNetwork.create(directory / "network", two_organization_topology(command, name))
    try:
        network.up()
        yield network
    finally:
        network.down()


@dataclass(frozen=True)
class User:
    """An enrolled identity: what a gateway client wants."""

    msp_id: str
    certificate: bytes
    sign_digest: Signer
    sign: object
    key: object = None

    @property
    def identity(self) -> bytes:
        """M(SerializedIdentity)."""
        return serialize_identity(self.msp_id, self.certificate)


class CaClient:
    """One organization's CA over its real endpoint, independent of the application's client."""

    def __init__(self, network: EmbeddedNetwork, organization: str) -> None:
        import json
        import ssl

        self.organization = network.topology.organization(organization)
        profile = json.loads((network.directory / "network.json").read_text())
        ca = profile["organizations"][self.organization.msp_id]["ca"]
        context = ssl.create_default_context(cafile=str(network.directory / ca["tls_roots"]))
        self.http = httpx.Client(base_url=ca["url"], verify=context)
        self.registrar = network.registrar(organization)

    def __enter__(self) -> CaClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def enroll(self, identity: str, secret: str) -> User:
        """Enrol and return the identity with its key."""
        import base64

        key = new_private_key()
        body = {"certificate_request": certificate_request(identity, key)}
        answer = self.http.post("/api/v1/enroll", json=body, headers=basic(identity, secret))
        answer.raise_for_status()
        certificate = base64.b64decode(answer.json()["result"]["Cert"])
        return User(
            self.organization.msp_id, certificate, lambda digest: sign_digest(key, digest), signer(key), key
        )

    def register(self, registrar: User, identity: str, **fields: object) -> str:
        """Register an identity with the registrar's token; its secret."""
        import json

        body = json.dumps({"id": identity, "type": "client", **fields}).encode()
        headers = token("POST", "/api/v1/register", body, registrar.certificate, registrar.sign)  # type: ignore[arg-type]
        answer = self.http.post("/api/v1/register", content=body, headers=headers)
        answer.raise_for_status()
        return str(answer.json()["result"]["secret"])


def enrolled_user(
    network: EmbeddedNetwork, organization: str, identity: str, attributes: dict[str, str] | None = None
) -> User:
    """Register and enrol a user with attributes at an organization's CA."""
    attrs = [{"name": name, "value": value, "ecert": True} for name, value in (attributes or {}).items()]
    with CaClient(network, organization) as client:
        registrar = client.enroll(*client.registrar)
        secret = client.register(registrar, identity, attrs=attrs)
        return client.enroll(identity, secret)
