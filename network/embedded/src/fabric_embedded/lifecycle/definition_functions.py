"""`_lifecycle` functions about definitions: approving, committing, and what is approved and committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fabric_protos.peer.lifecycle import lifecycle_pb2

from fabric_embedded.errors import ChaincodeError
from fabric_embedded.lifecycle.arguments import (
    check_definition,
    check_names,
    parse_arguments,
    requested_definition,
)
from fabric_embedded.lifecycle.definitions import DefinitionStore
from fabric_protocol.definitions import Approval
from fabric_protocol.lifecycle_arguments import definition_fields

if TYPE_CHECKING:
    from fabric_embedded.system.calls import SystemCall
    from fabric_protocol.channel_config import ChannelConfig

_Function = Callable[[Any, DefinitionStore, "SystemCall"], Any]


class DefinitionFunctions:
    """What one organization's peer does with definitions on a channel.

    Parameters:
        msp_id: of the organization.
    """

    def __init__(self, msp_id: str) -> None:
        self._msp_id = msp_id
        self._functions: dict[str, _Function] = {
            "ApproveChaincodeDefinitionForMyOrg": self._approve,
            "CheckCommitReadiness": self._check_readiness,
            "CommitChaincodeDefinition": self._commit,
            "QueryApprovedChaincodeDefinition": self._query_approved,
            "QueryApprovedChaincodeDefinitions": self._query_all_approved,
            "QueryChaincodeDefinition": self._query,
            "QueryChaincodeDefinitions": self._query_all,
        }

    def run(self, call: SystemCall) -> Any:
        """Run a function that the caller may run; its result message.

        Raises:
            ChaincodeError: with Fabric's text; NAMESPACE_NOT_DEFINED is answered with 404.
            ProtocolError: of the simulation.
        """
        function = self._functions.get(call.function)
        if function is None:
            raise ChaincodeError(
                "FUNCTION_UNKNOWN", f"receiver *lifecycle.Invocation.{call.function} does not exist"
            )
        message = getattr(lifecycle_pb2, f"{call.function}Args")
        arguments = parse_arguments(message, call.function, call.arguments[1])
        if call.simulator is None:
            raise _without_channel(arguments, call)
        return function(arguments, DefinitionStore(call.simulator, self._msp_id), call)

    def _approve(self, arguments: Any, store: DefinitionStore, call: SystemCall) -> Any:
        _check(arguments, store, call)
        package_id = ""
        if arguments.HasField("source") and arguments.source.HasField("local_package"):
            package_id = arguments.source.local_package.package_id
        store.approve(requested_definition(arguments), package_id)
        return lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgResult()

    def _commit(self, arguments: Any, store: DefinitionStore, call: SystemCall) -> Any:
        _check(arguments, store, call)
        store.commit(requested_definition(arguments), _members(call.config))
        return lifecycle_pb2.CommitChaincodeDefinitionResult()

    def _check_readiness(self, arguments: Any, store: DefinitionStore, call: SystemCall) -> Any:
        definition = requested_definition(arguments)
        approvals = store.readiness(definition, _members(call.config))
        result = lifecycle_pb2.CheckCommitReadinessResult(approvals=approvals)
        for msp_id, is_approved in approvals.items():
            if not is_approved:
                result.mismatches[msp_id].items.extend(store.mismatches(definition, msp_id))
        return result

    def _query(self, arguments: Any, store: DefinitionStore, call: SystemCall) -> Any:
        definition = store.definition(arguments.name)
        if definition is None:
            raise ChaincodeError("NAMESPACE_NOT_DEFINED", f"namespace {arguments.name} is not defined")
        approvals = store.approvals(definition, _members(call.config))
        return lifecycle_pb2.QueryChaincodeDefinitionResult(
            **definition_fields(definition), approvals=approvals
        )

    def _query_all(self, _arguments: Any, store: DefinitionStore, _call: SystemCall) -> Any:
        result = lifecycle_pb2.QueryChaincodeDefinitionsResult()
        for name in store.names():
            definition = store.definition(name)
            if definition is not None:
                result.chaincode_definitions.add(name=name, **definition_fields(definition))
        return result

    def _query_approved(self, arguments: Any, store: DefinitionStore, call: SystemCall) -> Any:
        approval = store.own_approval(arguments.name, arguments.sequence)
        if approval is None:
            sequence = arguments.sequence or store.sequence(arguments.name)
            raise ChaincodeError(
                "APPROVAL_NOT_FOUND",
                f"could not fetch approved chaincode definition (name: '{arguments.name}', sequence: "
                f"'{sequence}') on channel '{call.config.channel_id}'",
            )
        return lifecycle_pb2.QueryApprovedChaincodeDefinitionResult(
            **definition_fields(approval.definition), source=_source(approval)
        )

    def _query_all_approved(self, _arguments: Any, store: DefinitionStore, _call: SystemCall) -> Any:
        result = lifecycle_pb2.QueryApprovedChaincodeDefinitionsResult()
        for approval in store.own_approvals():
            result.approved_chaincode_definitions.add(
                name=approval.definition.name,
                **definition_fields(approval.definition),
                source=_source(approval),
            )
        return result


def _without_channel(arguments: Any, call: SystemCall) -> ChaincodeError:
    """How a function that its organization's administrator called on no channel comes to an end."""
    identifier = f"transaction ID: {call.admitted.proposal.transaction_id}: no ledger context"
    if call.function == "QueryApprovedChaincodeDefinition" and not arguments.sequence:
        key = f"namespaces/fields/{arguments.name}/Sequence"
        reason = f"could not get state for key {key}: GET_STATE failed: {identifier}"
        text = f"could not get current sequence: {reason}"
    elif call.function == "QueryApprovedChaincodeDefinitions":
        text = (
            "could not fetch metadatas: could not get state range for namespace namespaces: could not get "
            f"state iterator: GET_STATE_BY_RANGE failed: {identifier}"
        )
    else:
        if call.function == "ApproveChaincodeDefinitionForMyOrg":
            check_names(arguments)
        text = "could not get channelconfig for channel ''"
    return ChaincodeError("CHANNEL_MISSING", text)


def _check(arguments: Any, store: DefinitionStore, call: SystemCall) -> None:
    check_definition(arguments, call.config.msps, lambda: store.checked_definition(arguments.name))


def _members(config: ChannelConfig) -> tuple[str, ...]:
    return tuple(sorted(organization.msp_id for organization in config.organizations))


def _source(approval: Approval) -> Any:
    if not approval.package_id:
        unavailable = lifecycle_pb2.ChaincodeSource.Unavailable()
        return lifecycle_pb2.ChaincodeSource(unavailable=unavailable)
    local = lifecycle_pb2.ChaincodeSource.Local(package_id=approval.package_id)
    return lifecycle_pb2.ChaincodeSource(local_package=local)
