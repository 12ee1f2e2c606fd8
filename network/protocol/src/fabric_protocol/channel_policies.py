"""The policies that a channel of ours starts with.

Source: fabric-behaviour §2.2, §11.2; DESIGN §9: only the orderer role signs blocks, so the ordering part's
writers are orderers and administrators, not every member.
"""

from collections.abc import Mapping
from typing import Any, Final

from fabric_protos.common import configtx_pb2, policies_pb2

from fabric_protocol.policy_language import parse_policy

_ADMINS: Final = "Admins"
_ORGANIZATION: Final = {
    "Readers": ("admin", "peer", "client"),
    "Writers": ("admin", "client"),
    "Admins": ("admin",),
    "Endorsement": ("peer",),
}
_ORDERER_ORGANIZATION: Final = {
    "Readers": ("admin", "orderer"),
    "Writers": ("admin", "orderer"),
    "Admins": ("admin",),
}


def add_implicit_policies(group: Any, rules: Mapping[str, str]) -> None:
    """Add policies that count in how many child groups a policy holds.

    Parameters:
        group: ConfigGroup, changed.
        rules: policy name → "ANY", "ALL" or "MAJORITY", followed by a space and the child policy's name where
            it differs.
    """
    for name, text in rules.items():
        rule, _, sub_policy = text.partition(" ")
        content = policies_pb2.ImplicitMetaPolicy(
            rule=policies_pb2.ImplicitMetaPolicy.Rule.Value(rule), sub_policy=sub_policy or name
        )
        _add(group, name, policies_pb2.Policy.IMPLICIT_META, content)


def add_signature_policy(group: Any, name: str, envelope: Any) -> None:
    """Add a SignaturePolicyEnvelope under a name to a ConfigGroup."""
    _add(group, name, policies_pb2.Policy.SIGNATURE, envelope)


def add_organization_policies(group: Any, msp_id: str) -> None:
    """Add what an organization of the application part asks of its own members."""
    _add_roles(group, msp_id, _ORGANIZATION)


def add_orderer_organization_policies(group: Any, msp_id: str) -> None:
    """Add what an organization of the ordering part asks of its own members."""
    _add_roles(group, msp_id, _ORDERER_ORGANIZATION)


def _add_roles(group: Any, msp_id: str, policies: Mapping[str, tuple[str, ...]]) -> None:
    for name, roles in policies.items():
        principals = ", ".join(f"'{msp_id}.{role}'" for role in roles)
        add_signature_policy(group, name, parse_policy(f"OR({principals})"))


def _add(group: Any, name: str, kind: int, content: Any) -> None:
    policy = policies_pb2.Policy(type=kind, value=content.SerializeToString(deterministic=True))
    group.policies[name].CopyFrom(configtx_pb2.ConfigPolicy(policy=policy, mod_policy=_ADMINS))
