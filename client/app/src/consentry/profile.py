"""`network.json`: how clients find a network, written by an engine or, for an existing network, by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from consentry.documents import Document, read_json_object
from consentry.errors import ConfigurationError

FILE_NAME = "network.json"
_CODE = "PROFILE_INVALID"
_VERSION = 1
_ENDPOINT = re.compile(r"[A-Za-z0-9.\-]+:[0-9]{1,5}")
_MSP_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A node's address (host:port), the file of TLS roots it must prove itself by, and its name there."""

    endpoint: str
    tls_roots: Path
    server_name: str

    def read_tls_roots(self) -> bytes:
        """Return the PEM certificates of the TLS roots.

        Raises:
            ConfigurationError: PROFILE_INVALID, the file cannot be read.
        """
        return _read_roots(self.tls_roots)


@dataclass(frozen=True, slots=True)
class AuthorityEndpoint:
    """A certificate authority: URL, the CA's name at that URL, and the file of its TLS roots."""

    url: str
    name: str
    tls_roots: Path

    def read_tls_roots(self) -> bytes:
        """Return the PEM certificates of the TLS roots; raises as `Endpoint.read_tls_roots`."""
        return _read_roots(self.tls_roots)


@dataclass(frozen=True, slots=True)
class OrganizationProfile:
    """One organization: MSP id, short name (used in paths), kind, its peers, and its CA where it has one."""

    msp_id: str
    name: str
    kind: str
    peers: tuple[Endpoint, ...]
    ca: AuthorityEndpoint | None


@dataclass(frozen=True, slots=True)
class NetworkProfile:
    """A network as clients see it; `directory` holds network.json and everything kept beside it."""

    directory: Path
    engine: str
    channel: str
    chaincode: str
    organizations: Mapping[str, OrganizationProfile]
    orderers: tuple[Endpoint, ...]

    @classmethod
    def load(cls, network: Path) -> NetworkProfile:
        """Read network.json (or the one in the directory `network`), strictly.

        Raises:
            ConfigurationError: PROFILE_INVALID, with the place and what was expected there.
        """
        path = network / FILE_NAME if network.is_dir() else network
        document = read_json_object(path, _CODE)
        version = document.take("version", int)
        if version != _VERSION:
            raise document.error(f"version: got {version}, expected {_VERSION}")
        directory = path.resolve().parent
        profile = cls(
            directory=directory,
            engine=document.take_text("engine"),
            channel=document.take_text("channel"),
            chaincode=document.take_text("chaincode"),
            organizations=MappingProxyType(_organizations(document.take_object("organizations"), directory)),
            orderers=tuple(_endpoint(item, directory) for item in document.take_objects("orderers")),
        )
        document.finish()
        return profile

    def organization(self, msp_id: str) -> OrganizationProfile:
        """Return an organization by MSP id.

        Raises:
            ConfigurationError: ORGANIZATION_UNKNOWN.
        """
        try:
            return self.organizations[msp_id]
        except KeyError:
            known = ", ".join(sorted(self.organizations))
            raise ConfigurationError(
                "ORGANIZATION_UNKNOWN", f"MSP id {msp_id!r} is not in {FILE_NAME}; it has {known}"
            ) from None

    def organization_named(self, name: str) -> OrganizationProfile:
        """Return an organization by its short name, e.g. "northgate".

        Raises:
            ConfigurationError: ORGANIZATION_UNKNOWN.
        """
        for organization in self.organizations.values():
            if organization.name == name:
                return organization
        known = ", ".join(sorted(organization.name for organization in self.organizations.values()))
        raise ConfigurationError(
            "ORGANIZATION_UNKNOWN", f"organization {name!r} is not in {FILE_NAME}; it has {known}"
        )

    def wallet_directory(self, organization: str) -> Path:
        """Return where an organization's wallet is kept (by its short name)."""
        return self.directory / "wallets" / organization

    def subject_register(self, organization: str) -> Path:
        """Return where an organization keeps its subjects' salts and keys (by its short name)."""
        return self.directory / "custody" / organization / "subjects.sqlite"

    @property
    def index_url(self) -> str:
        """Where the trail index is kept: the SQLAlchemy URL of a SQLite file."""
        return f"sqlite:///{self.directory / 'index.sqlite'}"

    def kept_anchor(self, organization: str) -> str | None:
        """Return the anchor that an organization (by its short name) keeps outside the ledger, if it does."""
        return kept_anchor_in(self.directory, organization)

    def outbox(self, organization: str, enrolment_id: str) -> Path:
        """Return where somebody's statements wait while the ledger cannot be reached."""
        return self.directory / "outbox" / organization / f"{enrolment_id}.sqlite"

    def trail_read_outbox(self, organization: str, enrolment_id: str) -> Path:
        """Return where somebody's reads of the trail wait while the ledger cannot be reached."""
        return self.directory / "outbox" / organization / f"{enrolment_id}.reads.sqlite"


def kept_anchor_in(directory: Path, organization: str) -> str | None:
    """Return the anchor that an organization keeps in a directory, whether or not that has a profile."""
    path = directory / "anchors" / f"{organization}.txt"
    return path.read_text(encoding="ascii").strip() if path.is_file() else None


def _organizations(document: Document, directory: Path) -> dict[str, OrganizationProfile]:
    organizations = {}
    for msp_id in document.names():
        if not _MSP_ID.fullmatch(msp_id):
            raise document.error(f"got MSP id {msp_id!r}, expected 1 to 64 letters, digits, dots or dashes")
        item = document.take_object(msp_id)
        peers = tuple(_endpoint(peer, directory) for peer in item.take_objects("peers"))
        if not peers:
            raise item.error("peers: got none, expected at least one")
        ca = _authority(item.take_object("ca"), directory) if "ca" in item.names() else None
        organization = OrganizationProfile(msp_id, item.take_text("name"), item.take_text("kind"), peers, ca)
        item.finish()
        organizations[msp_id] = organization
    if not organizations:
        raise document.error("got no organization, expected at least one")
    if len({organization.name for organization in organizations.values()}) != len(organizations):
        raise document.error("two organizations have the same name")
    return organizations


def _endpoint(document: Document, directory: Path) -> Endpoint:
    endpoint = document.take_text("endpoint")
    if not _ENDPOINT.fullmatch(endpoint):
        raise document.error(f"endpoint: got {endpoint!r}, expected host:port")
    tls_roots = directory / document.take_text("tls_roots")
    name = document.take_text("server_name") if "server_name" in document.names() else ""
    document.finish()
    return Endpoint(endpoint, tls_roots, name or endpoint.rpartition(":")[0])


def _authority(document: Document, directory: Path) -> AuthorityEndpoint:
    url = document.take_text("url")
    if not url.startswith("https://"):
        raise document.error(f"url: got {url!r}, expected https://…")
    authority = AuthorityEndpoint(
        url, document.take_text("name"), directory / document.take_text("tls_roots")
    )
    document.finish()
    return authority


def _read_roots(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            _CODE, f"{path} (TLS roots named by {FILE_NAME}) cannot be read: {error.strerror or error}"
        ) from error
