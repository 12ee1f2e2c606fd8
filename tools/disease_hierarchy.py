# /// script
# requires-python = ">=3.11"
# dependencies = ["cellxgene-ontology-guide==1.11.1"]
# ///
"""Write the disease hierarchy that consentry_records ships, from a release of the Mondo Disease Ontology.

Usage: .tools/bin/uv run tools/disease_hierarchy.py 2026-05-05

The release comes in the PyPI package cellxgene-ontology-guide (100 MB; MIT, its Mondo data CC BY 4.0), which
nothing else here needs: uv puts it into an environment of this script alone. A newer release: raise the
package's version above, run, put the digest that is printed into `consentry_records.disease_hierarchy`, and
give the rules that go by it new numbers.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "chaincode/records/src/consentry_records/mondo.txt"
HEADER = "# Mondo Disease Ontology {release}, CC BY 4.0 (mondo.NOTICE.md): <disease>:<direct superclasses>\n"
_DISEASE = re.compile(r"MONDO:([0-9]{7})")


def read_release(release: str) -> Mapping[str, Mapping[str, Any]]:
    """Disease → {"deprecated", "ancestors": {disease: distance}, …} as the package has it.

    Raises ValueError if it does not have the release.
    """
    import zstandard

    carried = files("cellxgene_ontology_guide.data")
    packed = carried / f"MONDO-ontology-v{release}.json.zst"
    if not packed.is_file():
        names = sorted(entry.name for entry in carried.iterdir() if entry.name.startswith("MONDO-"))
        raise ValueError(f"the package does not carry Mondo {release}, but {', '.join(names)}")
    with packed.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as text:
        found: dict[str, Mapping[str, Any]] = json.load(text)
    return found


def number(disease: str) -> int:
    """The number in a disease's id; raises ValueError for what is no id of Mondo."""
    matched = _DISEASE.fullmatch(disease)
    if matched is None:
        raise ValueError(f"got {disease!r} where a disease MONDO:<7 digits> is expected")
    return int(matched[1])


def direct_superclasses(release: Mapping[str, Mapping[str, Any]]) -> dict[int, list[int]]:
    """Disease → its direct superclasses, all as numbers in order; obsolete ones are left out.

    Raises ValueError if a superclass is missing or obsolete, or the hierarchy has a cycle.
    """
    found = {
        number(disease): sorted(number(other) for other, far in entry["ancestors"].items() if far == 1)
        for disease, entry in release.items()
        if not entry["deprecated"]
    }
    for disease, superclasses in found.items():
        if any(superclass not in found for superclass in superclasses):
            raise ValueError(f"a superclass of MONDO:{disease:07} is missing or obsolete: {superclasses}")
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        raise ValueError(f"diseases are superclasses of each other: {error.args[1]}") from error
    return dict(sorted(found.items()))


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", arguments[0]):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        hierarchy = direct_superclasses(read_release(arguments[0]))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    lines = (f"{disease}:{' '.join(map(str, above))}\n" for disease, above in hierarchy.items())
    written = (HEADER.format(release=arguments[0]) + "".join(lines)).encode("ascii")
    TARGET.write_bytes(written)
    print(f"{TARGET.name}: {len(hierarchy)} diseases, sha256:{hashlib.sha256(written).hexdigest()}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
