"""Write network.json and what belongs to it; all of it or nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consentry.attach.connection_profile import ConnectionProfile, ProfileNode, ProfileOrganization
from consentry.profile import FILE_NAME, NetworkProfile
from consentry.wallet import Wallet, WalletIdentity

_TLS = "tls"


def write_network(
    directory: Path,
    profile: ConnectionProfile,
    channel: str,
    chaincode: str,
    kinds: Mapping[str, str],
    identity: WalletIdentity,
    label: str,
) -> Path:
    """Write the network's description, read it back as clients will, and keep the identity in the wallet.

    Args:
        directory: Made when absent.
        profile: Checked before.
        channel: Name of the channel.
        chaincode: Name of the chaincode.
        kinds: MSP id → `hospital` or `regulator`.
        identity: Who attached.
        label: Its name in the wallet.

    Returns:
        Path of network.json, written last.
    """
    made = not directory.exists()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".attaching-", dir=directory) as room:
            place = Path(room)
            (place / _TLS).mkdir()
            document = _document(profile, channel, chaincode, kinds, place / _TLS)
            (place / FILE_NAME).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
            NetworkProfile.load(place)
            wallet = directory / "wallets" / profile.organizations[identity.msp_id].name
            Wallet(wallet).put(label, identity, replace=True)
            (directory / _TLS).mkdir(exist_ok=True)
            for path in (place / _TLS).iterdir():
                path.replace(directory / _TLS / path.name)
            return (place / FILE_NAME).replace(directory / FILE_NAME)
    except BaseException:
        if made:
            shutil.rmtree(directory, ignore_errors=True)
        raise


def _document(
    profile: ConnectionProfile, channel: str, chaincode: str, kinds: Mapping[str, str], roots: Path
) -> dict[str, Any]:
    return {
        "version": 1,
        "engine": "fabric",
        "channel": channel,
        "chaincode": chaincode,
        "organizations": {
            msp_id: _organization(organization, kinds[msp_id], roots)
            for msp_id, organization in profile.organizations.items()
        },
        "orderers": [
            _endpoint(node, roots, f"orderer-{number}") for number, node in enumerate(profile.orderers)
        ],
    }


def _organization(organization: ProfileOrganization, kind: str, roots: Path) -> dict[str, Any]:
    name = organization.name
    document: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "peers": [
            _endpoint(peer, roots, f"{name}-peer-{number}") for number, peer in enumerate(organization.peers)
        ],
    }
    authority = organization.authority
    if authority is not None:
        document["ca"] = {
            "url": f"https://{authority.endpoint}",
            "name": authority.authority_name or authority.name,
            "tls_roots": _keep(authority, roots, f"{name}-ca"),
        }
    return document


def _endpoint(node: ProfileNode, roots: Path, file: str) -> dict[str, str]:
    return {
        "endpoint": node.endpoint,
        "tls_roots": _keep(node, roots, file),
        "server_name": node.server_name,
    }


def _keep(node: ProfileNode, roots: Path, file: str) -> str:
    (roots / f"{file}.pem").write_bytes(node.tls_roots)
    return f"{_TLS}/{file}.pem"
