"""A proposed update of a channel's configuration, looked at before it is signed or sent.

Source: fabric-behaviour §11.4; the bytes are those that `peer channel signconfigtx` reads and writes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.message import DecodeError

from fabric_protocol.channel_reading import ChannelConfig
from fabric_protocol.config_facts import policy_facts
from fabric_protocol.config_signing import ConfigSigner, sign_update
from fabric_protocol.config_update import preview_update, read_update_envelope, signed_data
from fabric_protocol.config_words import config_changes
from fabric_protocol.errors import ConfigError, IdentityError
from fabric_protocol.identities import Identity, split_identity
from fabric_protocol.policies import ImplicitMetaPolicy, Policy, PolicyManager, SignedData, signing_identities


@dataclass(frozen=True)
class Demand:
    """A policy that an update has to satisfy.

    Parameters:
        policy: its absolute path.
        asks_for: what for, in words.
        satisfied: whether the signatures that are there do.
        without: names of organizations whose signatures it counts and does not have yet.
    """

    policy: str
    asks_for: str
    satisfied: bool
    without: tuple[str, ...]


@dataclass(frozen=True)
class Review:
    """What a proposal says, and how far it has come.

    Parameters:
        changes: sentences, see `fabric_protocol.config_words`.
        signed: MSP ids of those whose signatures hold, each signer once.
        unfit: MSP ids of signatures that do not fit what is proposed, or are of nobody on the channel.
        demands: what has to be satisfied.
    """

    changes: tuple[str, ...]
    signed: tuple[str, ...]
    unfit: tuple[str, ...]
    demands: tuple[Demand, ...]

    @property
    def is_signed_by_enough(self) -> bool:
        """Whether the ordering nodes would take it."""
        return all(demand.satisfied for demand in self.demands)


def new_proposal(channel_id: str, update: bytes) -> bytes:
    """M(Envelope) that proposes M(ConfigUpdate), signed by nobody yet."""
    return _proposal(channel_id, configtx_pb2.ConfigUpdateEnvelope(config_update=update))


def read_proposal(data: bytes) -> Any:
    """The ConfigUpdateEnvelope of a proposal.

    Raises:
        ConfigError: CONFIG_UPDATE_INVALID.
    """
    try:
        return read_update_envelope(common_pb2.Envelope.FromString(data))
    except DecodeError:
        raise _invalid(f"{len(data)} bytes are no proposal of a configuration update") from None


def review_proposal(current: ChannelConfig, data: bytes) -> Review:
    """Look at a proposal beside the configuration in force.

    Raises:
        ConfigError: CONFIG_UPDATE_INVALID, also for one of another channel; CONFIG_VERSION_CONFLICT, one made
            from another configuration than the one in force; CHANNEL_CONFIG_INVALID.
    """
    envelope = read_proposal(data)
    group, policies = preview_update(current, envelope)
    signatures = signed_data(envelope)
    signers = signing_identities(signatures, current.msps)
    fitting = {identity.serialized for identity in signers}
    unfit = [_claimed(item) for item in signatures if item.identity not in fitting]
    return Review(
        changes=tuple(config_changes(current.group, group)),
        signed=tuple(identity.msp_id for identity in signers),
        unfit=tuple(unfit),
        demands=tuple(_demand(current, path, policy, signers) for path, policy in sorted(policies.items())),
    )


def sign_proposal(current: ChannelConfig, data: bytes, signer: ConfigSigner) -> bytes:
    """A proposal with an administrator's signature added.

    Raises:
        ConfigError: as `review_proposal`; PROPOSAL_ALTERED, it has signatures that do not fit it;
            PROPOSAL_SIGNED, by this administrator; SIGNATURE_WORTHLESS, no policy counts this one's.
    """
    envelope, review = read_proposal(data), review_proposal(current, data)
    if review.unfit:
        raise ConfigError(
            "PROPOSAL_ALTERED",
            f"signatures of {', '.join(review.unfit)} do not fit what is proposed: it was altered after they "
            "signed, or they are of nobody on the channel; ask for the proposal as it was made",
        )
    if any(item.identity == signer.identity for item in signed_data(envelope)):
        raise ConfigError("PROPOSAL_SIGNED", "this administrator has signed it already")
    _, policies = preview_update(current, envelope)
    identity = _known(current, signer)
    if not any(_counts(policy, identity) for policy in policies.values()):
        raise ConfigError(
            "SIGNATURE_WORTHLESS",
            f"a signature by this identity of {identity.msp_id} counts for nothing that the proposal needs "
            f"({', '.join(sorted(policies))}): let an administrator of an organization that is asked sign",
        )
    envelope.signatures.append(sign_update(envelope.config_update, signer))
    return _proposal(current.channel_id, envelope)


def _demand(current: ChannelConfig, path: str, policy: Policy, signers: Sequence[Identity]) -> Demand:
    words = policy_facts(_policy_message(current.group, path))["asks for"]
    satisfied = policy.evaluate_identities(signers)
    return Demand(path, words, satisfied, tuple(_without(current.policies, path, policy, signers)))


def _without(manager: PolicyManager, path: str, policy: Policy, signers: Sequence[Identity]) -> Iterator[str]:
    """Names of the organizations below that an implicit policy counts and that have not satisfied theirs."""
    if not isinstance(policy, ImplicitMetaPolicy):
        return
    for name in path.split("/")[2:-1]:
        manager = manager.groups[name]
    for name, group in manager.groups.items():
        below = group.find(policy.sub_policy)
        if below is None or below.evaluate_identities(signers):
            continue
        if isinstance(below, ImplicitMetaPolicy):
            yield from _without(group, policy.sub_policy, below, signers)
        else:
            yield name


def _counts(policy: Policy, identity: Identity) -> bool:
    """Whether one identity's signature brings a policy any nearer."""
    if isinstance(policy, ImplicitMetaPolicy):
        return policy.satisfied([identity]) > 0
    return policy.evaluate_identities([identity])


def _known(current: ChannelConfig, signer: ConfigSigner) -> Identity:
    try:
        return current.msps.deserialize(signer.identity)
    except IdentityError as error:
        raise ConfigError(
            "SIGNATURE_WORTHLESS", f"the channel does not know who signs: {error.message}"
        ) from error


def _policy_message(root: Any, path: str) -> Any:
    *groups, name = path.split("/")[2:]
    group = root
    for item in groups:
        group = group.groups[item]
    return group.policies[name].policy


def _claimed(item: SignedData) -> str:
    try:
        return split_identity(item.identity)[0]
    except IdentityError:
        return "somebody unreadable"


def _proposal(channel_id: str, envelope: Any) -> bytes:
    header = common_pb2.ChannelHeader(type=common_pb2.CONFIG_UPDATE, channel_id=channel_id)
    payload = common_pb2.Payload(
        header=common_pb2.Header(channel_header=header.SerializeToString()),
        data=envelope.SerializeToString(),
    )
    proposal: bytes = common_pb2.Envelope(payload=payload.SerializeToString()).SerializeToString()
    return proposal


def _invalid(what: str) -> ConfigError:
    return ConfigError("CONFIG_UPDATE_INVALID", what)
