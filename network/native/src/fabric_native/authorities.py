"""The CA servers of a network: started, asked whether they answer, and put to work for the nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from fabric_native.authority_client import AuthorityClient
from fabric_native.authority_config import ca_name, tls_ca_name
from fabric_native.issuing import FabricCaIssuer
from fabric_native.material import create_members, read_registrar
from fabric_native.nodes import authority
from fabric_native.paths import NetworkPaths
from fabric_native.settings import EngineSettings
from fabric_native.tls import client_context
from fabric_operator.processes import ProcessKeeper
from fabric_protocol.topology import Organization, Topology

READY_SECONDS = 60.0
_SECONDS = 30.0


@dataclass(frozen=True)
class Authorities:
    """The network's CA servers, one process for each organization."""

    paths: NetworkPaths
    topology: Topology
    ports: Mapping[str, int]
    settings: EngineSettings
    processes: ProcessKeeper

    def start(self) -> list[str]:
        """Start those that do not run, and wait until all answer.

        Returns:
            Names of those that had to be started.

        Raises:
            ProcessError: one ended or did not get ready; with the tail of its log.
        """
        nodes = [authority(item) for item in self.topology.organizations]
        started = [
            node.name
            for node in nodes
            if self.processes.ensure(node.name, self.settings.authority(self.paths.node(node).directory), {})
        ]
        for item in self.topology.organizations:
            self.wait(item)
        return started

    def wait(self, organization: Organization) -> None:
        """Wait until an organization's CA answers; raises as `start`."""
        with self._connection(organization) as connection:

            def answers() -> bool:
                try:
                    return connection.get("/cainfo", params={"ca": ca_name(organization.name)}).is_success
                except httpx.HTTPError:
                    return False

            self.processes.wait_until_ready(authority(organization).name, answers, READY_SECONDS)

    def issue(self, organizations: Sequence[Organization]) -> None:
        """Have the organizations' nodes and administrators enrolled at their Fabric CAs.

        Raises:
            AuthorityError: a CA refused or gave no answer.
        """
        with ThreadPoolExecutor(len(organizations)) as pool:
            list(pool.map(self._issue, organizations))

    def _issue(self, organization: Organization) -> None:
        registrar = read_registrar(self.paths.organization(organization.name))
        with self._connection(organization) as connection:
            identities = AuthorityClient(connection, ca_name(organization.name))
            tls = AuthorityClient(connection, tls_ca_name(organization.name))
            for client in (identities, tls):
                client.enroll_registrar(*registrar)
            create_members(self.paths, organization, self.topology, FabricCaIssuer(identities, tls))

    def _connection(self, organization: Organization) -> httpx.Client:
        roots = self.paths.organization(organization.name).tls_ca.certificate.read_bytes()
        return httpx.Client(
            base_url=f"https://{self.topology.host}:{self.ports[authority(organization).name]}",
            verify=client_context(roots),
            timeout=_SECONDS,
            trust_env=False,
        )
