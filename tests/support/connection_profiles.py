"""Connection profiles as other tools write them, of an embedded network that runs."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths

EXAMPLE_PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def example_document() -> dict[str, Any]:
    """The layout of fabric-samples' test network, with what its SDKs ignore or need besides."""
    tls = {"tlsCACerts": {"pem": EXAMPLE_PEM}}
    names = {
        "ssl-target-name-override": "peer0.org1.example.com",
        "hostnameOverride": "peer0.org1.example.com",
    }
    return copy.deepcopy(
        {
            "name": "test-network-org1",
            "version": "1.0.0",
            "client": {"organization": "Org1", "connection": {"timeout": {"peer": {"endorser": "300"}}}},
            "channels": {"mychannel": {"orderers": ["orderer.example.com"]}},
            "organizations": {
                "Org1": {
                    "mspid": "Org1MSP",
                    "peers": ["peer0.org1.example.com"],
                    "certificateAuthorities": ["ca.org1.example.com"],
                },
                "OrdererOrg": {"mspid": "OrdererMSP"},
            },
            "orderers": {"orderer.example.com": {"url": "grpcs://localhost:7050", **tls}},
            "peers": {
                "peer0.org1.example.com": {"url": "grpcs://localhost:7051", **tls, "grpcOptions": names}
            },
            "certificateAuthorities": {
                "ca.org1.example.com": {
                    "url": "https://localhost:7054",
                    "caName": "ca-org1",
                    "tlsCACerts": {"pem": [EXAMPLE_PEM]},
                    "httpOptions": {"verify": False},
                }
            },
        }
    )


def profile_of(network: EmbeddedNetwork, organizations: Iterable[str] = ()) -> dict[str, Any]:
    """As `profile_document`."""
    return profile_document(network.directory, organizations)


def profile_document(directory: Path, organizations: Iterable[str] = ()) -> dict[str, Any]:
    """A connection profile with the peers and CAs of these organizations (by default of all); no orderer."""
    described = json.loads((directory / "network.json").read_text())
    wanted = set(organizations) or {item["name"] for item in described["organizations"].values()}
    document: dict[str, Any] = {
        "name": "a consortium",
        "version": "1.0.0",
        "channels": {described["channel"]: {}},
        "organizations": {},
        "peers": {},
        "certificateAuthorities": {},
    }
    for msp_id, item in described["organizations"].items():
        if item["name"] not in wanted:
            continue
        peer, authority = f"peer0.{item['name']}", f"ca.{item['name']}"
        document.setdefault("client", {"organization": item["name"].capitalize()})
        document["organizations"][item["name"].capitalize()] = {
            "mspid": msp_id,
            "peers": [peer],
            "certificateAuthorities": [authority],
        }
        document["peers"][peer] = {
            "url": f"grpcs://{item['peers'][0]['endpoint']}",
            "tlsCACerts": {"path": str(directory / item["peers"][0]["tls_roots"])},
        }
        document["certificateAuthorities"][authority] = {
            "url": item["ca"]["url"],
            "caName": item["ca"]["name"],
            "tlsCACerts": {"pem": [(directory / item["ca"]["tls_roots"]).read_text()]},
        }
    return document


def msp_directory(network: EmbeddedNetwork, organization: str, directory: Path) -> Path:
    """The administrator of an organization, as cryptogen would lay him out."""
    pair = NetworkPaths(network.directory).organization(organization).administrator
    for name, source in (("signcerts/cert.pem", pair.certificate), ("keystore/priv_sk", pair.key)):
        path = directory / name
        path.parent.mkdir(parents=True)
        path.write_bytes(source.read_bytes())
    return directory
