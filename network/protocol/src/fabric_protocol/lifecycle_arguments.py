"""What administrators say to `_lifecycle` about the chaincode of a topology.

Every organization builds these bytes alike, for approvals are compared byte by byte.

Source: fabric-behaviour §12 (`peer/lifecycle/lifecycle.proto`).
"""

from typing import Any

from fabric_protos.peer import collection_pb2
from fabric_protos.peer.lifecycle import lifecycle_pb2

from fabric_protocol.collections import collection_package
from fabric_protocol.definitions import Definition
from fabric_protocol.topology import ChaincodeDefinition


def wanted_definition(chaincode: ChaincodeDefinition) -> Definition:
    """The definition that a topology asks for."""
    collections = collection_package([item.collection() for item in chaincode.collections])
    return Definition(
        name=chaincode.name,
        sequence=chaincode.sequence,
        version=chaincode.version,
        validation_parameter=chaincode.validation_parameter(),
        collections=collections.SerializeToString(deterministic=True),
    )


def approval_arguments(definition: Definition, package_id: str) -> Any:
    """ApproveChaincodeDefinitionForMyOrgArgs, for an organization whose peers installed `package_id`."""
    arguments = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(
        name=definition.name, **definition_fields(definition)
    )
    arguments.source.local_package.package_id = package_id
    return arguments


def readiness_arguments(definition: Definition) -> Any:
    """CheckCommitReadinessArgs: who has approved this definition."""
    return lifecycle_pb2.CheckCommitReadinessArgs(name=definition.name, **definition_fields(definition))


def commit_arguments(definition: Definition) -> Any:
    """CommitChaincodeDefinitionArgs."""
    return lifecycle_pb2.CommitChaincodeDefinitionArgs(name=definition.name, **definition_fields(definition))


def definition_fields(definition: Definition) -> dict[str, Any]:
    """Fields that all messages about a definition have in common; its name is not among them."""
    return {
        "sequence": definition.sequence,
        "version": definition.version,
        "endorsement_plugin": definition.endorsement_plugin,
        "validation_plugin": definition.validation_plugin,
        "validation_parameter": definition.validation_parameter,
        "collections": collection_pb2.CollectionConfigPackage.FromString(definition.collections),
        "init_required": definition.init_required,
    }
