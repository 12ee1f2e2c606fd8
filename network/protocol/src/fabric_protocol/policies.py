"""Evaluating policies: who has to sign, judged by Fabric's greedy rules.

Source: fabric-behaviour §2.1, §2.2, §2.4 (`common/policies/policy.go`, `implicitmeta.go`,
`common/cauthdsl/cauthdsl.go`, `core/policy/application.go`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from fabric_protos.common import policies_pb2
from fabric_protos.peer import policy_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.errors import IdentityError, PolicyError, SignatureError
from fabric_protocol.identities import Identity
from fabric_protocol.msp import MspManager
from fabric_protocol.policy_building import application_policy, custodian_policy, signed_by_n_of
from fabric_protocol.policy_language import format_policy, parse_policy

if TYPE_CHECKING:
    from fabric_protocol.channel_reading import ChannelConfig

__all__ = [
    "ImplicitMetaPolicy",
    "Policy",
    "PolicyManager",
    "SignaturePolicy",
    "SignedData",
    "application_policy",
    "custodian_policy",
    "format_policy",
    "parse_policy",
    "parse_signature_policy",
    "refusal_text",
    "resolve_application_policy",
    "signed_by_n_of",
    "signing_identities",
]

_DEEPEST_RULE: Final = 64
# What a policy says of some identities never changes, and the same few sign everything.
_REMEMBERED: Final = 512
_LARGEST_REMEMBERED: Final = 16 * 1024
_Judgement = Callable[[Sequence[Identity], list[bool]], bool]


@dataclass(frozen=True)
class SignedData:
    """One signature: the bytes it is over, and who claims it.

    Parameters:
        data: what was signed.
        identity: M(SerializedIdentity).
        signature: as `fabric_protocol.signatures` makes it.
        digest: SHA-256 of what was signed, where it is known already.
    """

    data: bytes
    identity: bytes
    signature: bytes
    digest: bytes | None = None


class Policy(Protocol):
    """What a channel asks of a set of signatures."""

    def evaluate(self, signed: Sequence[SignedData]) -> bool:
        """Whether these signatures satisfy the policy; those that do not hold count as absent."""
        ...

    def evaluate_identities(self, identities: Sequence[Identity]) -> bool:
        """Whether signatures of these identities, in this order, would; repeats count once."""
        ...


def signing_identities(signed: Iterable[SignedData], msps: MspManager) -> tuple[Identity, ...]:
    """The distinct identities whose signatures hold, in order; one computation serves several policies.

    An identity that cannot be read or whose signature does not hold is left out; a later good signature of
    the same identity counts. Whether an identity is valid is for the principals to ask.
    """
    found: dict[str, Identity] = {}
    for item in signed:
        try:
            identity = msps.deserialize(item.identity)
            if identity.key in found:
                continue
            msps.signatures.verify(identity, item.signature, item.data, item.digest)
        except (IdentityError, SignatureError):
            continue
        found[identity.key] = identity
    return tuple(found.values())


class SignaturePolicy:
    """A tree of "n out of these" over principals.

    Each identity is used once, by the first rule that it fits; rules are tried in order, none twice.

    Parameters:
        envelope: SignaturePolicyEnvelope.
        msps: of the channel.

    Raises:
        PolicyError: POLICY_INVALID, a version other than 0, or a rule that points at no principal or is none.
    """

    def __init__(self, envelope: Any, msps: MspManager) -> None:
        if envelope.version != 0:
            raise PolicyError("POLICY_INVALID", f"expected a policy of version 0, got {envelope.version}")
        self.envelope = envelope
        self._msps = msps
        self._principals = tuple(envelope.identities)
        self._holds = self._compile(envelope.rule, _DEEPEST_RULE)
        self._known = lru_cache(maxsize=_REMEMBERED)(self._judge)

    def evaluate(self, signed: Sequence[SignedData]) -> bool:
        """Whether these signatures satisfy the policy."""
        return self.evaluate_identities(signing_identities(signed, self._msps))

    def evaluate_identities(self, identities: Sequence[Identity]) -> bool:
        """Whether signatures of these identities, in this order, would."""
        return (self._known if _is_small(identities) else self._judge)(tuple(identities))

    def _judge(self, identities: tuple[Identity, ...]) -> bool:
        distinct = tuple({identity.key: identity for identity in identities}.values())
        return self._holds(distinct, [False] * len(distinct))

    def _compile(self, rule: Any, depth: int) -> _Judgement:
        kind = rule.WhichOneof("Type")
        if kind == "n_out_of" and depth:
            return _gate(
                rule.n_out_of.n, [self._compile(nested, depth - 1) for nested in rule.n_out_of.rules]
            )
        if kind != "signed_by":
            raise PolicyError(
                "POLICY_INVALID", "a rule is neither a signature nor a gate, or nested too deeply"
            )
        if not 0 <= rule.signed_by < len(self._principals):
            raise PolicyError(
                "POLICY_INVALID", f"a rule points at principal {rule.signed_by} of {len(self._principals)}"
            )
        return self._signature(self._principals[rule.signed_by])

    def _signature(self, principal: Any) -> _Judgement:
        satisfies = self._msps.satisfies

        def holds(identities: Sequence[Identity], used: list[bool]) -> bool:
            for index, identity in enumerate(identities):
                if not used[index] and satisfies(identity, principal):
                    used[index] = True
                    return True
            return False

        return holds


def _gate(threshold: int, rules: Sequence[_Judgement]) -> _Judgement:
    def holds(identities: Sequence[Identity], used: list[bool]) -> bool:
        satisfied = 0
        for rule in rules:
            attempt = used.copy()
            if rule(identities, attempt):
                satisfied += 1
                used[:] = attempt
        return satisfied >= threshold

    return holds


class ImplicitMetaPolicy:
    """A policy that counts in how many child groups the policy of a name holds; each sees every signature.

    Parameters:
        sub_policies: the policy of that name of each child group; None where a child lacks it (it refuses).
        rule: ANY, ALL or MAJORITY (number or name of ImplicitMetaPolicy.Rule).
        msps: of the channel.
        sub_policy: the child policies' name.

    Raises:
        PolicyError: POLICY_INVALID, an unknown rule.
    """

    def __init__(
        self, sub_policies: Sequence[Policy | None], rule: int | str, msps: MspManager, sub_policy: str = ""
    ) -> None:
        count = len(sub_policies)
        name = (
            policies_pb2.ImplicitMetaPolicy.Rule.Name(rule)
            if isinstance(rule, int) and rule in (0, 1, 2)
            else rule
        )
        thresholds = {"ANY": 1, "ALL": count, "MAJORITY": count // 2 + 1}
        if name not in thresholds:
            raise PolicyError("POLICY_INVALID", f"expected ANY, ALL or MAJORITY, got {rule!r}")
        self.threshold = thresholds[str(name)] if count else 0
        self.sub_policy = sub_policy
        self._sub_policies = tuple(sub_policies)
        self._msps = msps
        self._known = lru_cache(maxsize=_REMEMBERED)(self.satisfied)

    def evaluate(self, signed: Sequence[SignedData]) -> bool:
        """Whether these signatures satisfy the policy."""
        return self.evaluate_identities(signing_identities(signed, self._msps))

    def evaluate_identities(self, identities: Sequence[Identity]) -> bool:
        """Whether signatures of these identities, in this order, would."""
        return (self._known if _is_small(identities) else self.satisfied)(tuple(identities)) >= self.threshold

    def satisfied(self, identities: Sequence[Identity]) -> int:
        """In how many child groups these identities satisfy the policy, counted up to the threshold."""
        satisfied = 0
        for policy in self._sub_policies:
            if satisfied >= self.threshold:
                break
            satisfied += policy is not None and policy.evaluate_identities(identities)
        return satisfied


def _is_small(identities: Sequence[Identity]) -> bool:
    """Whether remembering these costs little: text around a certificate can be of any length."""
    return sum(len(identity.serialized) for identity in identities) <= _LARGEST_REMEMBERED


def refusal_text(policy: Policy, identities: Sequence[Identity]) -> str:
    """What Fabric says of a policy that signatures of these identities do not satisfy."""
    if not isinstance(policy, ImplicitMetaPolicy):
        return "signature set did not satisfy policy"
    found, needed, name = policy.satisfied(identities), policy.threshold, policy.sub_policy
    return (
        f"implicit policy evaluation failed - {found} sub-policies were satisfied, but this policy requires "
        f"{needed} of the '{name}' sub-policies to be satisfied"
    )


class PolicyManager:
    """The policies of one group of the channel's configuration, and of the groups below it.

    Parameters:
        path: the group's absolute path, e.g. "/Channel/Application".
        policies: name → policy of this group.
        groups: name → manager of the groups directly below.
    """

    def __init__(
        self, path: str, policies: Mapping[str, Policy], groups: Mapping[str, "PolicyManager"]
    ) -> None:
        self.path = path
        self._policies = dict(policies)
        self._known: dict[str, Policy] = {}
        self.groups = dict(groups)

    def policy(self, name: str) -> Policy:
        """The policy with a name here, with a path from here, or with an absolute path below here.

        Parameters:
            name: "Writers", "Application/Writers" or "/Channel/Application/Writers".

        Raises:
            PolicyError: POLICY_NOT_FOUND.
        """
        known = self._known.get(name)
        if known is not None:
            return known
        found = self.find(name)
        if found is None:
            raise PolicyError("POLICY_NOT_FOUND", f"no such policy: '{name}'")
        self._known[name] = found
        return found

    def find(self, name: str) -> Policy | None:
        """As `policy`, but None where there is none."""
        if name.startswith("/"):
            if not name.startswith(self.path + "/"):
                return None
            name = name[len(self.path) + 1 :]
        group, _, rest = name.partition("/")
        if not rest:
            return self._policies.get(name)
        below = self.groups.get(group)
        return below.find(rest) if below is not None and not rest.startswith("/") else None


def parse_signature_policy(data: bytes) -> Any:
    """Read M(SignaturePolicyEnvelope), the form of key-level policies.

    Raises:
        PolicyError: POLICY_INVALID.
    """
    try:
        return policies_pb2.SignaturePolicyEnvelope.FromString(data)
    except (DecodeError, TypeError):
        raise PolicyError("POLICY_INVALID", "expected a serialized SignaturePolicyEnvelope") from None


def resolve_application_policy(data: bytes, config: "ChannelConfig") -> Policy:
    """The policy that M(ApplicationPolicy) stands for on a channel.

    Parameters:
        data: `validation_parameter` of a chaincode definition or `endorsement_policy` of a collection.
        config: of the channel.

    Raises:
        PolicyError: POLICY_INVALID, not such a message or empty; POLICY_NOT_FOUND, a reference to nothing.
    """
    try:
        message = policy_pb2.ApplicationPolicy.FromString(data)
    except (DecodeError, TypeError):
        raise PolicyError("POLICY_INVALID", "expected a serialized ApplicationPolicy") from None
    kind = message.WhichOneof("Type")
    if kind == "signature_policy":
        return SignaturePolicy(message.signature_policy, config.msps)
    if kind == "channel_config_policy_reference":
        return config.policies.policy(message.channel_config_policy_reference)
    raise PolicyError("POLICY_INVALID", "the application policy is empty")
