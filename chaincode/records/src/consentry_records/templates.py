"""Canonical bytes of many records that differ in a few fields only: one is encoded, the others are filled in.

Checking and encoding every record of an import apart would be most of its time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from .record import Record


class Template:
    """The bytes of a record with gaps where the values of some fields stand.

    Parameters: `record`, one that exists and is therefore valid; `gaps`, names of fields, at any depth, with
    the values that they have in it. Raises ValueError where such a field does not stand in it once.
    """

    __slots__ = ("_gaps", "_pieces")

    def __init__(self, record: Record, gaps: Mapping[str, object]) -> None:
        text = record.to_bytes().decode("utf-8")
        places = []
        for number, (name, value) in enumerate(gaps.items()):
            # A quotation mark within a text is escaped, so that no value can pass for a field.
            start, written = f'"{name}":', json.dumps(value, separators=(",", ":"), ensure_ascii=False)
            if text.count(start + written) != 1:
                raise ValueError(f"field {name} does not stand in the record once with that value")
            begin = text.index(start + written) + len(start)
            places.append((begin, begin + len(written), number))
        places.sort()
        self._pieces: list[str] = []
        self._gaps = [0] * len(places)
        done = 0
        for begin, end, number in places:
            self._pieces += (text[done:begin], "")
            self._gaps[number] = len(self._pieces) - 1
            done = end
        self._pieces.append(text[done:])

    def fill(self, *values: str) -> bytes:
        """The bytes with other values, as JSON text and in the order of the gaps.

        The caller has read the values as the kinds of their fields.
        """
        pieces = self._pieces.copy()
        for gap, value in zip(self._gaps, values, strict=True):
            pieces[gap] = value
        return "".join(pieces).encode("utf-8")
