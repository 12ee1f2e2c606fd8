"""System chaincodes with arguments that are too few, too many, empty, or of nothing."""

from __future__ import annotations

from typing import Any

from fabric_protos.peer.lifecycle import lifecycle_pb2
from support.conformance.bench import Bench
from support.conformance.engines import ALPHA, BETA, CHAINCODE, CHANNEL
from support.conformance.second import POLICY

_NAME = CHANNEL.encode()
_ADMIN = f"{ALPHA} admin"


def ledger_queries(bench: Bench) -> None:
    """`qscc`."""
    known = bench.commit("known", [["put", "system/q", "1"]]).encode()
    for function in (
        b"GetChainInfo",
        b"GetBlockByNumber",
        b"GetBlockByHash",
        b"GetTransactionByID",
        b"GetBlockByTxID",
    ):
        name = function.decode()
        for label, given in {
            "no channel": [],
            "empty channel": [b""],
            "channel in capitals": [_NAME.upper()],
            "channel that is no UTF-8": [b"\xff", b"x"],
            "nothing asked": [_NAME],
            "empty": [_NAME, b""],
            "no UTF-8": [_NAME, b"\xff\xfe"],
            "one more": [_NAME, b"0", b"more"],
            "unknown channel, nothing asked": [b"elsewhere"],
        }.items():
            _call(bench, f"{name}, {label}", "qscc", [function, *given])
    for text in (
        b"-1",
        b"+1",
        b" 1",
        b"1 ",
        b"1.0",
        b"0x1",
        b"1_0",
        b"007",
        b"1e1",
        b"18446744073709551616",
        "1\u0661".encode(),
        b"9" * 30,
    ):
        _call(bench, f"block {text!r}", "qscc", [b"GetBlockByNumber", _NAME, text])
    for label, asked in {"in capitals": known.upper(), "one more": known + b"0"}.items():
        bench.names.transaction(asked.decode())
        _call(bench, f"transaction {label}", "qscc", [b"GetTransactionByID", _NAME, asked])
    for label, function in {"empty": b"", "in small letters": b"getchaininfo", "no UTF-8": b"\xff"}.items():
        _call(bench, f"function {label}", "qscc", [function, _NAME, b"0"])
    for label, channel in {"without a channel": "", "on another channel": "elsewhere"}.items():
        _call(bench, f"qscc {label}", "qscc", [b"GetChainInfo", _NAME], channel=channel)
    _call(bench, "asked by another", "qscc", [b"GetBlockByNumber", _NAME, b"-1"], who=BETA)
    for callee in ("qscc", "cscc", "_lifecycle", "lscc"):
        bench.prepare(f"called by chaincode: {callee}", [["call", callee, []]])


def channel_queries(bench: Bench) -> None:
    """`cscc`."""
    for who in (ALPHA, f"{BETA} admin"):
        _call(bench, f"join by a snapshot, {who}", "cscc", [b"JoinChainBySnapshot", b"/nowhere"], who=who)
    for channel in (CHANNEL, ""):
        for who in (ALPHA, _ADMIN, f"{BETA} admin"):
            for label, given in {
                "nothing": [],
                "empty function": [b""],
                "channels": [b"GetChannels"],
                "channels and more": [b"GetChannels", b"x"],
                "configuration of nothing": [b"GetConfigBlock"],
                "configuration of an empty name": [b"GetConfigBlock", b""],
                "configuration of another": [b"GetConfigBlock", b"elsewhere"],
                "config of nothing": [b"GetChannelConfig"],
                "config of an empty name": [b"GetChannelConfig", b""],
                "config of another": [b"GetChannelConfig", b"elsewhere"],
                "snapshot status": [b"JoinBySnapshotStatus"],
                "join nothing": [b"JoinChain"],
                "join an empty block": [b"JoinChain", b""],
                "join by an empty snapshot": [b"JoinChainBySnapshot", b""],
                "unknown": [b"Nothing", b"x"],
                "legacy": [b"GetConfigTree", _NAME],
                "simulate": [b"SimulateConfigTreeUpdate", _NAME, b"x"],
            }.items():
                where = "with a channel" if channel else "without"
                _call(bench, f"{label}, {where}, {who}", "cscc", given, who=who, channel=channel)


_FUNCTIONS = (
    "InstallChaincode",
    "QueryInstalledChaincode",
    "QueryInstalledChaincodes",
    "GetInstalledChaincodePackage",
    "ApproveChaincodeDefinitionForMyOrg",
    "QueryApprovedChaincodeDefinition",
    "QueryApprovedChaincodeDefinitions",
    "CheckCommitReadiness",
    "CommitChaincodeDefinition",
    "QueryChaincodeDefinition",
    "QueryChaincodeDefinitions",
)


def lifecycle_arguments(bench: Bench) -> None:
    """`_lifecycle`: every function with nothing, garbage, by others, elsewhere."""
    for function in _FUNCTIONS:
        name = function.encode()
        for label, given, who, channel in (
            ("alone", [name], _ADMIN, CHANNEL),
            ("empty", [name, b""], _ADMIN, CHANNEL),
            ("garbage", [name, b"\xff\xff"], _ADMIN, CHANNEL),
            ("one more", [name, b"", b""], _ADMIN, CHANNEL),
            ("by a client", [name, b""], ALPHA, CHANNEL),
            ("by another's administrator", [name, b""], f"{BETA} admin", CHANNEL),
            ("without a channel", [name, b""], _ADMIN, ""),
            ("without a channel, by a client", [name, b""], ALPHA, ""),
            ("on another channel", [name, b""], _ADMIN, "elsewhere"),
        ):
            _call(bench, f"{function} {label}", "_lifecycle", given, who=who, channel=channel)
    _call(bench, "no argument", "_lifecycle", [], who=_ADMIN)
    _call(bench, "empty function", "_lifecycle", [b"", b""], who=_ADMIN)
    for function, label, fields in _DEFINITIONS:
        message = getattr(lifecycle_pb2, f"{function}Args")(**fields)
        bench.lifecycle(f"{function}: {label}", _ADMIN, function, message)


def _definition(**fields: Any) -> dict[str, Any]:
    return {"name": "argued", "version": "1", "sequence": 1, "validation_parameter": POLICY, **fields}


_ODD: dict[str, dict[str, Any]] = {
    "no name": {"name": ""},
    "a dot in the name": {"name": "a.b"},
    "a dash at the end": {"name": "a-"},
    "no version": {"version": ""},
    "a slash in the version": {"version": "1/2"},
    "negative sequence": {"sequence": -1},
    "largest sequence": {"sequence": 2**63 - 1},
    "an unknown endorsement plugin": {"endorsement_plugin": "nothing"},
    "an unknown validation plugin": {"validation_plugin": "nothing"},
    "no policy": {"validation_parameter": b""},
    "initialization": {"init_required": True},
    "name of a committed one": {"name": CHAINCODE},
    "next of a committed one": {"name": CHAINCODE, "sequence": 2},
    "legacy name": {"name": "lscc"},
    "own name": {"name": "_lifecycle"},
}
_DEFINITIONS = tuple(
    (function, label, _definition(**fields))
    for label, fields in _ODD.items()
    for function in (
        "CheckCommitReadiness",
        "ApproveChaincodeDefinitionForMyOrg",
        "CommitChaincodeDefinition",
    )
) + tuple(
    (function, label, fields)
    for function in ("QueryApprovedChaincodeDefinition", "QueryChaincodeDefinition")
    for label, fields in {
        "a name": {"name": CHAINCODE},
        "an unknown name": {"name": "nowhere"},
        "a bad name": {"name": "a b"},
        **(
            {
                "sequence": {"name": CHAINCODE, "sequence": 1},
                "a later sequence": {"name": CHAINCODE, "sequence": 9},
                "a negative sequence": {"name": CHAINCODE, "sequence": -1},
            }
            if function.startswith("QueryApproved")
            else {}
        ),
    }.items()
)


def _call(
    bench: Bench, label: str, chaincode: str, given: list[bytes], who: str = ALPHA, channel: str = CHANNEL
) -> None:
    proposal = bench.named(bench.clients[who].propose(channel, chaincode, given))
    answers = bench.endorse(label, proposal, who=who)
    if answers and answers[0].response.status == 200:
        # Payloads of system chaincodes are hashes and certificates.
        answer = answers[0]
        seen = [
            answer.response.message,
            bool(answer.response.payload),
            bool(answer.payload),
            bool(answer.endorsement.signature),
        ]
        bench.observed[label] = ["good", answer.version, *seen]


SCENARIOS = (ledger_queries, channel_queries, lifecycle_arguments)
