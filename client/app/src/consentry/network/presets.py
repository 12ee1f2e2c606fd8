"""Topologies that the network command offers by name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from consentry.errors import ConsentryError
from fabric_protocol.ordering_config import BFT, RAFT, OrderingConfig
from fabric_protocol.topology import ChaincodeDefinition, CollectionDefinition, Organization, Topology

HOSPITAL = "hospital"
REGULATOR = "regulator"
CHANNEL = "consentry"
CHAINCODE = "consentry"
COUNTRIES: Mapping[str, str] = MappingProxyType(
    {"northgate": "IE", "riverside": "DE", "lakeside": "FR", "regulator": "IE"}
)
"""Where the presets' organizations are: what grants that are bound to countries go by."""
CHAINCODE_COMMAND = (sys.executable, "-m", "consentry_contracts")


def consortium() -> Topology:
    """Three hospitals and one regulator; on real Fabric their four ordering nodes agree by SmartBFT."""
    return _preset("northgate", "riverside", "lakeside", consensus=BFT)


def small() -> Topology:
    """One hospital and the regulator: a trial in one institution; on real Fabric ordered by Raft."""
    return _preset("northgate", consensus=RAFT)


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


def consentry_topology(organizations: tuple[Organization, ...], consensus: str = BFT) -> Topology:
    """Consentry's chaincode among these organizations, with the policies of DESIGN §8 and §9."""
    return Topology(
        channel=CHANNEL,
        organizations=organizations,
        chaincode=ChaincodeDefinition(
            name=CHAINCODE,
            policy=_majority([organization.msp_id for organization in organizations]),
            collections=tuple(_custodian_collection(o) for o in organizations if o.kind == HOSPITAL),
            command=CHAINCODE_COMMAND,
        ),
        ordering=OrderingConfig(consensus=consensus),
    )


def default_msp_id(name: str) -> str:
    """The MSP id of an organization whose topology names none."""
    return f"{name.capitalize()}MSP"


def _preset(*hospitals: str, consensus: str) -> Topology:
    kinds = {**dict.fromkeys(hospitals, HOSPITAL), "regulator": REGULATOR}
    organizations = tuple(
        Organization(name=name, msp_id=default_msp_id(name), kind=kind, country=COUNTRIES[name])
        for name, kind in kinds.items()
    )
    return consentry_topology(organizations, consensus)


def _majority(msp_ids: list[str]) -> str:
    """More than half of the peers (DESIGN §9), sorted so that every organization approves equal bytes."""
    principals = ", ".join(f"'{msp_id}.peer'" for msp_id in sorted(msp_ids))
    return f"OutOf({len(msp_ids) // 2 + 1}, {principals})"


def _custodian_collection(hospital: Organization) -> CollectionDefinition:
    """DESIGN §8: a hospital's own explicit collection, for its members only, endorsed by its own peer."""
    msp_id = hospital.msp_id
    return CollectionDefinition(
        name=f"custodian-{msp_id}",
        members=f"OR('{msp_id}.member')",
        member_only_read=True,
        member_only_write=True,
        endorsement=f"OR('{msp_id}.peer')",
        # To the hospital's own further peers, and to nobody else.
        maximum_peer_count=hospital.peers - 1,
    )
