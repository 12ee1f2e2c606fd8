"""`python -m fabric_embedded serve DIR`: the engine's process; `ca HOME`: a CA's alone."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from fabric_embedded.ca.standalone import serve_authority
from fabric_embedded.logs import LEVELS, configure_logs
from fabric_embedded.server import serve
from fabric_operator.errors import OperatorError
from fabric_protocol.errors import ProtocolError

_USAGE = "usage: python -m fabric_embedded serve DIRECTORY\n       python -m fabric_embedded ca HOME"
_FAILED, _MISUSED = 1, 2


def main(arguments: list[str]) -> int:
    """Run the command; 0 after a clean stop, 1 when the network cannot be served, 2 for wrong arguments."""
    match arguments:
        case ["serve" | "ca" as what, directory]:
            pass
        case _:
            print(_USAGE, file=sys.stderr)
            return _MISUSED
    level = os.environ.get("FABRIC_EMBEDDED_LOG", "INFO")
    if level not in LEVELS:
        print(f"FABRIC_EMBEDDED_LOG: expected one of {', '.join(LEVELS)}, got {level!r}", file=sys.stderr)
        return _MISUSED
    configure_logs(level)
    try:
        (serve if what == "serve" else serve_authority)(Path(directory))
    except (OperatorError, ProtocolError) as error:
        logging.getLogger(__name__).error("cannot serve", extra={"code": error.code, "reason": error.message})
        return _FAILED
    except OSError as error:
        # A full or read-only disk, most of all.
        reason = f"{error.strerror or error}: {error.filename or directory}"
        logging.getLogger(__name__).error("cannot serve", extra={"code": "SYSTEM_ERROR", "reason": reason})
        return _FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
