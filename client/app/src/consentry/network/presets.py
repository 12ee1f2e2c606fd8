"""Topologies that the network command offers by name."""

from __future__ import annotations

import sys
from collections.abc import Callable

from consentry.errors import ConsentryError
from fabric_protocol.topology import ChaincodeDefinition, CollectionDefinition, Organization, Topology

HOSPITAL = "hospital"
REGULATOR = "regulator"
CHANNEL = "consentry"
CHAINCODE = "consentry"
CHAINCODE_COMMAND = (sys.executable, "-m", "consentry_contracts")


def consortium() -> Topology:
    """Three hospitals and one regulator."""
    return _topology("northgate", "riverside", "lakeside")


def small() -> Topology:
    """One hospital and the regulator: a trial in one institution."""
    return _topology("northgate")


PRESETS: dict[str, Callable[[], Topology]] = {"consortium": consortium, "small": small}


def preset(name: str) -> Topology:
    """The topology of a preset.

    Raises:
        ConsentryError: PRESET_UNKNOWN, with the names that there are.
    """
    if name not in PRESETS:
        raise ConsentryError(
            "PRESET_UNKNOWN", f"got preset {name!r}; there are {', '.join(sorted(PRESETS))}", {"preset": name}
        )
    return PRESETS[name]()


def _topology(*hospitals: str) -> Topology:
    organizations = tuple(_organization(name, HOSPITAL) for name in hospitals)
    organizations += (_organization("regulator", REGULATOR),)
    return Topology(
        channel=CHANNEL,
        organizations=organizations,
        chaincode=ChaincodeDefinition(
            name=CHAINCODE,
            policy=_majority([organization.msp_id for organization in organizations]),
            collections=tuple(_custodian_collection(o.msp_id) for o in organizations if o.kind == HOSPITAL),
            command=CHAINCODE_COMMAND,
        ),
    )


def _organization(name: str, kind: str) -> Organization:
    return Organization(name=name, msp_id=f"{name.capitalize()}MSP", kind=kind)


def _majority(msp_ids: list[str]) -> str:
    """More than half of the peers (DESIGN §9), sorted so that every organization approves equal bytes."""
    principals = ", ".join(f"'{msp_id}.peer'" for msp_id in sorted(msp_ids))
    return f"OutOf({len(msp_ids) // 2 + 1}, {principals})"


def _custodian_collection(msp_id: str) -> CollectionDefinition:
    """DESIGN §8: a hospital's own explicit collection, for its members only, endorsed by its own peer."""
    return CollectionDefinition(
        name=f"custodian-{msp_id}",
        members=f"OR('{msp_id}.member')",
        member_only_read=True,
        member_only_write=True,
        endorsement=f"OR('{msp_id}.peer')",
    )
