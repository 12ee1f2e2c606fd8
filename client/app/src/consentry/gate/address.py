"""Where a custodian's gate answers: `gates/ORG.json` beside network.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from consentry.service_address import ServiceAddress


@dataclass(frozen=True, slots=True)
class GateAddress(ServiceAddress):
    """The gate's URL and the certificates that it must prove itself by."""

    FOLDER: ClassVar[str] = "gates"
    NAME: ClassVar[str] = "gate"
    CODE: ClassVar[str] = "GATE"
