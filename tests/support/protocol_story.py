"""Calls of `protocol_chaincode` that bring every kind of request and answer about, and what they end in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fabric_gateway import Contract, GatewayError

OWN, OTHERS = "custodian-AlphaMSP", "custodian-BetaMSP"
_SECRET = {"value": b"a private value"}


@dataclass(frozen=True)
class Call:
    """One call by alpha's user.

    Attributes:
        function: its name on the wire; those of `writing` are submitted.
        arguments: as the client encodes them.
        transient: for the endorsers only.
        endorsers: MSP ids whose peers alone are asked; empty leaves it to the gateway.
        refused: whether it ends in an error.
    """

    function: str
    arguments: tuple[str, ...] = ()
    transient: Mapping[str, bytes] = field(default_factory=dict)
    endorsers: tuple[str, ...] = ()
    refused: bool = False


def _call(function: str, *arguments: Any, **options: Any) -> Call:
    encoded = tuple(item if isinstance(item, str) else json.dumps(item) for item in arguments)
    return Call(function, encoded, **options)


STORY = (
    _call("writing:put", "k", "v"),
    _call("writing:put", "none", "soon gone"),
    _call("writing:put_many", "many", 205),
    _call("writing:put_many", "most", 1200),
    _call("writing:change", "k", "w"),
    _call("writing:composite", "kind", ["a", "b"]),
    _call("writing:composite", "kind", ["a", "c"]),
    _call("writing:protect", "k", ["AlphaMSP"], ""),
    _call("reading:policy", "k", ""),
    _call("reading:policy", "none", ""),
    _call("writing:protect", "k", [], ""),
    _call("reading:get", "k"),
    _call("reading:get", "none"),
    _call("reading:get_many", ["k", "none", "many0001"]),
    _call("reading:get_at_once", ["k", "none", "many0001", "many0002"]),
    _call("reading:range", "many", "n"),
    _call("reading:range", "x", "y"),
    _call("reading:first", "many", "n"),
    _call("reading:page", "many", "n", 3, ""),
    _call("reading:page", "many", "n", 3, "many0003"),
    _call("reading:page", "x", "y", 3, ""),
    _call("reading:composite", "kind", ["a"]),
    _call("reading:composite_page", "kind", [], 1),
    _call("reading:history", "k"),
    _call("reading:history", "none"),
    _call("reading:query", '{"selector":{}}'),
    _call("writing:private", OWN, "p", transient=_SECRET, endorsers=("AlphaMSP",)),
    _call("writing:protect", "p", ["AlphaMSP"], OWN, endorsers=("AlphaMSP",)),
    _call("reading:private", OWN, "p"),
    _call("reading:private", OTHERS, "p"),
    _call("reading:private_range", OWN),
    _call("reading:private_query", OWN, '{"selector":{}}'),
    _call("reading:policy", "p", OWN),
    _call("writing:remove_private", OWN, "p", endorsers=("AlphaMSP",)),
    _call("writing:private", OWN, "q", transient=_SECRET, endorsers=("AlphaMSP",)),
    _call("writing:purge", OWN, "q", endorsers=("AlphaMSP",)),
    _call("writing:private", OTHERS, "p", transient=_SECRET, endorsers=("AlphaMSP",), refused=True),
    _call("writing:remove", "none"),
    _call("reading:proposal", transient={"first": b"1", "second": b"2"}),
    _call("reading:ask", "_lifecycle", ["QueryChaincodeDefinitions", ""], ""),
    _call("reading:ask", "nowhere", ["f"], ""),
    _call("reading:ask", "nowhere", ["f"], "elsewhere"),
    _call("reading:ask", "qscc", ["GetChainInfo", "testing"], ""),
    _call("reading:write", refused=True),
    _call("reading:unknown", refused=True),
    _call("reading:get", refused=True),
    _call("writing:after_page", refused=True),
    _call("writing:unknown_collection", refused=True),
    _call("writing:refuse", refused=True),
    _call("writing:fail", refused=True),
    _call("org.hyperledger.fabric:GetMetadata"),
)


def tell(contract: Contract) -> Iterator[str]:
    """Make all calls, one after the other; a sentence for each.

    Raises:
        AssertionError: a call did not end as it should.
    """
    for call in STORY:
        ended, refused = _made(contract, call)
        if refused != call.refused:
            raise AssertionError(f"{call} ended in {ended}")
        yield f"{call.function} {' '.join(call.arguments)[:60]}: {ended[:80]}"


def _made(contract: Contract, call: Call) -> tuple[str, bool]:
    make = contract.submit if call.function.startswith("writing:") else contract.evaluate
    options: dict[str, Any] = {"transient": call.transient, "endorsing_organizations": call.endorsers}
    try:
        return make(call.function, *call.arguments, **options).decode(), False
    except GatewayError as error:
        return f"{type(error).__name__}: {error}", True
