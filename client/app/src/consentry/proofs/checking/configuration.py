"""A channel's configuration: organizations, policies and ordering nodes.

Source: protos ``common.Config``, ``common.ConfigGroup``, ``common.Orderers``; Fabric
``common/policies/implicitmeta.go``.
"""

from dataclasses import dataclass

from .certificates import certificate_bytes, read_certificate, signature_holds
from .organization import Organization
from .policies import Signer, satisfies
from .refusal import ProofRefused, expect
from .wire import Fields, many, one, one_number, one_text, read_fields, write_bytes

_CONFIG = 1
_SIGNATURE, _IMPLICIT = 1, 3
_ANY, _ALL, _MAJORITY = 0, 1, 2
_DEEPEST = 8


@dataclass(frozen=True)
class Group:
    """One group of the configuration's tree; values and policies are serialized."""

    groups: dict[str, "Group"]
    values: dict[str, bytes]
    policies: dict[str, bytes]


class Configuration:
    """What a configuration block holds.

    Args:
        entries: the block's transactions: the configuration alone.

    Raises:
        ProofRefused: CONFIGURATION, ENCODING, CERTIFICATE.
    """

    def __init__(self, entries: list[bytes]) -> None:
        expect(len(entries) == 1, "CONFIGURATION", "a configuration block holds its configuration alone")
        payload = read_fields(one(read_fields(entries[0]), 1))
        header = read_fields(one(read_fields(one(payload, 1)), 1))
        expect(one_number(header, 1) == _CONFIG, "CONFIGURATION", "a block holds no configuration")
        self.channel = one_text(header, 4)
        config = read_fields(one(read_fields(one(payload, 2)), 1))
        self.sequence = one_number(config, 1)
        root = _read_group(one(config, 2), _DEEPEST)
        application, self._orderer = _child(root, "Application"), _child(root, "Orderer")
        members = [_organization(group) for group in application.groups.values()]
        self.members = frozenset(member.msp_id for member in members)
        orderers = [_organization(group) for group in self._orderer.groups.values()]
        self._organizations = {entry.msp_id: entry for entry in (*orderers, *members)}
        self.consenters = _consenters(self._orderer.values.get("Orderers", b""))

    def signer(self, identity: bytes, signed: bytes, signature: bytes) -> Signer:
        """Whoever made a signature.

        Args:
            identity: serialized ``msp.SerializedIdentity``.
            signed: what the signature is over.
            signature: as it was sent.

        Raises:
            ProofRefused: SIGNATURE if it does not hold, MEMBERSHIP if its maker is nobody of the channel.
        """
        fields = read_fields(identity)
        organization = self._organizations.get(one_text(fields, 1))
        if organization is None:
            raise ProofRefused("MEMBERSHIP", f"the channel has no organization {one_text(fields, 1)!r}")
        certificate = read_certificate(one(fields, 2))
        expect(
            signature_holds(certificate, signed, signature), "SIGNATURE", "a signature is not by its maker"
        )
        return Signer(organization.msp_id, certificate_bytes(certificate), organization.roles(certificate))

    def may_sign_blocks(self, signers: list[Signer]) -> bool:
        """Whether signers satisfy ``/Channel/Orderer/BlockValidation``."""
        return _satisfied(self._orderer, "BlockValidation", signers, _DEEPEST)


def _satisfied(group: Group, name: str, signers: list[Signer], depth: int) -> bool:
    policy = read_fields(group.policies.get(name, b""))
    kind, content = one_number(policy, 1), one(policy, 2)
    if kind == _SIGNATURE:
        return satisfies(content, signers)
    if kind != _IMPLICIT or not depth:
        return False
    rule = read_fields(content)
    children = list(group.groups.values())
    least = {_ANY: 1, _ALL: len(children), _MAJORITY: len(children) // 2 + 1}[one_number(rule, 2)]
    held = sum(_satisfied(child, one_text(rule, 1), signers, depth - 1) for child in children)
    return held >= least and bool(children)


def _read_group(data: bytes, depth: int) -> Group:
    expect(depth, "CONFIGURATION", "the configuration is nested too deeply")
    fields = read_fields(data)
    return Group(
        groups={name: _read_group(entry, depth - 1) for name, entry in _entries(fields, 2).items()},
        values={name: one(read_fields(entry), 2) for name, entry in _entries(fields, 3).items()},
        policies={name: one(read_fields(entry), 2) for name, entry in _entries(fields, 4).items()},
    )


def _entries(fields: Fields, number: int) -> dict[str, bytes]:
    """A map field: name → serialized value."""
    found: dict[str, bytes] = {}
    for entry in map(read_fields, many(fields, number)):
        name = one_text(entry, 1)
        expect(name not in found, "CONFIGURATION", f"the configuration has {name!r} twice")
        found[name] = one(entry, 2)
    return found


def _child(group: Group, name: str) -> Group:
    expect(name in group.groups, "CONFIGURATION", f"the configuration has no part {name}")
    return group.groups[name]


def _organization(group: Group) -> Organization:
    expect("MSP" in group.values, "CONFIGURATION", "an organization has no MSP")
    return Organization(group.values["MSP"])


def _consenters(data: bytes) -> dict[int, bytes]:
    """SmartBFT's ordering nodes: number → serialized identity. Of two with one number the first counts."""
    found: dict[int, bytes] = {}
    for entry in map(read_fields, many(read_fields(data), 1)):
        identity = write_bytes(1, one(entry, 4)) + write_bytes(2, one(entry, 5))
        found.setdefault(one_number(entry, 1), identity)
    return found
