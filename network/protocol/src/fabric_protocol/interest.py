"""What a simulation touched, as far as it decides who has to endorse it.

Source: Fabric ``core/endorser/endorser.go · buildChaincodeInterest``; peer/proposal_response.proto.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fabric_protos.peer import proposal_response_pb2

from fabric_protocol.definitions import SYSTEM_CHAINCODES
from fabric_protocol.policies import parse_signature_policy
from fabric_protocol.rwset import NamespaceSet, ReadWriteSet
from fabric_protocol.state import StateReader, key_policies


@dataclass(frozen=True)
class InterestCall:
    """A namespace, or one collection of it, that a transaction touched.

    ``key_policies`` are M(SignaturePolicyEnvelope) of keys that were written;
    ``disregard_namespace_policy`` says that every written key has such a policy.
    """

    name: str
    collection: str = ""
    no_private_reads: bool = False
    key_policies: tuple[bytes, ...] = ()
    disregard_namespace_policy: bool = False


@dataclass
class _Requirements:
    """Policies that one namespace's writes ask for; "" among the collections is the public part."""

    key_policies: set[bytes]
    is_required: dict[str, bool]


def chaincode_interest(
    rwset: ReadWriteSet, *, private_reads: Set[tuple[str, str]], state: StateReader
) -> tuple[InterestCall, ...]:
    """What a transaction touched, sorted; system chaincodes are left out.

    Parameters:
        rwset: results of its simulation.
        private_reads: (namespace, collection) of which values, not only hashes, were read.
        state: what it was simulated on.
    """
    calls: list[InterestCall] = []
    for namespace in rwset.namespaces:
        if namespace.namespace not in SYSTEM_CHAINCODES:
            calls += _calls(namespace, private_reads, state)
    return tuple(calls)


def interest_message(calls: Iterable[InterestCall]) -> Any:
    """peer.ChaincodeInterest, as it stands in a ProposalResponse.

    Raises:
        PolicyError: POLICY_INVALID, a key's policy is none.
    """
    calls = tuple(calls)
    # Without policies of keys there are few, and they come again and again.
    has_policies = any(call.key_policies for call in calls)
    message = proposal_response_pb2.ChaincodeInterest()
    message.CopyFrom(_message(calls) if has_policies else _known_message(calls))
    return message


@lru_cache(maxsize=128)
def _known_message(calls: tuple[InterestCall, ...]) -> Any:
    return _message(calls)


def _message(calls: tuple[InterestCall, ...]) -> Any:
    message = proposal_response_pb2.ChaincodeInterest()
    for call in calls:
        message.chaincodes.add(
            name=call.name,
            collection_names=[call.collection] if call.collection else [],
            no_private_reads=call.no_private_reads,
            key_policies=[parse_signature_policy(policy) for policy in call.key_policies],
            disregard_namespace_policy=call.disregard_namespace_policy,
        )
    return message


def _calls(
    namespace: NamespaceSet, private_reads: Set[tuple[str, str]], state: StateReader
) -> list[InterestCall]:
    name = namespace.namespace
    requirements = _requirements(namespace, state)
    for read_namespace, collection in private_reads:
        if read_namespace == name:
            requirements.is_required[collection] = True
    calls: list[InterestCall] = []
    for collection in sorted(requirements.is_required):
        if collection:
            calls.append(
                InterestCall(name, collection, no_private_reads=(name, collection) not in private_reads)
            )
        elif requirements.key_policies or requirements.is_required[""]:
            calls.append(
                InterestCall(
                    name,
                    key_policies=tuple(sorted(requirements.key_policies)),
                    disregard_namespace_policy=not requirements.is_required[""],
                )
            )
    return calls


def _requirements(namespace: NamespaceSet, state: StateReader) -> _Requirements:
    if not namespace.is_written:
        return _Requirements(set(), {"": True})
    requirements = _Requirements(set(), {"": False})
    name = namespace.namespace
    keys = namespace.written_keys
    _require(requirements, "", key_policies(keys, state.metadata_of(name, keys)))
    for collection in namespace.collections:
        hashes = collection.written_keys
        metadata = state.hashed_metadata_of(name, collection.name, hashes)
        _require(requirements, collection.name, key_policies(hashes, metadata))
    return requirements


def _require(requirements: _Requirements, collection: str, policies: Iterable[bytes]) -> None:
    for policy in policies:
        if policy:
            requirements.key_policies.add(policy)
        else:
            requirements.is_required[collection] = True
