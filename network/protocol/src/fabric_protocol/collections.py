"""Private data collections: who holds what a transaction only hashes.

Source: fabric-behaviour §7.2, §12 (`peer/collection.proto`, `core/chaincode/lifecycle/scc.go`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from fabric_protos.peer import collection_pb2, policy_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import ConfigError
from fabric_protocol.identities import Identity
from fabric_protocol.msp import MspManager
from fabric_protocol.policies import SignaturePolicy
from fabric_protocol.policy_building import signed_by_n_of

IMPLICIT_PREFIX: Final = "_implicit_org_"
"""Every organization has a collection of this prefix and its MSP id without anybody defining it."""

_NAME: Final = re.compile(r"[A-Za-z0-9-]+[A-Za-z0-9_-]*")
_DEEPEST_RULE: Final = 64
_LARGEST_BLOCK: Final = 2**64 - 1


@dataclass(frozen=True)
class Collection:
    """One collection of a chaincode.

    Parameters:
        name: letters, digits, hyphens, underscores; not starting with an underscore.
        member_orgs_policy: SignaturePolicyEnvelope of ORs: whose peers hold the data.
        member_only_read: chaincode may read for members' clients only.
        member_only_write: chaincode may write for members' clients only.
        endorsement_policy: M(ApplicationPolicy) for writes; None leaves it to the chaincode's policy.
        block_to_live: blocks after which data is purged; 0 keeps it.
        required_peer_count: other peers that must have the data before an endorsement.
        maximum_peer_count: other peers that the endorser sends the data to.

    Raises:
        ConfigError: COLLECTION_INVALID.
    """

    name: str
    member_orgs_policy: Any
    member_only_read: bool = True
    member_only_write: bool = True
    endorsement_policy: bytes | None = None
    block_to_live: int = 0
    required_peer_count: int = 0
    maximum_peer_count: int = 0

    def __post_init__(self) -> None:
        if not is_implicit(self.name) and not _NAME.fullmatch(self.name):
            raise _invalid(f"collection name {self.name!r}: expected letters, digits, '-', '_'")
        if not _is_or(self.member_orgs_policy.rule, _DEEPEST_RULE):
            raise _invalid(f"collection {self.name}: its member policy may consist of ORs only")
        for principal_index in _signers(self.member_orgs_policy.rule):
            if not 0 <= principal_index < len(self.member_orgs_policy.identities):
                raise _invalid(f"collection {self.name}: its member policy points at no principal")
        if not 0 <= self.required_peer_count <= self.maximum_peer_count:
            raise _invalid(f"collection {self.name}: expected 0 ≤ required_peer_count ≤ maximum_peer_count")
        if not 0 <= self.block_to_live <= _LARGEST_BLOCK:
            raise _invalid(
                f"collection {self.name}: expected a block_to_live of 0 to {_LARGEST_BLOCK}, "
                f"got {self.block_to_live}"
            )


def is_implicit(name: str) -> bool:
    """Whether a collection's name is that of an organization's implicit collection."""
    return name.startswith(IMPLICIT_PREFIX)


def implicit_collection(msp_id: str) -> Collection:
    """An organization's implicit collection: held by its members, and not restricted to them."""
    return Collection(
        name=IMPLICIT_PREFIX + msp_id,
        member_orgs_policy=signed_by_n_of(1, [msp_id], "member"),
        member_only_read=False,
        member_only_write=False,
    )


def collection_package(collections: Sequence[Collection]) -> Any:
    """The CollectionConfigPackage of a chaincode definition, in this order.

    Approvals compare its bytes: every organization has to list the same collections in the same order.

    Raises:
        ConfigError: COLLECTION_INVALID, a name that occurs twice or is an implicit one.
    """
    _require_definable(collections)
    return collection_pb2.CollectionConfigPackage(
        config=[
            collection_pb2.CollectionConfig(static_collection_config=_static(collection))
            for collection in collections
        ]
    )


def read_collections(data: bytes) -> tuple[Collection, ...]:
    """Read M(CollectionConfigPackage); empty bytes are no collections.

    Raises:
        ConfigError: COLLECTION_INVALID.
    """
    try:
        package = collection_pb2.CollectionConfigPackage.FromString(data)
    except (DecodeError, TypeError):
        raise _invalid("expected a serialized CollectionConfigPackage") from None
    collections = tuple(_read(entry) for entry in package.config)
    _require_definable(collections)
    return collections


def is_member(collection: Collection, identity: Identity, msps: MspManager) -> bool:
    """Whether an identity belongs to an organization that holds the collection."""
    return SignaturePolicy(collection.member_orgs_policy, msps).evaluate_identities([identity])


def _static(collection: Collection) -> Any:
    message = collection_pb2.StaticCollectionConfig(
        name=collection.name,
        member_orgs_policy=collection_pb2.CollectionPolicyConfig(
            signature_policy=collection.member_orgs_policy
        ),
        required_peer_count=collection.required_peer_count,
        maximum_peer_count=collection.maximum_peer_count,
        block_to_live=collection.block_to_live,
        member_only_read=collection.member_only_read,
        member_only_write=collection.member_only_write,
    )
    if collection.endorsement_policy is not None:
        try:
            policy = policy_pb2.ApplicationPolicy.FromString(collection.endorsement_policy)
        except DecodeError:
            raise _invalid(f"collection {collection.name}: its endorsement policy cannot be read") from None
        message.endorsement_policy.CopyFrom(policy)
    return message


def _read(entry: Any) -> Collection:
    if entry.WhichOneof("payload") != "static_collection_config":
        raise _invalid("expected a static collection")
    static = entry.static_collection_config
    endorsement = static.endorsement_policy.SerializeToString(deterministic=True)
    return Collection(
        name=static.name,
        member_orgs_policy=static.member_orgs_policy.signature_policy,
        member_only_read=static.member_only_read,
        member_only_write=static.member_only_write,
        endorsement_policy=endorsement if static.HasField("endorsement_policy") else None,
        block_to_live=static.block_to_live,
        required_peer_count=static.required_peer_count,
        maximum_peer_count=static.maximum_peer_count,
    )


def _require_definable(collections: Sequence[Collection]) -> None:
    names = [collection.name for collection in collections]
    if len(set(names)) != len(names):
        raise _invalid("two collections have the same name")
    if any(is_implicit(name) for name in names):
        raise _invalid(f"a name that starts with {IMPLICIT_PREFIX!r} cannot be defined")


def _is_or(rule: Any, depth: int) -> bool:
    if rule.WhichOneof("Type") == "signed_by":
        return True
    nested = rule.n_out_of
    return (
        depth > 0 and nested.n == 1 and bool(nested.rules) and all(_is_or(r, depth - 1) for r in nested.rules)
    )


def _signers(rule: Any) -> list[int]:
    if rule.WhichOneof("Type") == "signed_by":
        return [rule.signed_by]
    return [index for nested in rule.n_out_of.rules for index in _signers(nested)]


def _invalid(what: str) -> ConfigError:
    return ConfigError("COLLECTION_INVALID", what)
