"""The distribution's Chromium."""

from __future__ import annotations

import shutil

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str:
    """Where the browser is.

    Raises:
        LookupError: it is not on the PATH.
    """
    found = next((place for place in map(shutil.which, _NAMES) if place), None)
    if found is None:
        raise LookupError("no chromium on the PATH; Debian has it as chromium")
    return found
