"""State: writes and reads, ranges, phantoms, conflicts inside a block, key-level policies, events."""

from __future__ import annotations

from typing import Any

from support.conformance.bench import BOTH, Bench
from support.conformance.engines import ALPHA, BETA


def values(bench: Bench) -> None:
    """Put, get, delete; own writes are not read; odd keys and values."""
    bench.commit("put", [["put", "values/a", "1"], ["get", "values/a"], ["put", "values/a", "2"]])
    bench.commit(
        "overwrite and delete", [["get", "values/a"], ["put", "values/b", "3"], ["delete", "values/a"]]
    )
    bench.commit("delete what is not there", [["delete", "values/nothing"]])
    bench.commit(
        "names", [["put", "values/ä€😀", "ü"], ["put", "values/ ", " "], ["put", "values/\u0001", "\n"]]
    )
    bench.commit("read only", [["get", "values/b"], ["get", "values/missing"]])
    bench.commit("nothing at all", [])
    bench.evaluate("many", [["get_many", "values/b", "values/a", "values/b", "values/ä€😀"]])
    bench.commit("many writes", [["put_many", "values/n", 40], ["get", "values/n0001"]])
    bench.commit("history", [["history", "values/a"]])
    bench.commit("history of nothing", [["history", "values/never"]])
    bench.commit("by both", [["put", "values/b", "4"]], who=BETA)
    bench.new_blocks("blocks")


def ranges(bench: Bench) -> None:
    """Range queries, short and long, whole and left early; pages; composite keys."""
    bench.commit("fill", [["put_many", "ranges/k", 130]])
    bench.commit("all", [["range", "ranges/k", "ranges/l"]])
    bench.commit("bounds", [["range", "ranges/k0003", "ranges/k0006"]])
    bench.commit("left early", [["range", "ranges/k", "ranges/l", 5]])
    bench.commit("left at the page's end", [["range", "ranges/k", "ranges/l", 100]])
    bench.commit("empty", [["range", "ranges/x", "ranges/y"]])
    bench.commit("upside down", [["range", "ranges/l", "ranges/k"]])
    bench.commit("own writes are not seen", [["put", "ranges/k9", "x"], ["range", "ranges/k012", "ranges/l"]])
    bench.commit("a short one", [["range", "ranges/k000", "ranges/k001"], ["get", "ranges/k0001"]])
    bench.evaluate("page", [["page", "ranges/k", "ranges/l", 3]])
    bench.evaluate("next page", [["page", "ranges/k", "ranges/l", 3, "ranges/k0003"]])
    bench.evaluate("last page", [["page", "ranges/k0128", "ranges/l", 10]])
    bench.evaluate("empty page", [["page", "ranges/x", "ranges/y", 3]])
    bench.commit("a page in a submission", [["page", "ranges/k", "ranges/l", 2]])
    bench.prepare("a write after a page", [["page", "ranges/k", "ranges/l", 2], ["put", "ranges/z", "1"]])
    bench.commit("composite", [["put_composite", "ranges", "a", "1"], ["put_composite", "ranges", "a", "2"]])
    bench.commit(
        "partial composite", [["composite", "ranges", "a"], ["composite", "ranges"], ["composite", "none"]]
    )
    bench.evaluate("rich query", [["query", '{"selector":{}}']])
    bench.new_blocks("blocks")


def phantoms(bench: Bench) -> None:
    """A range that changed between endorsement and commit."""
    bench.commit("fill", [["put_many", "phantoms/k", 3]])
    reading = [["range", "phantoms/k", "phantoms/l"], ["put", "phantoms/seen", "x"]]
    for label, change in {
        "inserted": [["put", "phantoms/k0001x", "1"]],
        "deleted": [["delete", "phantoms/k0001x"]],
        "changed": [["put", "phantoms/k0000", "9"]],
        "elsewhere": [["put", "phantoms/m", "1"]],
    }.items():
        waiting = bench.prepare(f"{label}: reader", reading)
        bench.commit(f"{label}: change", change)
        bench.submit(f"{label}: reader", waiting)
    bench.commit("fill long", [["put_many", "phantoms/m", 120]])
    waiting = bench.prepare(
        "long: reader", [["range", "phantoms/m", "phantoms/n"], ["put", "phantoms/seen", "y"]]
    )
    bench.commit("long: change", [["delete", "phantoms/m0099"]])
    bench.submit("long: reader", waiting)
    bench.new_blocks("blocks")


def conflicts(bench: Bench) -> None:
    """Reads that were overtaken, across blocks and inside one."""
    bench.commit("fill", [["put", "conflicts/n", "0"], ["put", "conflicts/other", "0"]])
    adding: list[Any] = [["add", "conflicts/n"]]
    bench.together("the same read twice", [bench.prepare("first", adding), bench.prepare("second", adding)])
    waiting = bench.prepare("overtaken", adding)
    bench.commit("overtaking", adding)
    bench.submit("overtaken", waiting)
    blind = [
        bench.prepare(f"blind {number}", [["put", "conflicts/blind", str(number)]]) for number in range(3)
    ]
    bench.together("blind writes", blind)
    bench.together(
        "missing key",
        [
            bench.prepare("reads missing", [["add", "conflicts/new"]]),
            bench.prepare("creates", [["put", "conflicts/new", "7"]]),
        ],
    )
    bench.together(
        "range and insertion",
        [
            bench.prepare("inserts", [["put", "conflicts/r1", "1"]]),
            bench.prepare(
                "ranges", [["range", "conflicts/r", "conflicts/s"], ["put", "conflicts/seen", "1"]]
            ),
        ],
    )
    bench.together(
        "deletion and reading",
        [
            bench.prepare("deletes", [["delete", "conflicts/other"]]),
            bench.prepare("reads deleted", [["add", "conflicts/other"]]),
        ],
    )
    bench.new_blocks("blocks")


def key_policies(bench: Bench) -> None:
    """Key-level endorsement: set, used, changed, removed, used in the block that changes it."""
    bench.commit("put", [["put", "policies/k", "1"], ["policy", "policies/k", [BETA]]])
    bench.evaluate("get", [["get_policy", "policies/k"], ["get_policy", "policies/none"]])
    bench.commit("wrong endorser", [["put", "policies/k", "2"]], endorsers=[ALPHA])
    bench.commit("right endorser", [["put", "policies/k", "3"]], endorsers=[BETA])
    bench.commit("found out", [["put", "policies/k", "4"]])
    bench.commit("of a missing key", [["policy", "policies/missing", [ALPHA]]])
    bench.commit("both", [["policy", "policies/k", [ALPHA, BETA]]])
    changing = bench.prepare("changes", [["policy", "policies/k", [ALPHA]]])
    using = bench.prepare("uses", [["put", "policies/k", "5"]])
    bench.together("in one block", [changing, using])
    bench.commit("removed", [["policy", "policies/k", []]], endorsers=[ALPHA, BETA])
    bench.commit("after removal", [["put", "policies/k", "6"]])
    bench.commit("deleted", [["policy", "policies/k", [BETA]], ["delete", "policies/k"]])
    bench.new_blocks("blocks")


def endorsement_policy(bench: Bench) -> None:
    """Too few endorsements, endorsements of others, two that differ."""
    proposal = bench.proposal([["put", "endorsement/k", "1"]])
    answers = bench.endorse("both", proposal, at=BOTH)
    bench.submit("one of two", bench.assembled(proposal, answers[:1]))
    proposal = bench.proposal([["put", "endorsement/k", "2"]])
    answers = bench.endorse("both again", proposal, at=BOTH)
    bench.submit("other order", bench.assembled(proposal, answers[::-1]))
    proposal = bench.proposal([["put", "endorsement/k", "3"]])
    answers = bench.endorse("a third time", proposal, at=BOTH)
    answers[1].endorsement.signature = answers[0].endorsement.signature
    bench.submit("a signature of another", bench.assembled(proposal, answers))
    bench.commit("asked for one", [["put", "endorsement/k", "4"]], endorsers=[BETA])
    bench.new_blocks("blocks")


def events(bench: Bench) -> None:
    """Chaincode events: one a transaction, the last one; of valid transactions only, in order."""
    bench.commit("one", [["event", "first", "payload"], ["put", "events/k", "1"]])
    bench.commit("two in one", [["event", "lost", "x"], ["event", "kept", ""]])
    bench.commit("none", [["put", "events/k", "2"]])
    bench.commit("of an invalid one", [["event", "never", "x"], ["put", "events/k", "3"]], endorsers=[ALPHA])
    bench.prepare("of a failed one", [["event", "never", "x"], ["fail", 500, "no"]])
    bench.prepare("without a name", [["event", "", "x"]])
    bench.commit("the last", [["event", "end", "ä"]])
    bench.chaincode_events("stream", until="end")
    bench.filtered_blocks("filtered")


SCENARIOS = (values, ranges, phantoms, conflicts, key_policies, endorsement_policy, events)
