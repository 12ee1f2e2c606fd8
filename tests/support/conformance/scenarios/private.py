"""Private data: members and others, hashes, deletion and purge, conflicts, policies."""

from __future__ import annotations

from support.conformance.bench import BOTH, Bench
from support.conformance.engines import ALPHA, BETA

OWN, OTHER, SHARED = f"own-{ALPHA}", f"own-{BETA}", "shared"
IMPLICIT = f"_implicit_org_{ALPHA}"
VALUE = {"value": b"a private value"}


def collections(bench: Bench) -> None:
    """Writes and reads in closed, open and implicit collections, by members and by others."""
    bench.commit("put", [["put_transient", OWN, "k", "value"]], transient=VALUE, endorsers=[ALPHA])
    bench.evaluate("member reads", [["get_private", OWN, "k"], ["get_private", OWN, "none"]])
    bench.evaluate(
        "member reads the hash", [["get_private_hash", OWN, "k"], ["get_private_hash", OWN, "none"]]
    )
    bench.evaluate("other reads the hash", [["get_private_hash", OWN, "k"]], who=BETA)
    bench.evaluate("other reads", [["get_private", OWN, "k"]], who=BETA)
    bench.evaluate("other reads at the member's peer", [["get_private", OWN, "k"]], who=BETA, targets=[ALPHA])
    bench.endorse(
        "other writes", bench.proposal([["put_private", OWN, "k", "x"]], who=BETA), who=BETA, at=BOTH
    )
    bench.commit("shared", [["put_private", SHARED, "s", "1"], ["get_private", SHARED, "s"]])
    bench.evaluate("shared is read by both", [["get_private", SHARED, "s"]], who=BETA)
    bench.commit("implicit", [["put_private", IMPLICIT, "i", "1"]], endorsers=[ALPHA])
    bench.evaluate("implicit is read by anybody", [["get_private", IMPLICIT, "i"]], who=BETA, targets=[ALPHA])
    bench.evaluate("missing collection", [["get_private", "nowhere", "k"]])
    bench.evaluate("bad name", [["get_private", "no where", "k"]])
    bench.prepare("write to a missing collection", [["put_private", "nowhere", "k", "x"]])
    bench.commit("own policy", [["put_transient", OWN, "p", "value"]], transient=VALUE, endorsers=[BETA])
    bench.new_blocks("blocks")


def private_changes(bench: Bench) -> None:
    """Deletion, purge, ranges, conflicts and policies of private keys."""
    bench.commit("fill", [["put_private", SHARED, f"c{number}", "1"] for number in range(3)])
    bench.evaluate("range", [["private_range", SHARED, "c", "d"]])
    bench.prepare("write after a range", [["private_range", SHARED, "c", "d"], ["put", "private/x", "1"]])
    bench.commit("range alone", [["private_range", SHARED, "c", "d"]])
    waiting = bench.prepare("overtaken", [["get_private", SHARED, "c0"], ["put_private", SHARED, "c1", "2"]])
    bench.commit("overtaking", [["put_private", SHARED, "c0", "2"]])
    bench.submit("overtaken", waiting)
    waiting = bench.prepare("hash reader", [["get_private_hash", SHARED, "c0"], ["put", "private/x", "1"]])
    bench.commit("delete", [["delete_private", SHARED, "c0"]])
    bench.submit("hash reader", waiting)
    bench.evaluate("deleted", [["get_private", SHARED, "c0"], ["get_private_hash", SHARED, "c0"]])
    bench.commit("delete again", [["delete_private", SHARED, "c0"]])
    bench.commit("purge", [["purge", SHARED, "c1"]])
    bench.evaluate("purged", [["get_private", SHARED, "c1"], ["get_private_hash", SHARED, "c1"]])
    bench.commit("purge again", [["purge", SHARED, "c1"]])
    bench.commit("purge what never was", [["purge", SHARED, "never"]])
    bench.commit("write after a purge", [["put_private", SHARED, "c1", "3"], ["get_private", SHARED, "c1"]])
    bench.commit("policy", [["policy", "c2", [BETA], SHARED]])
    bench.evaluate("get policy", [["get_policy", "c2", SHARED]])
    bench.commit("against it", [["put_private", SHARED, "c2", "2"]], endorsers=[ALPHA])
    bench.commit("with it", [["put_private", SHARED, "c2", "3"]], endorsers=[BETA])
    bench.new_blocks("blocks")


def transient_data(bench: Bench) -> None:
    """Transient data reach the chaincode and stay out of the transaction."""
    bench.commit("names", [["transient"]], transient={"b": b"1", "a": b"2"})
    bench.commit("none", [["transient"]])
    bench.new_blocks("blocks")


SCENARIOS = (collections, private_changes, transient_data)
