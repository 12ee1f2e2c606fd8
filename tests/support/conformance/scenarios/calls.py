"""Chaincode that calls chaincode: itself, a missing one, a second one, a system one, other channels."""

from __future__ import annotations

from support.conformance.bench import Bench
from support.conformance.engines import ALPHA, CHAINCODE, CHANNEL


def calls(bench: Bench) -> None:
    """Calls that fail or reach no second chaincode."""
    bench.prepare("itself", [["call", CHAINCODE, [["get", "k"]]]])
    bench.prepare("a missing one", [["call", "nowhere", [["get", "k"]]]])
    bench.prepare("another channel", [["call", CHAINCODE, [["get", "k"]], "elsewhere"]])
    bench.prepare("an empty name", [["call", "", []]])


def second_chaincode(bench: Bench) -> None:
    """A chaincode that was deployed beside the first: its reads and writes join the transaction."""
    second = bench.deployed("second")
    bench.commit("writes", [["put", "a", "1"], ["event", "own", "x"]], chaincode=second)
    bench.commit("call", [["call", second, [["get", "a"], ["put", "b", "2"]]], ["put", "calls/x", "1"]])
    bench.commit("its event is dropped", [["call", second, [["event", "callee", "x"]]]])
    bench.commit("own event stays", [["event", "caller", "y"], ["call", second, [["event", "callee", "x"]]]])
    bench.prepare("it fails", [["call", second, [["fail", 404, "not here"]]]])
    bench.prepare("it crashes", [["call", second, [["crash"]]]])
    bench.commit("two calls", [["call", second, [["put", "c", "1"]]], ["call", second, [["get", "c"]]]])
    bench.commit("back and forth", [["call", second, [["call", CHAINCODE, [["get", "calls/x"]]]]]])
    bench.commit("the same channel by name", [["call", second, [["get", "b"]], CHANNEL]])
    bench.commit("its policy counts too", [["call", second, [["put", "d", "1"]]]], endorsers=[ALPHA])
    bench.new_blocks("blocks")


SCENARIOS = (calls, second_chaincode)
