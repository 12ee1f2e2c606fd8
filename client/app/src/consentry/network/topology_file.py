"""One's own topology, from a YAML (or JSON) file: organizations, and whatever differs from the presets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from consentry.errors import ConfigurationError
from consentry.network.presets import consentry_topology, default_msp_id
from fabric_protocol.errors import TopologyError
from fabric_protocol.topology import Organization, Topology

_CODE = "TOPOLOGY_INVALID"


def read_topology(path: Path) -> Topology:
    """Read a topology.

    Only `organizations` is needed, each with `name` and `kind` (hospital or regulator), and, where they
    differ from what is usual, `msp_id`, `peers` and `country` (ISO 3166-1, for grants that are bound to
    countries). `chaincode`, `channel`, `ordering` and `host` are as in `topology.json`; without `chaincode`
    it is Consentry's own with the policies of the presets.

    Args:
        path: The file.

    Raises:
        ConfigurationError: TOPOLOGY_INVALID, with what was got and what was expected.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(_CODE, f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("organizations"), list):
        raise ConfigurationError(_CODE, f"{path}: expected a mapping with a list of organizations")
    try:
        return Topology.from_dict(_completed(document))
    except TopologyError as error:
        raise ConfigurationError(_CODE, f"{path}: {error}") from error


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    written = [
        {"msp_id": default_msp_id(str(item.get("name", ""))), **item} if isinstance(item, dict) else item
        for item in document["organizations"]
    ]
    organizations = tuple(
        Organization.from_dict(item, f"topology.organizations[{index}]") for index, item in enumerate(written)
    )
    usual = consentry_topology(organizations).to_dict()
    return {**usual, **document, "organizations": written}
