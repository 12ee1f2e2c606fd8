"""Principals: what a policy asks of one signer.

Source: fabric-behaviour §1.6 (`msp/msp_principal.proto`).
"""

from typing import Any, Final

from fabric_protos.msp import msp_principal_pb2

from fabric_protocol.errors import PolicyError

ROLES: Final[dict[str, int]] = {"member": 0, "admin": 1, "client": 2, "peer": 3, "orderer": 4}
"""The roles of a principal by their names in policy texts."""

ROLE_NAMES: Final[dict[int, str]] = {number: name for name, number in ROLES.items()}


def role_principal(msp_id: str, role: str) -> Any:
    """The principal "an identity of this MSP with this role" (MSPPrincipal).

    Parameters:
        msp_id: id of the MSP.
        role: member, admin, client, peer or orderer.

    Raises:
        PolicyError: ROLE_UNKNOWN.
    """
    if role not in ROLES:
        raise PolicyError("ROLE_UNKNOWN", f"expected one of {', '.join(ROLES)}, got {role!r}")
    content = msp_principal_pb2.MSPRole(msp_identifier=msp_id, role=ROLES[role])
    return msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.ROLE,
        principal=content.SerializeToString(deterministic=True),
    )


def identity_principal(serialized: bytes) -> Any:
    """The principal "exactly this identity" (MSPPrincipal).

    Parameters:
        serialized: M(SerializedIdentity).
    """
    return msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.IDENTITY, principal=serialized
    )
