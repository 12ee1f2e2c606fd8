"""Fabric's common connection profile, as other tools write it, in JSON or YAML.

Only what is needed is read: organizations, peers, orderers, certificate authorities, channels. Whatever else
a tool put there (timeouts, wallets, event options) is left alone. Source: "Connection Profile" in the
documentation of Fabric's SDKs, version 1.0.0 of the format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from consentry.errors import ConfigurationError

_CODE = "CONNECTION_PROFILE_INVALID"
_LARGEST_BYTES = 4 << 20
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_NAME_OPTIONS = ("ssl-target-name-override", "hostnameOverride")
_CAPITAL = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class ProfileNode:
    """A peer, an orderer or a certificate authority.

    Args:
        name: Its key in the profile.
        host: Name or address; an IPv6 address without brackets.
        port: TCP port.
        server_name: Name that its TLS certificate must carry.
        tls_roots: PEM certificates that its own must lead to.
        authority_name: Name of the CA at that address, for a certificate authority.
    """

    name: str
    host: str
    port: int
    server_name: str
    tls_roots: bytes = field(repr=False)
    authority_name: str = ""

    @property
    def endpoint(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class ProfileOrganization:
    """An organization of the profile: short name for paths, MSP id, peers, and its CA if it has one."""

    name: str
    msp_id: str
    peers: tuple[ProfileNode, ...]
    authority: ProfileNode | None


@dataclass(frozen=True)
class ConnectionProfile:
    """One or several connection profiles of the same network, read together.

    Args:
        organizations: By MSP id.
        orderers: May be empty: the channel's configuration names them too.
        channels: Names of the channels that the profiles mention.
        client: MSP id of the organization that the first profile's `client` section names, or empty.
    """

    organizations: Mapping[str, ProfileOrganization]
    orderers: tuple[ProfileNode, ...]
    channels: tuple[str, ...]
    client: str


def read_connection_profiles(paths: Sequence[Path]) -> ConnectionProfile:
    """Read connection profiles, one for each organization or one for all.

    Raises:
        ConfigurationError: CONNECTION_PROFILE_INVALID with the file, the place and what was expected there;
            CONNECTION_WITHOUT_TLS for an address without TLS.
    """
    organizations: dict[str, ProfileOrganization] = {}
    orderers: dict[str, ProfileNode] = {}
    channels: list[str] = []
    client = ""
    for path in paths:
        reader = _Reader(path)
        for organization in reader.organizations():
            known = organizations.get(organization.msp_id)
            organizations[organization.msp_id] = (
                organization if known is None else _joined(known, organization)
            )
        orderers.update((node.endpoint, node) for node in reader.nodes("orderers", "grpcs"))
        channels += [name for name in reader.section("channels") if name not in channels]
        client = client or reader.client()
    if not organizations:
        raise ConfigurationError(
            _CODE, f"{_listed(paths)}: got no organization with peers, expected one or more"
        )
    return ConnectionProfile(organizations, tuple(orderers.values()), tuple(channels), client)


class _Reader:
    """One file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._document = _document(path)

    def section(self, name: str) -> dict[str, Any]:
        """A top-level object; absent and null are empty."""
        return self._object(self._document.get(name), name)

    def organizations(self) -> list[ProfileOrganization]:
        """The organizations that have peers here."""
        peers = {node.name: node for node in self.nodes("peers", "grpcs")}
        authorities = {node.name: node for node in self.nodes("certificateAuthorities", "https")}
        found = []
        for name, value in self.section("organizations").items():
            place = f"organizations.{name}"
            organization = self._object(value, place)
            own = [self._known(peers, peer, place) for peer in self._texts(organization, "peers", place)]
            listed = self._texts(organization, "certificateAuthorities", place)
            authority = self._known(authorities, listed[0], place) if listed else None
            msp_id = self._text(organization, "mspid", place)
            if own:
                found.append(ProfileOrganization(_short(name), msp_id, tuple(own), authority))
        return found

    def client(self) -> str:
        """MSP id of the organization that the profile was written for."""
        name = str(self.section("client").get("organization") or "")
        organization = self._object(self.section("organizations").get(name), f"organizations.{name}")
        return str(organization.get("mspid") or "")

    def nodes(self, section: str, scheme: str) -> list[ProfileNode]:
        """The nodes of a section."""
        return [self._node(name, value, section, scheme) for name, value in self.section(section).items()]

    def _node(self, name: str, value: Any, section: str, scheme: str) -> ProfileNode:
        place = f"{section}.{name}"
        node = self._object(value, place)
        host, port = self._address(self._text(node, "url", place), scheme, place)
        options = self._object(node.get("grpcOptions"), f"{place}.grpcOptions")
        override = next((str(options[key]) for key in _NAME_OPTIONS if options.get(key)), "")
        authority = str(node.get("caName") or "") if scheme == "https" else ""
        return ProfileNode(name, host, port, override or host, self._roots(node, place), authority)

    def _address(self, url: str, scheme: str, place: str) -> tuple[str, int]:
        if url.startswith((f"{scheme[:-1]}://", "http://", "grpc://")):
            raise ConfigurationError(
                "CONNECTION_WITHOUT_TLS",
                f"{self._path}: {place}.url: got {url!r}, expected {scheme}://…; connections without TLS "
                "are not made",
            )
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if parts.scheme != scheme or not host or not port:
            raise self._error(f"{place}.url: got {url!r}, expected {scheme}://host:port")
        return host, port

    def _roots(self, node: dict[str, Any], place: str) -> bytes:
        given = self._object(node.get("tlsCACerts"), f"{place}.tlsCACerts")
        pem, path = given.get("pem"), given.get("path")
        text = "\n".join(map(str, pem)) if isinstance(pem, list) else str(pem or "")
        if not text and path:
            file = self._path.parent / str(path)
            try:
                text = file.read_text(encoding="ascii")
            except (OSError, ValueError) as error:
                raise self._error(f"{place}.tlsCACerts.path: {file} cannot be read: {error}") from error
        found = _PEM.findall(text)
        if not found:
            raise self._error(f"{place}.tlsCACerts: got no certificate, expected pem or path")
        return ("\n".join(found) + "\n").encode("ascii")

    def _object(self, value: Any, place: str) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise self._error(f"{place}: got {type(value).__name__}, expected an object with names")
        return value

    def _text(self, values: dict[str, Any], key: str, place: str) -> str:
        value = values.get(key)
        if not isinstance(value, str) or not value:
            raise self._error(f"{place}.{key}: got {value!r}, expected text")
        return value

    def _texts(self, values: dict[str, Any], key: str, place: str) -> list[str]:
        value = values.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(f"{place}.{key}: expected a list of names")
        return value

    def _known(self, nodes: Mapping[str, ProfileNode], name: str, place: str) -> ProfileNode:
        if name not in nodes:
            raise self._error(f"{place}: names {name!r}, which the profile does not describe")
        return nodes[name]

    def _error(self, message: str) -> ConfigurationError:
        return ConfigurationError(_CODE, f"{self._path}: {message}")


def _document(path: Path) -> dict[str, Any]:
    """The file's object; JSON is read as YAML, of which it is a part."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ConfigurationError(_CODE, f"{path} has more than {_LARGEST_BYTES} bytes; is it a profile?")
        document = yaml.safe_load(path.read_bytes().decode())
    except OSError as error:
        raise ConfigurationError(_CODE, f"{path} cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(_CODE, f"{path} is neither JSON nor YAML in UTF-8") from error
    if not isinstance(document, dict):
        raise ConfigurationError(_CODE, f"{path}: got {type(document).__name__}, expected an object")
    return document


def _joined(first: ProfileOrganization, second: ProfileOrganization) -> ProfileOrganization:
    """The same organization in two profiles: peers of both."""
    peers = {node.endpoint: node for node in (*first.peers, *second.peers)}
    return ProfileOrganization(
        first.name, first.msp_id, tuple(peers.values()), first.authority or second.authority
    )


def _short(name: str) -> str:
    """A name that can be a directory: `Org1` becomes `org1`, `St. Mary` becomes `st-mary`."""
    return _CAPITAL.sub("-", name.lower()).strip("-") or "organization"


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths))
