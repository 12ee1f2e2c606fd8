"""``python -m fabric_shim.determinism PATH…``: exit status 0 nothing found, 1 findings, 2 usage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fabric_shim.determinism.checking import check_paths
from fabric_shim.determinism.findings import RULES


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the named files and directories; findings go to standard output, one a line."""
    parser = argparse.ArgumentParser(
        prog="python -m fabric_shim.determinism",
        description="Find what can make two endorsers of a contract come to different results.",
        epilog="Exempt a line with `# deterministic: reason`. Codes: " + ", ".join(sorted(RULES)) + ".",
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a Python file or a directory")
    paths = parser.parse_args(arguments).paths
    try:
        files, findings = check_paths(paths)
    except OSError as error:
        print(f"cannot read {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    if not files:
        print(f"no Python file below {', '.join(map(str, paths))}", file=sys.stderr)
        return 2
    print("\n".join(map(str, findings)) if findings else f"determinism: {files} files, nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
