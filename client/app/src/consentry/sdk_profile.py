"""The connection profile that fabric-sdk-py 1.0.0 reads, for code that is written on it already.

Every node needs `grpcOptions` with a target name and its TLS roots: where one of them is missing,
fabric-sdk-py silently opens a connection without TLS. What it can and cannot do is in ADR 3.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from consentry.errors import ConfigurationError, InputRejected
from consentry.identity import WalletIdentity
from consentry.private_files import make_private_directory, write_private
from consentry.profile import Endpoint, NetworkProfile

PROFILE_FILE = "fabric-sdk-py.json"
CERTIFICATE_FILE = "user.pem"
KEY_FILE = "user.key"


def export_sdk_profile(profile: NetworkProfile, identity: WalletIdentity, directory: Path) -> Path:
    """Write the profile, the identity's certificate and its key (0600) into a directory (0700); return the
    profile's path.

    Raises:
        InputRejected: FILE_EXISTS, one of the files is there already.
        ConfigurationError: PATH_EXPOSED; KEY_ON_TOKEN, fabric-sdk-py needs the key itself.
    """
    make_private_directory(directory)
    if identity.is_on_token:
        raise ConfigurationError(
            "KEY_ON_TOKEN", "fabric-sdk-py signs with a key in a file, and this one never leaves its token"
        )
    document = sdk_profile(profile, identity.msp_id, directory)
    files = {
        PROFILE_FILE: json.dumps(document, indent=2).encode() + b"\n",
        CERTIFICATE_FILE: identity.certificate_pem,
        KEY_FILE: identity.private_key_pem,
    }
    for name, data in files.items():
        try:
            write_private(directory / name, data)
        except FileExistsError as error:
            raise InputRejected(
                "FILE_EXISTS", f"{directory / name} exists; name another directory"
            ) from error
    return directory / PROFILE_FILE


def sdk_profile(profile: NetworkProfile, msp_id: str, directory: Path) -> dict[str, Any]:
    """Return the profile as an organization's client uses it; paths are absolute."""
    organizations = profile.organizations.values()
    peers = {
        f"peer{number}.{organization.name}": _node(peer)
        for organization in organizations
        for number, peer in enumerate(organization.peers)
    }
    orderers = {f"orderer{number}": _node(orderer) for number, orderer in enumerate(profile.orderers)}
    members = {
        organization.name: {
            "mspid": organization.msp_id,
            "peers": [name for name in peers if name.endswith(f".{organization.name}")],
            "orderers": list(orderers),
            "certificateAuthorities": [],
            "users": {},
        }
        for organization in organizations
    }
    return {
        "name": profile.channel,
        "version": "1.0",
        "client": {
            "organization": profile.organization(msp_id).name,
            "credentialStore": {"path": str(directory.resolve() / "state")},
        },
        "channels": {profile.channel: {"orderers": list(orderers), "peers": {name: {} for name in peers}}},
        "organizations": members,
        "orderers": orderers,
        "peers": peers,
        "certificateAuthorities": {},
    }


def _node(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "url": endpoint.endpoint,
        "grpcOptions": {"grpc.ssl_target_name_override": endpoint.server_name},
        "tlsCACerts": {"path": str(endpoint.tls_roots.resolve())},
    }
