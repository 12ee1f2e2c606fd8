"""What a definition's collections must be, and what an upgrade may change of them (`lifecycle/scc.go`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from fabric_protos.msp import msp_principal_pb2
from fabric_protos.peer import collection_pb2
from google.protobuf.message import DecodeError

from fabric_embedded.errors import ChaincodeError
from fabric_protocol.collections import read_collections
from fabric_protocol.errors import ConfigError, IdentityError

if TYPE_CHECKING:
    from fabric_protocol.definitions import Definition
    from fabric_protocol.msp import MspManager

_NAME: Final = re.compile(r"[A-Za-z0-9-]+([A-Za-z0-9_-]+)*")


def check_collections(package: Any, msps: MspManager, committed: Callable[[], Definition | None]) -> None:
    """Check the collections of a requested definition.

    Parameters:
        package: `CollectionConfigPackage`.
        msps: of the channel.
        committed: reads the definition in force; None for none.

    Raises:
        ChaincodeError: DEFINITION_INVALID, with Fabric's text where it has one.
    """
    proposed = [entry.static_collection_config for entry in package.config]
    names: set[str] = set()
    for collection in proposed:
        _check_form(collection, names)
        _check_members(collection, msps)
    _check_upgrade({collection.name: collection for collection in proposed}, committed())
    try:
        read_collections(package.SerializeToString(deterministic=True))
    except ConfigError as error:
        raise _invalid(f"error validating collection configurations: {error.message}") from error


def _check_form(collection: Any, names: set[str]) -> None:
    name, least, most = collection.name, collection.required_peer_count, collection.maximum_peer_count
    if not _NAME.fullmatch(name):
        raise _invalid(
            f"invalid collection name '{name}'. Names can only consist of alphanumerics, '_', and '-' and "
            "cannot begin with '_'"
        )
    if name in names:
        raise _invalid(f"collection-name: {name} -- found duplicate in collection configuration")
    names.add(name)
    if most < least:
        raise _invalid(
            f"collection-name: {name} -- maximum peer count ({most}) cannot be less than the required peer "
            f"count ({least})"
        )
    if least < 0:
        raise _invalid(f"collection-name: {name} -- requiredPeerCount ({least}) cannot be less than zero")
    if not collection.HasField("member_orgs_policy"):
        raise _invalid(f"collection member policy is not set for collection '{name}'")
    if not collection.member_orgs_policy.HasField("signature_policy"):
        raise _invalid(f"collection member org policy is empty for collection '{name}'")


def _check_members(collection: Any, msps: MspManager) -> None:
    for principal in collection.member_orgs_policy.signature_policy.identities:
        kind, content = principal.principal_classification, principal.principal
        try:
            if kind == msp_principal_pb2.MSPPrincipal.ROLE:
                member = msp_principal_pb2.MSPRole.FromString(content).msp_identifier
            elif kind == msp_principal_pb2.MSPPrincipal.ORGANIZATION_UNIT:
                member = msp_principal_pb2.OrganizationUnit.FromString(content).msp_identifier
            elif kind == msp_principal_pb2.MSPPrincipal.IDENTITY:
                member = msps.deserialize(content).msp_id
            else:
                raise _invalid(
                    f"collection-name: {collection.name} -- principal type {kind} is not supported"
                )
        except (DecodeError, IdentityError):
            raise _invalid(
                f"collection-name: {collection.name} -- contains an identity that is not part of the channel"
            ) from None
        if member not in msps.msp_ids:
            raise _invalid(
                f"collection-name: {collection.name} -- collection member '{member}' is not part of the "
                "channel"
            )


def _check_upgrade(proposed: dict[str, Any], committed: Definition | None) -> None:
    if committed is None or not committed.collections:
        return
    before = collection_pb2.CollectionConfigPackage.FromString(committed.collections)
    if before.config and not proposed:
        raise _invalid("the proposed collection config does not contain previously defined collections")
    for entry in before.config:
        collection = entry.static_collection_config
        name = collection.name
        if name not in proposed:
            raise _invalid(f"existing collection [{name}] missing in the proposed collection configuration")
        if proposed[name].block_to_live != collection.block_to_live:
            raise _invalid(
                f"the BlockToLive in an existing collection [{name}] modified. Existing value "
                f"[{collection.block_to_live}]"
            )


def _invalid(text: str) -> ChaincodeError:
    return ChaincodeError("DEFINITION_INVALID", f"error validating chaincode definition: {text}")
