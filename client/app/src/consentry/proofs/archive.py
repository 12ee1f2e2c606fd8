"""The verifier as one file, for whoever has nothing of Consentry: a Python zip application."""

from __future__ import annotations

import zipfile
from importlib.resources import files
from pathlib import Path

_PACKAGE = "consentry_proof"
_MAIN = f"import sys\n\nfrom {_PACKAGE}.command import main\n\nsys.exit(main())\n"
_TIME = (2026, 1, 1, 0, 0, 0)
_SHEBANG = b"#!/usr/bin/env python3\n"


def write_verifier(path: Path) -> None:
    """Write the verifier into one file: ``python FILE proof --anchor HASH``; needs the library cryptography.

    The same release writes the same bytes, so that two parties can compare what they run.

    Args:
        path: where; an existing file is replaced.
    """
    modules = files("consentry.proofs.checking")
    sources = {
        entry.name: entry.read_text("utf-8") for entry in modules.iterdir() if entry.name.endswith(".py")
    }
    with path.open("wb") as file:
        file.write(_SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, source in sorted(sources.items()):
                archive.writestr(_entry(f"{_PACKAGE}/{name}"), source)
            archive.writestr(_entry("__main__.py"), _MAIN)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
