"""Whether the nodes of a profile answer, and prove by TLS who they are."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from consentry.attach.connection_profile import ConnectionProfile, ProfileNode
from consentry.attach.findings import Finding, fine, refused

_SECONDS = 5.0
_PARALLEL = 16
_HOST_MISMATCH, _IP_MISMATCH = 62, 64


def check_endpoints(profile: ConnectionProfile) -> list[Finding]:
    """Shake hands with every peer, orderer and certificate authority of the profile, in its order."""
    return check_nodes([*_peers(profile), *profile.orderers, *_authorities(profile)])


def check_nodes(nodes: Iterable[ProfileNode]) -> list[Finding]:
    """Shake hands with these nodes; ENDPOINT_UNREACHABLE, TLS_NOT_SPOKEN, TLS_UNTRUSTED or TLS_NAME_WRONG."""
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return list(pool.map(_check, nodes))


def leads_to(node: ProfileNode, roots: bytes) -> bool:
    """Whether a node's TLS certificate leads to one of these PEM certificates; its name does not count."""
    try:
        _shake_hands(node, roots, check_name=False)
    except (OSError, ValueError):
        return False
    return True


def _peers(profile: ConnectionProfile) -> list[ProfileNode]:
    return [peer for organization in profile.organizations.values() for peer in organization.peers]


def _authorities(profile: ConnectionProfile) -> list[ProfileNode]:
    return [item.authority for item in profile.organizations.values() if item.authority is not None]


def _check(node: ProfileNode) -> Finding:
    try:
        _shake_hands(node, node.tls_roots, check_name=True)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in (_HOST_MISMATCH, _IP_MISMATCH):
            return refused(
                node.name,
                "TLS_NAME_WRONG",
                f"{node.endpoint} has a certificate for another name than {node.server_name!r}; set "
                "ssl-target-name-override in the profile to the certificate's name",
            )
        return refused(
            node.name,
            "TLS_UNTRUSTED",
            f"{node.endpoint} has a certificate that does not lead to the profile's tlsCACerts "
            f"({error.verify_message}); get the current ones from whoever runs it",
        )
    except ssl.SSLError as error:
        return refused(node.name, "TLS_NOT_SPOKEN", f"{node.endpoint} refuses TLS: {error.reason or error}")
    except (OSError, ValueError) as error:
        return refused(
            node.name,
            "ENDPOINT_UNREACHABLE",
            f"{node.endpoint} gives no answer ({error}); is the node up, and does a firewall let this "
            "machine through?",
        )
    return fine(node.name, f"{node.endpoint} answers and proves its name {node.server_name}")


def _shake_hands(node: ProfileNode, roots: bytes, *, check_name: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As Go and gRPC judge: any certificate among the roots is an anchor, and CAs need no more than
    # Fabric's have.
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    context.check_hostname = check_name
    context.load_verify_locations(cadata=roots.decode("ascii"))
    with (
        socket.create_connection((node.host, node.port), _SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=node.server_name),
    ):
        return
