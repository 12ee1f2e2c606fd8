"""What travels for a function: the call as one JSON object; back, lines of JSON and the outputs' bytes.

Each line says how far the run is, until one says how it ended. Where it was completed, that line describes
the outputs, and their bytes follow in its order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from consentry.errors import InputRejected
from consentry.gate.compute.running import FunctionCall
from consentry.provenance import description_digest
from consentry.request_signatures import RequestRefused
from consentry_records.delivery import NewDelivery
from consentry_records.errors import LedgerError
from consentry_records.function import Computation

MEDIA_TYPE = "application/vnd.consentry.computation"
MAXIMUM_CALL = 8 * 1024 * 1024
MAXIMUM_SOURCE = 1024 * 1024
_LONGEST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, as the gate says: the delivery's record, whether it is on the ledger, the key of the
    outputs' digests (empty where there are none).
    """

    delivery: NewDelivery
    recorded: bool
    key: bytes

    def encode(self) -> bytes:
        """Return it as a line."""
        document = {"ended": self.delivery.to_dict(), "recorded": self.recorded, "key": self.key.hex()}
        return json.dumps(document).encode() + b"\n"

    @property
    def computation(self) -> Computation:
        """The run; a gate that says nothing of it says that nothing left."""
        nothing = "sha256:" + "0" * 64
        return self.delivery.computation or Computation(
            parameters_digest=nothing, environment_digest=nothing, outputs=()
        )


def write_call(source: str, parameters: Mapping[str, Any]) -> bytes:
    """Return a call's bytes.

    Raises:
        InputRejected: PARAMETERS_INVALID, FUNCTION_TOO_LARGE.
    """
    try:
        data = json.dumps({"source": source, "parameters": parameters}, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputRejected(
            "PARAMETERS_INVALID",
            "parameters are text, finite numbers, truth values, None, lists and mappings",
        ) from error
    if len(source.encode()) > MAXIMUM_SOURCE or len(data) > MAXIMUM_CALL:
        raise InputRejected(
            "FUNCTION_TOO_LARGE",
            f"a source has at most {MAXIMUM_SOURCE} bytes, with its parameters {MAXIMUM_CALL}",
        )
    return data


def read_call(body: bytes) -> FunctionCall:
    """Read a call.

    Raises:
        RequestRefused: REQUEST_INVALID.
    """
    try:
        document = json.loads(body, parse_constant=_no_number)
        source, parameters = document.pop("source"), document.pop("parameters")
        fits = not document and type(source) is str and len(source.encode()) <= MAXIMUM_SOURCE
        if fits and isinstance(parameters, dict):
            return FunctionCall(source, parameters, description_digest(parameters))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InputRejected):
        pass
    raise RequestRefused(400, "REQUEST_INVALID", 'expected {"source": text, "parameters": {…}}')


def progress_line(rows: int, of: int) -> bytes:
    """Return a line that says how many rows the function was given."""
    return json.dumps({"rows": rows, "of": of}).encode() + b"\n"


class Answer:
    """Reads what a gate answers; the outputs' bytes are what is left after the last line."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._waiting = b""

    def lines(self) -> Iterator[tuple[int, int] | Ended]:
        """Yield how far the run is (rows, of how many) until it has ended.

        Raises:
            ValueError: something else.
        """
        while True:
            try:
                document = json.loads(self._line())
                if "ended" not in document:
                    yield int(document["rows"]), int(document["of"])
                    continue
                record = NewDelivery.from_dict(document["ended"])
                yield Ended(record, bool(document["recorded"]), bytes.fromhex(document["key"]))
            except (LedgerError, KeyError, TypeError, RecursionError) as error:
                raise ValueError("not a line of an answer") from error
            return

    def take(self, size: int) -> bytes:
        """Return so many bytes.

        Raises:
            ValueError: there are fewer.
        """
        parts, count = [self._waiting], len(self._waiting)
        while count < size:
            part = next(self._parts, None)
            if part is None:
                raise ValueError("the answer broke off")
            parts.append(part)
            count += len(part)
        data = b"".join(parts)
        self._waiting = data[size:]
        return data[:size]

    def _line(self) -> bytes:
        while b"\n" not in self._waiting:
            part = next(self._parts, None)
            if part is None or len(self._waiting) > _LONGEST_LINE:
                raise ValueError("the answer broke off")
            self._waiting += part
        line, _, self._waiting = self._waiting.partition(b"\n")
        return line


def _no_number(text: str) -> None:
    raise ValueError("not a finite number")
