"""The system chaincode `_lifecycle`: a function name and one message of arguments (`lifecycle/scc.go`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fabric_protos.common import common_pb2
from fabric_protos.msp import msp_principal_pb2
from fabric_protos.peer import collection_pb2, proposal_response_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2

from fabric_embedded import acl
from fabric_embedded.errors import AccessDenied, ChaincodeError
from fabric_embedded.lifecycle.arguments import parse_arguments, requested_definition
from fabric_embedded.lifecycle.definitions import DefinitionStore
from fabric_protocol.errors import ProtocolError
from fabric_protocol.policies import SignedData

if TYPE_CHECKING:
    from fabric_protos.peer import proposal_pb2

    from fabric_embedded.endorsement.admission import AdmittedProposal
    from fabric_protocol.channel_config import ChannelConfig
    from fabric_protocol.definitions import Definition
    from fabric_protocol.simulation import Simulator

_UNSUPPORTED = (
    "InstallChaincode",
    "QueryInstalledChaincode",
    "QueryInstalledChaincodes",
    "GetInstalledChaincodePackage",
    "QueryApprovedChaincodeDefinition",
    "QueryApprovedChaincodeDefinitions",
    "QueryChaincodeDefinitions",
)


class LifecycleChaincode:
    """`_lifecycle` as one organization's peer runs it.

    Parameters:
        msp_id: of the organization.
    """

    def __init__(self, msp_id: str) -> None:
        self._msp_id = msp_id
        self._functions: dict[str, Callable[[bytes, DefinitionStore, ChannelConfig], Any]] = {
            "ApproveChaincodeDefinitionForMyOrg": self._approve,
            "CommitChaincodeDefinition": self._commit,
            "CheckCommitReadiness": self._check_readiness,
            "QueryChaincodeDefinition": self._query,
        }

    def invoke(
        self,
        arguments: tuple[bytes, ...],
        admitted: AdmittedProposal,
        signed: proposal_pb2.SignedProposal,
        simulator: Simulator,
        config: ChannelConfig,
    ) -> proposal_response_pb2.Response:
        """Run one function.

        Returns:
            Status 200 with M(FunctionResult); 404 for an undefined name; 500 with Fabric's text else.
        """
        if len(arguments) != 2:
            return _failed(
                f"{_LIFECYCLE} must be invoked with exactly 2 arguments (function name and its input)"
                if arguments
                else f"{_LIFECYCLE} must be invoked with arguments"
            )
        name = arguments[0].decode("utf-8", "replace")
        if name in _UNSUPPORTED:
            return _failed(f"'{name}' is not supported by this version of the embedded engine")
        if name not in self._functions:
            return _failed(f"unknown {_LIFECYCLE} function: {name}")
        try:
            self._check_right(name, admitted, signed, config)
            store = DefinitionStore(simulator, self._msp_id)
            result = self._functions[name](arguments[1], store, config)
        except AccessDenied as error:
            return _failed(f"Failed to authorize invocation due to failed ACL check: {error.message}")
        except _NotDefined as error:
            return proposal_response_pb2.Response(status=common_pb2.NOT_FOUND, message=error.message)
        except (ChaincodeError, ProtocolError) as error:
            return _failed(f"failed to invoke backing implementation of '{name}': {error.message}")
        return proposal_response_pb2.Response(status=common_pb2.SUCCESS, payload=result.SerializeToString())

    def _approve(self, data: bytes, store: DefinitionStore, config: ChannelConfig) -> Any:
        arguments = parse_arguments(
            lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs, "ApproveChaincodeDefinitionForMyOrg", data
        )
        package_id = ""
        if arguments.HasField("source") and arguments.source.HasField("local_package"):
            package_id = arguments.source.local_package.package_id
        store.approve(requested_definition(arguments), package_id)
        return lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgResult()

    def _commit(self, data: bytes, store: DefinitionStore, config: ChannelConfig) -> Any:
        arguments = parse_arguments(
            lifecycle_pb2.CommitChaincodeDefinitionArgs, "CommitChaincodeDefinition", data
        )
        store.commit(requested_definition(arguments), _members(config))
        return lifecycle_pb2.CommitChaincodeDefinitionResult()

    def _check_readiness(self, data: bytes, store: DefinitionStore, config: ChannelConfig) -> Any:
        arguments = parse_arguments(lifecycle_pb2.CheckCommitReadinessArgs, "CheckCommitReadiness", data)
        approvals = store.readiness(requested_definition(arguments), _members(config))
        return lifecycle_pb2.CheckCommitReadinessResult(approvals=approvals)

    def _query(self, data: bytes, store: DefinitionStore, config: ChannelConfig) -> Any:
        arguments = parse_arguments(
            lifecycle_pb2.QueryChaincodeDefinitionArgs, "QueryChaincodeDefinition", data
        )
        definition = store.definition(arguments.name)
        if definition is None:
            raise _NotDefined("NAMESPACE_NOT_DEFINED", f"namespace {arguments.name} is not defined")
        return _definition_result(definition, store.approvals(definition, _members(config)))

    def _check_right(
        self,
        function: str,
        admitted: AdmittedProposal,
        signed: proposal_pb2.SignedProposal,
        config: ChannelConfig,
    ) -> None:
        resource = f"_lifecycle/{function}"
        if resource in acl.CHANNEL_POLICIES:
            proposal = admitted.proposal
            acl.check_access(config, resource, SignedData(proposal.data, proposal.creator, signed.signature))
            return
        role = msp_principal_pb2.MSPRole(msp_identifier=self._msp_id, role=msp_principal_pb2.MSPRole.ADMIN)
        principal = msp_principal_pb2.MSPPrincipal(
            principal_classification=msp_principal_pb2.MSPPrincipal.ROLE, principal=role.SerializeToString()
        )
        if not config.msps.satisfies(admitted.creator, principal):
            raise AccessDenied(
                "ACCESS_DENIED",
                "Failed verifying that proposal's creator satisfies local MSP principal during channelless "
                f"check policy with policy [Admins]: [the identity is not an admin of {self._msp_id}]",
            )


class _NotDefined(ChaincodeError):
    """Nothing is defined under a name."""


_LIFECYCLE = "_lifecycle"


def _members(config: ChannelConfig) -> tuple[str, ...]:
    return tuple(sorted(organization.msp_id for organization in config.organizations))


def _definition_result(definition: Definition, approvals: dict[str, bool]) -> Any:
    return lifecycle_pb2.QueryChaincodeDefinitionResult(
        sequence=definition.sequence,
        version=definition.version,
        endorsement_plugin=definition.endorsement_plugin,
        validation_plugin=definition.validation_plugin,
        validation_parameter=definition.validation_parameter,
        collections=collection_pb2.CollectionConfigPackage.FromString(definition.collections),
        init_required=definition.init_required,
        approvals=approvals,
    )


def _failed(message: str) -> proposal_response_pb2.Response:
    return proposal_response_pb2.Response(status=common_pb2.INTERNAL_SERVER_ERROR, message=message)
