"""Which diseases are kinds of which: a release of the Mondo Disease Ontology, shipped as `mondo.txt`.

The file is made by tools/disease_hierarchy.py, its source and licence are in mondo.NOTICE.md. It is part of
the rules that go by it, like their code: another release is another digest here, and they get new numbers.
"""

from __future__ import annotations

import pkgutil  # deterministic: reads nothing but the file below, which has to have the digest below
from bisect import bisect_left
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from types import MappingProxyType

RELEASE = "2026-05-05"
FILE = "mondo.txt"
DIGEST = "sha256:b175daa4ac88a54c81d27858c1d985840b3ed90a1563d48a967d38b043952964"

_PREFIX = "MONDO:"
_CANCER, _NEURODEGENERATIVE = "MONDO:0004992", "MONDO:0005559"
ADDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "MONDO:0005059": (_CANCER,),  # leukemia
        "MONDO:0005062": (_CANCER,),  # lymphoma
        "MONDO:0005105": (_CANCER,),  # melanoma
        "MONDO:0005180": (_NEURODEGENERATIVE,),  # Parkinson disease
    }
)
"""Superclasses that the release lacks and nobody disputes: without them, data for research into cancer would
be refused to research into leukemia.
"""


def superclasses(disease: str) -> tuple[str, ...] | None:
    """The direct superclasses of a disease; None where the release lacks it or has it as obsolete.

    Raises RuntimeError if the installation's file is not the release's.
    """
    lines, number = _lines(), int(disease.removeprefix(_PREFIX))
    place = bisect_left(lines, number, key=_number)
    if place == len(lines) or _number(lines[place]) != number:
        return None
    above = lines[place].partition(b":")[2].split()
    return (*(f"{_PREFIX}{int(other):07}" for other in above), *ADDED.get(disease, ()))


def check_file(content: bytes) -> bytes:
    """The content itself; raises RuntimeError if it is not the release that the digest names."""
    if f"sha256:{sha256(content).hexdigest()}" != DIGEST:
        raise RuntimeError(f"{FILE} of consentry_records is not Mondo {RELEASE} ({DIGEST}); install it again")
    return content


@cache
def _lines() -> tuple[bytes, ...]:
    """`<disease>:<superclasses>`, by the number of the disease; read when the first disease is asked for."""
    return tuple(check_file(pkgutil.get_data(__package__, FILE) or b"").splitlines()[1:])


def _number(line: bytes) -> int:
    return int(line.partition(b":")[0])
