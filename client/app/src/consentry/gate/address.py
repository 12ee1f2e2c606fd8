"""Where a custodian's gate answers: a file `gates/ORG.json` beside network.json, which the gate writes at its
start and its operator hands to the other members.
"""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from consentry.documents import read_json_object
from consentry.errors import ConfigurationError
from consentry.profile import NetworkProfile

_CODE = "GATE_ADDRESS_INVALID"
_VERSION = 1
_URL = re.compile(r"https://[A-Za-z0-9.\-:\[\]]+")


@dataclass(frozen=True, slots=True)
class GateAddress:
    """The gate's URL (https, no path) and the PEM certificates that it must prove itself by."""

    url: str
    tls_roots: str

    @classmethod
    def of(cls, profile: NetworkProfile, organization: str) -> GateAddress:
        """Read the address of an organization's gate (by its short name).

        Raises:
            ConfigurationError: GATE_UNKNOWN, there is none; GATE_ADDRESS_INVALID.
        """
        path = address_file(profile, organization)
        if not path.is_file():
            raise ConfigurationError(
                "GATE_UNKNOWN",
                f"{path} is missing: no gate of {organization} is known; ask its operator for this file",
            )
        document = read_json_object(path, _CODE)
        if document.take("version", int) != _VERSION:
            raise document.error(f"expected version {_VERSION}")
        url, roots = document.take_text("url"), document.take_text("tls_roots")
        document.finish()
        if not _URL.fullmatch(url):
            raise ConfigurationError(_CODE, f"{path}: url: expected https://host:port")
        return cls(url, roots)

    def write(self, profile: NetworkProfile, organization: str) -> Path:
        """Write the address of an organization's gate; return where."""
        path = address_file(profile, organization)
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {"version": _VERSION, "url": self.url, "tls_roots": self.tls_roots}
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
        return path

    def tls(self) -> ssl.SSLContext:
        """Return what checks the gate's certificate.

        Raises:
            ConfigurationError: GATE_ADDRESS_INVALID, the roots are no certificates.
        """
        try:
            return ssl.create_default_context(cadata=self.tls_roots)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigurationError(_CODE, "the gate's tls_roots are no PEM certificates") from error


def address_file(profile: NetworkProfile, organization: str) -> Path:
    """Return where the address of an organization's gate is kept."""
    return profile.directory / "gates" / f"{organization}.json"
