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


_APPROVE = "ApproveChaincodeDefinitionForMyOrg"
_COMMIT = "CommitChaincodeDefinition"


def lifecycle_errors(bench: Bench) -> None:
    """What `_lifecycle` refuses, to clients and to administrators."""
    for label, who, function, arguments in _REFUSALS:
        bench.lifecycle(label, who, function, getattr(lifecycle_pb2, f"{function}Args")(**arguments))
    bench.lifecycle_bytes("no such function", ADMIN, "Nothing", b"")
    bench.lifecycle_bytes("garbage", ADMIN, _COMMIT, b"\xff\xff")


_REFUSALS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("install by a client", ALPHA, "InstallChaincode", {}),
    ("install nothing", ADMIN, "InstallChaincode", {}),
    ("install garbage", ADMIN, "InstallChaincode", {"chaincode_install_package": b"garbage"}),
    ("approve by a client", ALPHA, _APPROVE, _definition()),
    ("approve a later sequence", ADMIN, _APPROVE, _definition(sequence=2)),
    ("approve sequence 0", ADMIN, _APPROVE, _definition(sequence=0)),
    ("approve a bad name", ADMIN, _APPROVE, _definition(name="bad name")),
    ("approve a bad version", ADMIN, _APPROVE, _definition(version="bad version")),
    ("approve a system name", ADMIN, _APPROVE, _definition(name="qscc")),
    ("approve a bad policy", ADMIN, _APPROVE, _definition(validation_parameter=b"\xff")),
    ("commit unapproved", ADMIN, _COMMIT, _definition()),
    ("commit by a client", ALPHA, _COMMIT, _definition()),
    ("readiness", ALPHA, "CheckCommitReadiness", _definition()),
    ("readiness of a later sequence", ALPHA, "CheckCommitReadiness", _definition(sequence=5)),
    ("query a missing definition", ALPHA, "QueryChaincodeDefinition", {"name": "planned"}),
    (
        "query approved of nothing",
        ADMIN,
        "QueryApprovedChaincodeDefinition",
        {"name": "planned", "sequence": 1},
    ),
    ("query a missing package", ADMIN, "QueryInstalledChaincode", {"package_id": "no:package"}),
    ("get a missing package", ADMIN, "GetInstalledChaincodePackage", {"package_id": "no:package"}),
    ("query installed by a client", ALPHA, "QueryInstalledChaincodes", {}),
)


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
