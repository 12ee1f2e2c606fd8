"""Where a service of an organization answers: a file beside network.json, which the service writes at its
start and its operator hands to whoever uses it.
"""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from consentry.documents import read_json_object
from consentry.errors import ConfigurationError
from consentry.profile import NetworkProfile

_VERSION = 1
_URL = re.compile(r"https://[A-Za-z0-9.\-:\[\]]+")


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """The service's URL (https, no path) and the PEM certificates that it must prove itself by.

    A subclass says which service: `FOLDER` below the network's directory, its `NAME` in sentences, and
    the first word of its error `CODE`.
    """

    FOLDER: ClassVar[str]
    NAME: ClassVar[str]
    CODE: ClassVar[str]

    url: str
    tls_roots: str

    @classmethod
    def of(cls, profile: NetworkProfile, organization: str) -> Self:
        """Read the address of an organization's service (by its short name).

        Raises:
            ConfigurationError: …_UNKNOWN, there is none; …_ADDRESS_INVALID.
        """
        path = cls.file(profile, organization)
        if not path.is_file():
            raise ConfigurationError(
                f"{cls.CODE}_UNKNOWN",
                f"{path} is missing: no {cls.NAME} of {organization} is known; get it from its operator",
            )
        code = f"{cls.CODE}_ADDRESS_INVALID"
        document = read_json_object(path, code)
        if document.take("version", int) != _VERSION:
            raise document.error(f"expected version {_VERSION}")
        url, roots = document.take_text("url"), document.take_text("tls_roots")
        document.finish()
        if not _URL.fullmatch(url):
            raise ConfigurationError(code, f"{path}: url: expected https://host:port")
        return cls(url, roots)

    def write(self, profile: NetworkProfile, organization: str) -> Path:
        """Write the address of an organization's service; return where."""
        path = self.file(profile, organization)
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {"version": _VERSION, "url": self.url, "tls_roots": self.tls_roots}
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
        return path

    def tls(self) -> ssl.SSLContext:
        """Return what checks the service's certificate.

        Raises:
            ConfigurationError: …_ADDRESS_INVALID, the roots are no certificates.
        """
        try:
            context = ssl.create_default_context(cadata=self.tls_roots)
        except (ssl.SSLError, ValueError) as error:
            raise ConfigurationError(
                f"{self.CODE}_ADDRESS_INVALID", f"the {self.NAME}'s tls_roots are no PEM certificates"
            ) from error
        # What is named is trusted, be it an authority or the very certificate.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    @classmethod
    def file(cls, profile: NetworkProfile, organization: str) -> Path:
        """Return where the address of an organization's service is kept."""
        return profile.directory / cls.FOLDER / f"{organization}.json"
