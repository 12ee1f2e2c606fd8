"""What an MSP reads out of a subject's organizational units: admission and roles (NodeOUs).

Source: fabric-behaviour §1.2, §1.3 (`msp/mspimplsetup.go · setupNodeOUsV142`, `setupOUs`;
`msp/mspimplvalidate.go · validateIdentityOUsV142`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fabric_protocol.errors import IdentityError
from fabric_protocol.msp_authorities import MspAuthorities
from fabric_protocol.msp_config import NODE_ROLES


@dataclass(frozen=True)
class RoleUnit:
    """The organizational unit that stands for a role.

    Parameters:
        name: the unit's name in subjects.
        certifier: identifier of the only issuing path that may use it; empty when any may.
    """

    name: str
    certifier: bytes


@dataclass(frozen=True)
class OrganizationalUnits:
    """An MSP's rules for organizational units.

    Parameters:
        roles: role name → its unit; empty when NodeOUs are off.
        admitted: unit name → issuing paths, where the MSP admits listed units only; ignored with NodeOUs on.
    """

    roles: dict[str, RoleUnit]
    admitted: dict[str, frozenset[bytes]]

    def check(self, units: Sequence[str], certifier: bytes) -> None:
        """Check a subject's units.

        Parameters:
            units: of the subject, repeats kept.
            certifier: identifier of the path that issued the certificate.

        Raises:
            IdentityError: ORGANIZATIONAL_UNITS_INVALID.
        """
        if self.roles:
            self._check_roles(units, certifier)
        elif self.admitted and not any(certifier in self.admitted.get(unit, ()) for unit in units):
            raise _invalid("none of the identity's organizational units is admitted by its MSP")

    def has_role(self, role: str, units: Sequence[str]) -> bool:
        """Whether the units contain the one that stands for a role; never with NodeOUs off."""
        unit = self.roles.get(role)
        return unit is not None and unit.name in units

    def _check_roles(self, units: Sequence[str], certifier: bytes) -> None:
        by_name = {unit.name: unit for unit in self.roles.values()}
        held = [by_name[name] for name in units if name in by_name]
        # One unit beyond the first decides already: Fabric looks at no third.
        if any(unit.certifier and unit.certifier != certifier for unit in held[:2]):
            raise _invalid(
                "a role's organizational unit was certified by another authority than its MSP allows"
            )
        if len(held) != 1:
            raise _invalid(
                "the identity must be a client, a peer, an orderer or an admin identity to be valid, "
                f"not a combination of them: expected one such organizational unit, got {len(held)}"
            )


def read_organizational_units(content: Any, authorities: MspAuthorities) -> OrganizationalUnits:
    """The rules in an MSP's configuration.

    Parameters:
        content: FabricMSPConfig.
        authorities: those of the same MSP.

    Raises:
        ConfigError: MSP_CONFIG_INVALID.
    """
    admitted: defaultdict[str, set[bytes]] = defaultdict(set)
    for entry in content.organizational_unit_identifiers:
        admitted[entry.organizational_unit_identifier].add(
            authorities.certifier_identifier(entry.certificate)
        )
    roles = _read_roles(content, authorities) if content.HasField("fabric_node_ous") else {}
    return OrganizationalUnits(roles, {name: frozenset(paths) for name, paths in admitted.items()})


def _read_roles(content: Any, authorities: MspAuthorities) -> dict[str, RoleUnit]:
    node_units = content.fabric_node_ous
    if not node_units.enable:
        return {}
    roles = {}
    for role in NODE_ROLES:
        if not node_units.HasField(f"{role}_ou_identifier"):
            continue
        entry = getattr(node_units, f"{role}_ou_identifier")
        pinned = authorities.certifier_identifier(entry.certificate) if entry.certificate else b""
        roles[role] = RoleUnit(entry.organizational_unit_identifier, pinned)
    return roles


def _invalid(what: str) -> IdentityError:
    return IdentityError("ORGANIZATIONAL_UNITS_INVALID", what)
