"""A function with its approval and a run of it, with fixed digests."""

from __future__ import annotations

from typing import Any

from support.ledger_examples import END, RIVERSIDE, START, commitment, digest, identifier

from consentry_records import FunctionOutput, NewFunction, NewFunctionApproval


def new_function(**changes: Any) -> NewFunction:
    """A function that gives a model's update and metrics out."""
    outputs = (
        FunctionOutput(name="update", kind="arrays", maximum_bytes=4096),
        FunctionOutput(name="metrics", kind="metrics", maximum_bytes=1024),
    )
    return NewFunction(**{"code_digest": digest("function"), "outputs": outputs, **changes})


def new_approval(revision: int = 1, **changes: Any) -> NewFunctionApproval:
    """Approval of Riverside's function for version 1."""
    fields: dict[str, Any] = {
        "owner": RIVERSIDE,
        "code_digest": digest("function"),
        "revision": revision,
        "versions": (identifier("version", 1),),
        "purposes": ("DUO:0000006",),
        "not_before": START,
        "not_after": END,
    }
    return NewFunctionApproval(**{**fields, **changes})


def computation(**changes: Any) -> dict[str, Any]:
    """A run of that function, and what left."""
    update = {"name": "update", "kind": "arrays", "byte_count": 128, "digest": commitment("update")}
    metrics = {"name": "metrics", "kind": "metrics", "byte_count": 16, "digest": commitment("metrics")}
    fields = {
        "parameters_digest": digest("parameters"),
        "environment_digest": digest("environment"),
        "outputs": [update, metrics],
    }
    return {**fields, **changes}
