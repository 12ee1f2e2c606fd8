"""Fabric's access control lists: which channel policy guards which resource (`core/aclmgmt`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from fabric_protos.msp import msp_principal_pb2

from fabric_embedded.errors import AccessDenied

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.identities import Identity
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
    "qscc/GetChainInfo": _READERS,
    "qscc/GetBlockByNumber": _READERS,
    "qscc/GetBlockByHash": _READERS,
    "qscc/GetBlockByTxID": _READERS,
    "qscc/GetTransactionByID": _READERS,
    "cscc/GetConfigBlock": _READERS,
    "cscc/GetChannelConfig": _READERS,
}

_ROLES = {"Admins": msp_principal_pb2.MSPRole.ADMIN, "Members": msp_principal_pb2.MSPRole.MEMBER}

LOCAL_POLICIES = {
    "_lifecycle/InstallChaincode": "Admins",
    "_lifecycle/QueryInstalledChaincode": "Admins",
    "_lifecycle/QueryInstalledChaincodes": "Admins",
    "_lifecycle/GetInstalledChaincodePackage": "Admins",
    "_lifecycle/ApproveChaincodeDefinitionForMyOrg": "Admins",
    "_lifecycle/QueryApprovedChaincodeDefinition": "Admins",
    "_lifecycle/QueryApprovedChaincodeDefinitions": "Admins",
    "cscc/JoinChain": "Admins",
    "cscc/JoinChainBySnapshot": "Admins",
    "cscc/JoinBySnapshotStatus": "Admins",
    "cscc/GetChannels": "Members",
    "discovery/LocalPeers": "Admins",
}
"""Resources that the peer's own organization guards, whatever the channel's configuration says."""


def check_access(config: ChannelConfig, resource: str, signed: SignedData) -> None:
    """Refuse `signed` unless it satisfies the channel policy that guards `resource`.

    Parameters:
        config: the channel's configuration in force.
        resource: name of a channel's resource (`core/aclmgmt/resources`); an unknown one is refused.
        signed: the signed bytes with the signer's serialized identity.

    Raises:
        AccessDenied: with Fabric's text (`core/aclmgmt/defaultaclprovider.go`).
    """
    override = config.acls.get(resource)
    path = CHANNEL_POLICIES.get(resource, override)
    if path is None:
        raise AccessDenied("ACCESS_DENIED", f"Unmapped policy for {resource}")
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


def check_local_access(config: ChannelConfig, resource: str, msp_id: str, creator: Identity) -> None:
    """Refuse a proposal's creator unless the peer's own organization lets it use `resource`.

    Parameters:
        config: whose MSPs judge.
        resource: one of `LOCAL_POLICIES`.
        msp_id: of the peer's organization.
        creator: valid, and known to have signed.

    Raises:
        AccessDenied: with Fabric's text (`core/policy/policy.go · CheckPolicyNoChannel`).
    """
    policy = LOCAL_POLICIES[resource]
    where = f"during channelless check policy with policy [{policy}]"
    _check_own(creator, msp_id, where)
    role = msp_principal_pb2.MSPRole(msp_identifier=msp_id, role=_ROLES[policy])
    principal = msp_principal_pb2.MSPPrincipal(
        principal_classification=msp_principal_pb2.MSPPrincipal.ROLE, principal=role.SerializeToString()
    )
    if not config.msps.satisfies(creator, principal):
        raise AccessDenied(
            "ACCESS_DENIED",
            f"Failed verifying that proposal's creator satisfies local MSP principal {where}: "
            f"[The identity is not an admin under this MSP [{msp_id}]: "
            f"The identity does not contain OU [ADMIN], MSP: [{msp_id}]]",
        )


def refuse_channel(channel_id: str, resource: str, msp_id: str, creator: Identity) -> NoReturn:
    """Refuse a resource of a channel that does not exist, or that was asked for without any channel.

    Parameters:
        channel_id: what was asked for.
        resource: of the channel.
        msp_id: of the peer's organization.
        creator: of the proposal.

    Raises:
        AccessDenied: always, with Fabric's text.
    """
    if channel_id:
        raise AccessDenied("ACCESS_DENIED", f"Failed to get policy manager for channel [{channel_id}]")
    policy = CHANNEL_POLICIES[resource]
    where = f"during channelless check policy with policy [{policy}]"
    _check_own(creator, msp_id, where)
    raise AccessDenied(
        "ACCESS_DENIED",
        f"Failed getting local MSP principal {where}: [MSP Principal role [{policy}] not recognized]",
    )


def _check_own(creator: Identity, msp_id: str, where: str) -> None:
    if creator.msp_id != msp_id:
        reason = f"expected MSP ID {msp_id}, received {creator.msp_id}"
        raise AccessDenied("ACCESS_DENIED", f"Failed deserializing proposal creator {where}: [{reason}]")
