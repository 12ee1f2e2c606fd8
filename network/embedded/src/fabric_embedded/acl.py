"""Fabric's access control lists: which channel policy guards which resource (`core/aclmgmt`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric_embedded.errors import AccessDenied

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.policies import SignedData

_READERS = "/Channel/Application/Readers"
_WRITERS = "/Channel/Application/Writers"

PROPOSE = "peer/Propose"
CHAINCODE_TO_CHAINCODE = "peer/ChaincodeToChaincode"
BLOCK_EVENTS = "event/Block"
FILTERED_BLOCK_EVENTS = "event/FilteredBlock"
COMMIT_STATUS = "gateway/CommitStatus"
CHAINCODE_EVENTS = "gateway/ChaincodeEvents"

CHANNEL_POLICIES = {
    PROPOSE: _WRITERS,
    CHAINCODE_TO_CHAINCODE: _WRITERS,
    BLOCK_EVENTS: _READERS,
    FILTERED_BLOCK_EVENTS: _READERS,
    COMMIT_STATUS: _READERS,
    CHAINCODE_EVENTS: _READERS,
    "_lifecycle/CommitChaincodeDefinition": _WRITERS,
    "_lifecycle/QueryChaincodeDefinition": _WRITERS,
    "_lifecycle/QueryChaincodeDefinitions": _WRITERS,
    "_lifecycle/CheckCommitReadiness": _WRITERS,
}


def check_access(config: ChannelConfig, resource: str, signed: SignedData) -> None:
    """Refuse `signed` unless it satisfies the channel policy that guards `resource`.

    Parameters:
        config: the channel's configuration in force.
        resource: one of `CHANNEL_POLICIES` (`core/aclmgmt/resources`).
        signed: the signed bytes with the signer's serialized identity.

    Raises:
        AccessDenied: with Fabric's text (`core/aclmgmt/defaultaclprovider.go`).
    """
    path = CHANNEL_POLICIES[resource]
    override = config.acls.get(resource)
    if override is not None:
        path = override if override.startswith("/") else f"/Channel/Application/{override}"
    if config.policies.policy(path).evaluate([signed]):
        return
    name = path.rsplit("/", 1)[1]
    reason = (
        "implicit policy evaluation failed - 0 sub-policies were satisfied, but this policy requires 1 of "
        f"the '{name}' sub-policies to be satisfied"
    )
    if override is not None:
        message = f"failed evaluating policy on signed data during check policy [{override}]: [{reason}]"
    else:
        message = (
            "Failed evaluating policy on signed data during check policy on channel "
            f"[{config.channel_id}] with policy [{path}]: [{reason}]"
        )
    raise AccessDenied("ACCESS_DENIED", message)
