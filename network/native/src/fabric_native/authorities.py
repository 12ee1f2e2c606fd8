"""The CA servers of a network: started, asked whether they answer, and put to work for the nodes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from fabric_native.authority_client import AuthorityClient
from fabric_native.authority_config import ca_name, tls_ca_name
from fabric_native.endpoints import Endpoints
from fabric_native.issuing import FabricCaIssuer, Issuer
from fabric_native.material import (
    create_members,
    create_node,
    root_issuer,
    server_hosts,
    write_authority_config,
)
from fabric_native.nodes import Node, authority
from fabric_native.paths import NetworkPaths, NodePaths
from fabric_native.settings import EngineSettings
from fabric_native.tls import client_context
from fabric_operator.material import read_registrar
from fabric_operator.private_files import write_pair
from fabric_operator.processes import ProcessKeeper
from fabric_protocol.topology import Organization

READY_SECONDS = 60.0
_SECONDS = 30.0


@dataclass(frozen=True)
class Authorities:
    """The network's CA servers, one process for each organization."""

    paths: NetworkPaths
    endpoints: Endpoints
    settings: EngineSettings
    processes: ProcessKeeper

    @property
    def operated(self) -> tuple[Organization, ...]:
        """The organizations whose CAs run here."""
        return self.settings.operated(self.endpoints.topology)

    def start(self) -> list[str]:
        """Start those that do not run, and wait until all answer.

        Returns:
            Names of those that had to be started.

        Raises:
            ProcessError: one ended or did not get ready; with the tail of its log.
        """
        started = [node.name for node in map(authority, self.operated) if self._start(node)]
        for item in self.operated:
            self.wait(item)
        return started

    def _start(self, node: Node) -> bool:
        write_authority_config(self.paths, self.endpoints, node)
        return self.processes.ensure(node.name, self.settings.authority(self.paths.node(node).directory), {})

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
        """Have the organizations' nodes and administrators enrolled.

        Raises:
            AuthorityError: a CA refused or gave no answer.
        """
        with ThreadPoolExecutor(len(organizations)) as pool:
            list(pool.map(self._issue, organizations))

    def _issue(self, organization: Organization) -> None:
        with self._issuer(organization) as issuer:
            create_members(self.paths, organization, self.endpoints.topology, issuer)

    def issue_node(self, organization: Organization, node: Node, member: NodePaths) -> None:
        """Have another identity and TLS pair of one node issued, into a directory of its own.

        Raises:
            AuthorityError: the CA refused or gave no answer.
        """
        files = self.paths.organization(organization.name)
        with self._issuer(organization) as issuer:
            create_node(
                files,
                member,
                node,
                _new_name(node),
                server_hosts(self.endpoints.topology, organization),
                issuer,
            )

    def issue_service(self, organization: Organization, service: Node) -> None:
        """Have the TLS pair of a chaincode service issued; raises as `issue_node`."""
        member = self.paths.node(service)
        with self._issuer(organization) as issuer:
            write_pair(
                member.tls,
                *issuer.tls(_new_name(service), server_hosts(self.endpoints.topology, organization)),
            )

    @contextmanager
    def _issuer(self, organization: Organization) -> Iterator[Issuer]:
        files = self.paths.organization(organization.name)
        if self.settings.authority_command is not None:
            yield root_issuer(files)
            return
        with self._connection(organization) as connection:
            identities = AuthorityClient(connection, ca_name(organization.name))
            tls = AuthorityClient(connection, tls_ca_name(organization.name))
            for client in (identities, tls):
                client.enroll_registrar(*read_registrar(files.registrar))
            yield FabricCaIssuer(identities, tls)

    def _connection(self, organization: Organization) -> httpx.Client:
        roots = self.paths.organization(organization.name).tls_ca.certificate.read_bytes()
        return httpx.Client(
            base_url=f"https://{self.endpoints.address(authority(organization))}",
            verify=client_context(roots),
            timeout=_SECONDS,
            trust_env=False,
        )


def _new_name(node: Node) -> str:
    """A CA registers a name once, so that a node's later certificates bear others; Fabric goes by roles."""
    return f"{node.name}-{secrets.token_hex(4)}"
