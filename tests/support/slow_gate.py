"""The command `consentry` whose gate takes a while for each block, as over a slow storage.

Usage: slow_gate.py FILE ARGUMENT …; FILE holds the seconds, and may change meanwhile.
"""

import sys
import time
from pathlib import Path
from typing import Any

from consentry.cli.main import run
from consentry.gate.store import StoredVersion

_read = StoredVersion.block


def _slow(stored: StoredVersion, number: int) -> Any:
    time.sleep(float(Path(sys.argv[1]).read_text(encoding="ascii")))
    return _read(stored, number)


if __name__ == "__main__":
    StoredVersion.block = _slow  # type: ignore[method-assign]
    sys.exit(run(sys.argv[2:]))
