"""Where an organization's pages answer: `web/ORG.json` beside network.json, for the signer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from consentry.service_address import ServiceAddress


@dataclass(frozen=True, slots=True)
class WebAddress(ServiceAddress):
    """The pages' URL and the certificates that they must prove themselves by."""

    FOLDER: ClassVar[str] = "web"
    NAME: ClassVar[str] = "web server"
    CODE: ClassVar[str] = "WEB"
