"""Functions that come to the data: registered by their digest, approved by each custodian for its own data
(EHDS Art. 73: processing in a secure environment).

The ledger has a function's digest and what it declares to give out, never its source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from .errors import LedgerError
from .kinds import (
    ACTOR,
    DIGEST,
    INSTANT,
    KEYED_DIGEST,
    METRIC_NAME,
    MSP_ID,
    Choice,
    Integer,
    Many,
    Text,
    identifier,
)
from .record import Nested, Record
from .request import MAXIMUM_VERSIONS
from .vocabulary import PURPOSES

ARRAYS = "arrays"
METRICS = "metrics"
APPROVED = "approved"
REVOKED = "revoked"
MAXIMUM_OUTPUTS = 16
MAXIMUM_OUTPUT_BYTES = 2**30
MAXIMUM_REVISIONS = 1_000_000
OUTPUT_KINDS: Mapping[str, str] = MappingProxyType(
    {
        ARRAYS: "arrays of numbers by name, such as a model's update",
        METRICS: "numbers by name, in tables at most four deep, at most 256",
    }
)
"""What an output can be."""
OUTPUT_NAME = Text(METRIC_NAME, "a name of 1 to 64 lower-case letters, digits, '_' or '-'")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOutput(Record):
    """One output that a function declares, and the most bytes that it may have."""

    name: Annotated[str, OUTPUT_NAME]
    kind: Annotated[str, Choice(OUTPUT_KINDS)]
    maximum_bytes: Annotated[int, Integer(1, MAXIMUM_OUTPUT_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionName(Record):
    """Names a function (argument of `functions:get` and `functions:revoke`): whose, and which source."""

    owner: Annotated[str, MSP_ID]
    code_digest: Annotated[str, DIGEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFunction(Record):
    """A function as a researcher registers it (argument of `functions:register`): SHA-256 of its source file
    and all that it gives out.
    """

    code_digest: Annotated[str, DIGEST]
    outputs: Annotated[tuple[FunctionOutput, ...], Many(Nested(FunctionOutput), 1, MAXIMUM_OUTPUTS)]

    def check(self) -> None:
        """No output comes twice; raises LedgerError ID_DOUBLED."""
        seen: set[str] = set()
        for output in self.outputs:
            if output.name in seen:
                raise LedgerError("ID_DOUBLED", {"what": "output", "id": output.name})
            seen.add(output.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(NewFunction):
    """A function on the ledger, key `function/{owner}/{digest}`, never rewritten; `owner` is the researcher's
    organization, which alone can use it.
    """

    owner: Annotated[str, MSP_ID]
    registered_by: Annotated[str, ACTOR]
    registered_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.function/1",))] = "consentry.function/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFunctionApproval(Record):
    """An approval as a custodian submits it (argument of `functions:approve`): the function may run on these
    versions of its own, for these purposes, over [not_before, not_after).

    `revision` counts a custodian's approvals of the function from 1; a later one replaces the one before.
    """

    owner: Annotated[str, MSP_ID]
    code_digest: Annotated[str, DIGEST]
    revision: Annotated[int, Integer(1, MAXIMUM_REVISIONS)]
    versions: Annotated[tuple[str, ...], Many(identifier("version"), 1, MAXIMUM_VERSIONS)]
    purposes: Annotated[tuple[str, ...], Many(Choice(PURPOSES), 1, 16)]
    not_before: Annotated[str, INSTANT]
    not_after: Annotated[str, INSTANT]

    def check(self) -> None:
        """The period is not empty; raises LedgerError PERIOD_INVALID."""
        if self.not_before >= self.not_after:
            raise LedgerError("PERIOD_INVALID", {"record": type(self).__name__})


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionApproval(NewFunctionApproval):
    """An approval on the ledger, key `function-approval/{custodian}/{owner}/{digest}`, under its custodian's
    key-level policy; `changed_by` approved or revoked it last.
    """

    custodian: Annotated[str, MSP_ID]
    state: Annotated[str, Choice((APPROVED, REVOKED))]
    changed_by: Annotated[str, ACTOR]
    changed_at: Annotated[str, INSTANT]
    schema: Annotated[str, Choice(("consentry.functionapproval/1",))] = "consentry.functionapproval/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedOutput(Record):
    """An output that left the custodian; `digest` is keyed with a key of the attempt that its recipient gets
    with it, for what is small could be guessed from a bare hash.
    """

    name: Annotated[str, OUTPUT_NAME]
    kind: Annotated[str, Choice(OUTPUT_KINDS)]
    byte_count: Annotated[int, Integer(1, MAXIMUM_OUTPUT_BYTES)]
    digest: Annotated[str, KEYED_DIGEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation(Record):
    """What a function's run was beside its rows: digests of its parameters and of the Python that it ran in,
    and what left.
    """

    parameters_digest: Annotated[str, DIGEST]
    environment_digest: Annotated[str, DIGEST]
    outputs: Annotated[tuple[ComputedOutput, ...], Many(Nested(ComputedOutput), 0, MAXIMUM_OUTPUTS)]

    def answers(self, function: NewFunction) -> bool:
        """Whether nothing left, or exactly what the function declares."""
        declared = {output.name: output for output in function.outputs}
        left = {output.name: output for output in self.outputs}
        return not self.outputs or (
            len(left) == len(self.outputs) == len(declared)
            and all(
                name in declared
                and output.kind == declared[name].kind
                and output.byte_count <= declared[name].maximum_bytes
                for name, output in left.items()
            )
        )
