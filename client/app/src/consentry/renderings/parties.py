"""Names and addresses of organizations, which no ledger has: stated in a file of the organization's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import yaml

from consentry.errors import InputRejected

_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Party:
    """What an organization states about itself; empty where it states nothing."""

    name: str = ""
    address: str = ""
    contact: str = ""
    authority: str = ""


Parties = Mapping[str, Party]
"""By MSP id."""
NOBODY = Party()


def read_parties(path: Path) -> dict[str, Party]:
    """Read a YAML or JSON file: for each MSP id name, address, contact, authority (all optional).

    Raises:
        InputRejected: PARTIES_UNREADABLE, PARTIES_INVALID.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputRejected("PARTIES_INVALID", f"{path} is larger than {_MOST_BYTES:,} bytes.")
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as error:
        raise InputRejected("PARTIES_UNREADABLE", f"{path} cannot be read as text.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InputRejected("PARTIES_INVALID", f"{path} is neither YAML nor JSON.") from error
    if not isinstance(found, dict):
        raise InputRejected("PARTIES_INVALID", f"{path} has to hold MSP ids, each with name, address, …")
    return {str(msp_id): _party(path, stated) for msp_id, stated in found.items()}


def _party(path: Path, stated: object) -> Party:
    known = [field.name for field in fields(Party)]
    fits = isinstance(stated, dict) and all(
        key in known and isinstance(text, str) for key, text in stated.items()
    )
    if not isinstance(stated, dict) or not fits:
        raise InputRejected("PARTIES_INVALID", f"{path}: an organization has the texts {', '.join(known)}.")
    return Party(**{key: text.strip() for key, text in stated.items()})
