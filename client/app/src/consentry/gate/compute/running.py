"""One run of a function under a permit: what it is given is noted first, what it gives is recorded first."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from consentry.gate import row_blocks
from consentry.gate.compute.outputs import Declared, read_outputs
from consentry.gate.compute.sandbox import Order, Run, Sandbox
from consentry.gate.consented_pieces import ConsentedPieces
from consentry.gate.delivering import Parts, Tally
from consentry.gate.journal import NotedDelivery, NotedPiece
from consentry.gate.permits import Permit
from consentry_records.delivery import NewDelivery
from consentry_records.digest import HMAC_SHA256_PREFIX
from consentry_records.function import (
    MAXIMUM_OUTPUT_BYTES,
    Computation,
    ComputedOutput,
    NewFunction,
)
from consentry_records.instants import format_instant

if TYPE_CHECKING:
    from consentry.gate.compute.attending import AttendedRun

_KEY_LABEL = b"consentry/outputs/1"


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """What a caller sends: the function's source, and its parameters as JSON values with their digest."""

    source: str
    parameters: dict[str, Any]
    parameters_digest: str


def output_key(secret: bytes, attempt_id: str) -> bytes:
    """Return the key (32 bytes) of an attempt's outputs; it tells nothing of the dataset's secret."""
    return hmac.digest(secret, _KEY_LABEL + attempt_id.encode(), "sha256")


def output_digest(key: bytes, name: str, data: bytes) -> str:
    """Return the keyed digest of an output: HMAC-SHA-256 over its name, a zero byte and its bytes."""
    return HMAC_SHA256_PREFIX + hmac.digest(key, name.encode() + b"\x00" + data, "sha256").hex()


class FunctionRun:
    """A function's run on one version's consented rows; `outputs` are its outputs once it is completed.

    `attended` is who follows it, once it is going.
    """

    def __init__(
        self,
        parts: Parts,
        permit: Permit,
        consented: ConsentedPieces,
        secret: bytes,
        noted: NotedDelivery,
        columns: Sequence[str],
        sandbox: Sandbox,
        function: NewFunction,
        call: FunctionCall,
    ) -> None:
        """Prepare it; `columns` of the data are those that the function gets, `secret` is the dataset's."""
        self._parts = parts
        self.permit = permit
        self._consented = consented
        self._columns = list(columns)
        self._tally = Tally(secret)
        self.key = output_key(secret, noted.attempt_id)
        self.function = function
        self._declared = {o.name: Declared(o.kind, o.maximum_bytes) for o in function.outputs}
        self._computation = Computation(
            parameters_digest=call.parameters_digest,
            environment_digest=sandbox.environment.digest,
            outputs=(),
        )
        self.parameters_digest = call.parameters_digest
        self.attended: AttendedRun | None = None
        self._noted = replace(noted, computation=self._computation.to_bytes().decode())
        self.outputs: dict[str, bytes] = {}
        self.row_count = consented.pieces.index.rows
        stored = consented.pieces.schema()
        self._schema = pa.schema([stored.field(name) for name in columns] if len(stored) else [])
        order = Order(
            source=call.source,
            parameters=call.parameters,
            outputs={name: one.kind for name, one in self._declared.items()},
            output_bytes=min(sum(one.maximum_bytes for one in self._declared.values()), MAXIMUM_OUTPUT_BYTES),
        )
        self._run = Run(sandbox, order)

    @property
    def gone_through(self) -> int:
        """How many rows have been gone through."""
        return self._tally.gone_through

    def begin(self) -> None:
        """Note that it begins."""
        self._parts.journal.begin(self._noted)

    def run(self) -> str:
        """Run it to its end; return "completed". The thread has to stay until then.

        Raises:
            Stopped: with any other end.
            LedgerUnreachable, NetworkRefused, ConfigurationError: STORE_DAMAGED, …
        """
        data = self._run.result(self._schema, self._batches())
        self.outputs = read_outputs(data, self._declared)
        return "completed"

    def stop(self, end: str) -> None:
        """End it at once; nothing it gave is kept."""
        self._run.stop(end)

    def end(self, end: str) -> NewDelivery:
        """Note how it ended; return what is to be recorded."""
        ended_at = format_instant(self._parts.clock())
        if end != "completed":
            self.outputs = {}
        left = tuple(
            ComputedOutput(
                name=name,
                kind=self._declared[name].kind,
                byte_count=len(data),
                digest=output_digest(self.key, name, data),
            )
            for name, data in self.outputs.items()
        )
        document = replace(self._computation, outputs=left).to_bytes().decode()
        noted = replace(self._noted, computation=document)
        self._parts.journal.end(noted.attempt_id, noted.number, end, ended_at, document)
        return self._tally.record(noted, end, ended_at)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        """The consented rows, each piece noted before it is given to the function."""
        while (consented := self._consented.next()) is not None:
            piece, at = consented.piece, format_instant(self._parts.clock())
            noted = NotedPiece(piece.first_row, consented.reasons, 0, at)
            self._parts.journal.note(self._noted.attempt_id, self._noted.number, noted)
            digests = row_blocks.joined(consented.batch.column(row_blocks.DIGEST))
            self._tally.add(digests, piece.leaves, consented.reasons, 0)
            yield consented.batch.select(self._columns)
