"""The command `consentry` whose gate takes a while for each block, and alters a row where it is told to.

Usage: slow_gate.py FILE ARGUMENT …; FILE holds the seconds for a block, and may change meanwhile; a second
number there is the row of a block whose first number comes out another.
"""

import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from consentry.cli.main import run
from consentry.gate.store import StoredVersion

_read = StoredVersion.block


def _slow(stored: StoredVersion, number: int) -> Any:
    seconds, *altered = Path(sys.argv[1]).read_text(encoding="ascii").split()
    time.sleep(float(seconds))
    batch = _read(stored, number)
    for place in map(int, altered):
        values = batch.column(0).to_pylist()
        values[place] += 1e-9
        batch = batch.set_column(0, batch.schema.field(0), pa.array(values, batch.schema.field(0).type))
    return batch


if __name__ == "__main__":
    StoredVersion.block = _slow  # type: ignore[method-assign]
    sys.exit(run(sys.argv[2:]))
