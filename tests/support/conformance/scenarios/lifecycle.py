"""Chaincode lifecycle: packages, approvals, definitions, and every way to get them wrong."""

from __future__ import annotations

from typing import Any

from fabric_protos.peer.lifecycle import lifecycle_pb2
from support.conformance.bench import Bench
from support.conformance.engines import ALPHA, BETA
from support.conformance.second import POLICY

ADMIN = f"{ALPHA} admin"


def _definition(**fields: Any) -> dict[str, Any]:
    return {"name": "planned", "version": "1", "sequence": 1, "validation_parameter": POLICY, **fields}


def lifecycle_errors(bench: Bench) -> None:
    """What `_lifecycle` refuses, to clients and to administrators."""
    approve = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs
    commit = lifecycle_pb2.CommitChaincodeDefinitionArgs
    for label, who, function, message in (
        ("install by a client", ALPHA, "InstallChaincode", lifecycle_pb2.InstallChaincodeArgs()),
        ("install nothing", ADMIN, "InstallChaincode", lifecycle_pb2.InstallChaincodeArgs()),
        (
            "install garbage",
            ADMIN,
            "InstallChaincode",
            lifecycle_pb2.InstallChaincodeArgs(chaincode_install_package=b"garbage"),
        ),
        ("approve by a client", ALPHA, "ApproveChaincodeDefinitionForMyOrg", approve(**_definition())),
        (
            "approve a later sequence",
            ADMIN,
            "ApproveChaincodeDefinitionForMyOrg",
            approve(**_definition(sequence=2)),
        ),
        (
            "approve sequence 0",
            ADMIN,
            "ApproveChaincodeDefinitionForMyOrg",
            approve(**_definition(sequence=0)),
        ),
        (
            "approve a bad name",
            ADMIN,
            "ApproveChaincodeDefinitionForMyOrg",
            approve(**_definition(name="bad name")),
        ),
        (
            "approve a bad version",
            ADMIN,
            "ApproveChaincodeDefinitionForMyOrg",
            approve(**_definition(version="bad version")),
        ),
        (
            "approve a system name",
            ADMIN,
            "ApproveChaincodeDefinitionForMyOrg",
            approve(**_definition(name="qscc")),
        ),
        (
            "approve a bad policy",
            ADMIN,
            "ApproveChaincodeDefinitionForMyOrg",
            approve(**_definition(validation_parameter=b"\xff")),
        ),
        ("commit unapproved", ADMIN, "CommitChaincodeDefinition", commit(**_definition())),
        ("commit by a client", ALPHA, "CommitChaincodeDefinition", commit(**_definition())),
        (
            "readiness",
            ALPHA,
            "CheckCommitReadiness",
            lifecycle_pb2.CheckCommitReadinessArgs(**_definition()),
        ),
        (
            "readiness of a later sequence",
            ALPHA,
            "CheckCommitReadiness",
            lifecycle_pb2.CheckCommitReadinessArgs(**_definition(sequence=5)),
        ),
        (
            "query a missing definition",
            ALPHA,
            "QueryChaincodeDefinition",
            lifecycle_pb2.QueryChaincodeDefinitionArgs(name="planned"),
        ),
        (
            "query approved of nothing",
            ADMIN,
            "QueryApprovedChaincodeDefinition",
            lifecycle_pb2.QueryApprovedChaincodeDefinitionArgs(name="planned", sequence=1),
        ),
        (
            "query a missing package",
            ADMIN,
            "QueryInstalledChaincode",
            lifecycle_pb2.QueryInstalledChaincodeArgs(package_id="no:package"),
        ),
        (
            "get a missing package",
            ADMIN,
            "GetInstalledChaincodePackage",
            lifecycle_pb2.GetInstalledChaincodePackageArgs(package_id="no:package"),
        ),
        (
            "query installed by a client",
            ALPHA,
            "QueryInstalledChaincodes",
            lifecycle_pb2.QueryInstalledChaincodesArgs(),
        ),
    ):
        bench.lifecycle(label, who, function, message)
    bench.lifecycle_bytes("no such function", ADMIN, "Nothing", b"")
    bench.lifecycle_bytes("garbage", ADMIN, "CommitChaincodeDefinition", b"\xff\xff")


def approvals(bench: Bench) -> None:
    """A definition is approved, asked about, approved again, and committed."""
    approve = lifecycle_pb2.ApproveChaincodeDefinitionForMyOrgArgs(**_definition(name="agreed"))
    bench.approve("alpha approves", ALPHA, approve)
    bench.approve("again, unchanged", ALPHA, approve)
    readiness = lifecycle_pb2.CheckCommitReadinessArgs(**_definition(name="agreed"))
    bench.lifecycle("ready?", ALPHA, "CheckCommitReadiness", readiness)
    other = lifecycle_pb2.CheckCommitReadinessArgs(**_definition(name="agreed", version="2"))
    bench.lifecycle("ready with another version?", ALPHA, "CheckCommitReadiness", other)
    commit = lifecycle_pb2.CommitChaincodeDefinitionArgs(**_definition(name="agreed"))
    bench.lifecycle("too early", ADMIN, "CommitChaincodeDefinition", commit, at=(ALPHA, BETA))
    bench.approve("beta approves", BETA, approve)
    bench.commit_definition("committed", commit)
    query = lifecycle_pb2.QueryChaincodeDefinitionArgs(name="agreed")
    bench.lifecycle("query", ALPHA, "QueryChaincodeDefinition", query)
    bench.lifecycle("committed twice", ADMIN, "CommitChaincodeDefinition", commit, at=(ALPHA, BETA))
    bench.approve("approved after commit", ALPHA, approve)
    bench.evaluate("no package", [["get", "k"]], chaincode="agreed")
    bench.new_blocks("blocks")


SCENARIOS = (lifecycle_errors, approvals)
