"""Second part of the first pass: whether the right organizations endorsed what a transaction writes.

Every written key asks for one policy: its own if it has one, else its collection's, else its chaincode's.

Source: Fabric ``core/common/validation/statebased/{validator_keylevel,v20,vpmanagerimpl}.go``,
``core/chaincode/lifecycle/deployedcc_infoprovider.go``.
"""

from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from fabric_protocol.definitions import (
    DEFAULT_VALIDATION_PLUGIN,
    IMPLICIT_COLLECTION_PREFIX,
    LIFECYCLE_NAMESPACE,
    Definition,
    read_definition,
)
from fabric_protocol.errors import EncodingError, PolicyError
from fabric_protocol.identities import Identity
from fabric_protocol.policies import (
    Policy,
    SignaturePolicy,
    parse_signature_policy,
    resolve_application_policy,
    signed_by_n_of,
    signing_identities,
)
from fabric_protocol.rwset import NamespaceSet
from fabric_protocol.state import StateReader, key_policies
from fabric_protocol.transactions import signed_endorsements
from fabric_protocol.validation_codes import ValidationCode
from fabric_protocol.validation_first_pass import Candidate

if TYPE_CHECKING:
    from fabric_protocol.channel_config import ChannelConfig

_LIFECYCLE_POLICY = "/Channel/Application/LifecycleEndorsement"


class ChannelPolicies:
    """The policies of a channel's chaincodes, collections and keys, compiled once.

    Parameters:
        config: configuration in force.
        state: committed state, with the chaincodes' definitions.
    """

    def __init__(self, config: "ChannelConfig", state: StateReader) -> None:
        self._config = config
        self._state = state
        self._definitions: dict[str, Definition | None] = {}
        self._compiled: dict[tuple[str, str, bytes], Policy | None] = {}

    def chaincode(self, name: str) -> Policy | None:
        """Endorsement policy of a chaincode; None where it has no usable definition."""
        if name == LIFECYCLE_NAMESPACE:
            return self._compile("lifecycle", "", b"", self._lifecycle)
        definition = self.definition(name)
        if definition is None:
            return None
        parameter = definition.validation_parameter
        return self._compile(
            "application", "", parameter, lambda: resolve_application_policy(parameter, self._config)
        )

    def is_defined(self, name: str) -> bool:
        """Whether transactions may write to a namespace at all."""
        return name == LIFECYCLE_NAMESPACE or self.definition(name) is not None

    def collection(self, chaincode: str, name: str) -> Policy | None:
        """Endorsement policy of a collection, the chaincode's if it has none; None for an unknown one."""
        if not self.is_defined(chaincode):
            return None
        if name.startswith(IMPLICIT_COLLECTION_PREFIX):
            msp_id = name.removeprefix(IMPLICIT_COLLECTION_PREFIX)
            return self._compile("implicit", msp_id, b"", lambda: self._implicit(msp_id))
        definition = self.definition(chaincode)
        if definition is None or name not in definition.collection_policies:
            return None
        own = definition.collection_policies[name]
        if not own:
            return self.chaincode(chaincode)
        return self._compile("application", "", own, lambda: resolve_application_policy(own, self._config))

    def key(self, encoded: bytes) -> Policy | None:
        """Key-level policy M(SignaturePolicyEnvelope); None where it cannot be read."""
        return self._compile(
            "key", "", encoded, lambda: SignaturePolicy(parse_signature_policy(encoded), self._config.msps)
        )

    def definition(self, name: str) -> Definition | None:
        """Definition of a chaincode; None where there is none that a peer could validate with."""
        if name not in self._definitions:
            self._definitions[name] = self._usable_definition(name)
        return self._definitions[name]

    def _usable_definition(self, name: str) -> Definition | None:
        try:
            definition = read_definition(self._state, name)
            if definition is None or not definition.validation_parameter:
                return None
            # Reading them shows whether they parse.
            _ = definition.collection_policies
        except EncodingError:
            return None
        return definition if definition.validation_plugin == DEFAULT_VALIDATION_PLUGIN else None

    def _lifecycle(self) -> Policy:
        found = self._config.policies.find(_LIFECYCLE_POLICY)
        if found is not None:
            return found
        members = sorted(msp_id for _, msp_id in self._config.organizations)
        return SignaturePolicy(
            signed_by_n_of(len(members) // 2 + 1, members, role="member"), self._config.msps
        )

    def _implicit(self, msp_id: str) -> Policy:
        for group, member in self._config.organizations:
            if member == msp_id:
                found = self._config.policies.find(f"/Channel/Application/{group}/Endorsement")
                return found or SignaturePolicy(signed_by_n_of(1, [msp_id], role="member"), self._config.msps)
        raise PolicyError("POLICY_NOT_FOUND", f"no org found in channel with MSPID '{msp_id}'")

    def _compile(self, kind: str, name: str, encoded: bytes, make: Callable[[], Policy]) -> Policy | None:
        handle = (kind, name, encoded)
        if handle not in self._compiled:
            try:
                self._compiled[handle] = make()
            except PolicyError:
                self._compiled[handle] = None
        return self._compiled[handle]


class _Endorsers:
    """Those who endorsed one transaction, and which policies they were found to satisfy."""

    def __init__(self, candidate: Candidate, config: "ChannelConfig") -> None:
        self._candidate = candidate
        self._config = config
        self._verdicts: dict[int, bool] = {}

    @cached_property
    def identities(self) -> tuple[Identity, ...]:
        action = self._candidate.action
        signed = signed_endorsements(action.response_payload, action.endorsements)
        return signing_identities(signed, self._config.msps)

    def satisfy(self, policy: Policy | None) -> bool:
        """Policies live as long as the block's `ChannelPolicies`, so that their id can stand for them."""
        if policy is None:
            return False
        verdict = self._verdicts.get(id(policy))
        if verdict is None:
            verdict = self._verdicts[id(policy)] = policy.evaluate_identities(self.identities)
        return verdict


class EndorsementRules:
    """Judges a block's transactions, which must come in their order.

    Parameters:
        config: configuration in force.
        state: committed state, as it was before the block.
    """

    def __init__(self, config: "ChannelConfig", state: StateReader) -> None:
        self._config = config
        self._state = state
        self._policies = ChannelPolicies(config, state)
        self._changed: set[tuple[str, str, str | bytes]] = set()

    def check(self, candidate: Candidate) -> ValidationCode:
        """VALID, INVALID_CHAINCODE or ENDORSEMENT_POLICY_FAILURE, by who endorsed the transaction."""
        namespaces = {entry.namespace: entry for entry in candidate.rwset.namespaces}
        asked = {name for name, entry in namespaces.items() if entry.is_written} | {candidate.chaincode}
        if not all(self._policies.is_defined(name) for name in asked):
            return ValidationCode.INVALID_CHAINCODE
        endorsers = _Endorsers(candidate, self._config)
        satisfied = [
            name
            for name in sorted(asked)
            if self._is_satisfied(endorsers, namespaces.get(name) or NamespaceSet(name))
        ]
        # A later transaction is bound by metadata that changes here even if this one fails elsewhere.
        for name in satisfied:
            self._note_changed_metadata(namespaces.get(name))
        if len(satisfied) != len(asked):
            return ValidationCode.ENDORSEMENT_POLICY_FAILURE
        return ValidationCode.VALID

    def _is_satisfied(self, endorsers: _Endorsers, namespace: NamespaceSet) -> bool:
        if self._touches_changed(namespace):
            return False
        name = namespace.namespace
        keys = namespace.written_keys
        own = key_policies(keys, self._state.metadata_of(name, keys))
        policies = self._compiled(own, partial(self._policies.chaincode, name))
        for collection in namespace.collections:
            hashes = collection.written_keys
            own = key_policies(hashes, self._state.hashed_metadata_of(name, collection.name, hashes))
            policies += self._compiled(own, partial(self._policies.collection, name, collection.name))
        if not policies:
            policies.append(self._policies.chaincode(name))
        return all(endorsers.satisfy(policy) for policy in policies)

    def _compiled(
        self, policies: Iterable[bytes], general: Callable[[], Policy | None]
    ) -> list[Policy | None]:
        """Policies of keys; ``general`` makes that of keys without their own."""
        return [self._policies.key(own) if own else general() for own in policies]

    def _touches_changed(self, namespace: NamespaceSet) -> bool:
        """Whether a key is written whose metadata an earlier transaction of the block changes."""
        name = namespace.namespace
        return bool(self._changed) and (
            any((name, "", key) in self._changed for key in namespace.written_keys)
            or any(
                (name, collection.name, key_hash) in self._changed
                for collection in namespace.collections
                for key_hash in collection.written_keys
            )
        )

    def _note_changed_metadata(self, namespace: NamespaceSet | None) -> None:
        if namespace is None:
            return
        name = namespace.namespace
        self._changed.update((name, "", write.key) for write in namespace.metadata_writes)
        for collection in namespace.collections:
            self._changed.update(
                (name, collection.name, write.key_hash) for write in collection.metadata_writes
            )
