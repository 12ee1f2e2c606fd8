"""Clients for benchmarks and harnesses."""

from __future__ import annotations

from consentry.ca_client import CaClient, new_enrolment_id
from consentry.profile import NetworkProfile
from fabric_embedded import EmbeddedNetwork
from fabric_gateway import Gateway, Timeouts

# A benchmark on a machine that others use, too, is slow, not broken.
_PATIENT = Timeouts(evaluate=120, endorse=120, submit=120, commit_status=300)


def enrolled_gateway(network: EmbeddedNetwork, organization: str) -> Gateway:
    """A connection of a newly enrolled user of an organization to its own peer."""
    msp_id = network.topology.organization(organization).msp_id
    member = NetworkProfile.load(network.directory).organization(msp_id)
    assert member.ca is not None
    with CaClient(member.ca, member.msp_id) as ca:
        registrar = ca.enroll(*network.registrar(organization), attributes=())
        enrolment_id = new_enrolment_id()
        user = ca.enroll(enrolment_id, ca.register(registrar, enrolment_id, {}))
    peer = member.peers[0]
    return Gateway.connect(
        peer.endpoint,
        identity=user.serialized,
        signer=user.signer,
        tls_roots=peer.read_tls_roots(),
        server_name=peer.server_name,
        timeouts=_PATIENT,
    )
