"""veraPDF, the PDF Association's checker of PDF/A and PDF/UA: one Java archive, not to be installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

_VARIABLE = "CONSENTRY_VERAPDF"
_ARTIFACT = "org.verapdf.apps:greenfield-apps:1.28.2"
_IN_REPOSITORY = "org/verapdf/apps/greenfield-apps/1.28.2/greenfield-apps-1.28.2.jar"
_MAIN = "org.verapdf.apps.GreenfieldCliWrapper"
_SECONDS = 300


def find_verapdf() -> str:
    """The archive: where the environment says, else where Maven keeps what it was asked for.

    Raises:
        LookupError: it is not there, or there is no Java.
    """
    if shutil.which("java") is None:
        raise LookupError("no java on the PATH, which runs veraPDF")
    place = Path(os.environ.get(_VARIABLE) or Path.home() / ".m2" / "repository" / _IN_REPOSITORY)
    if not place.is_file():
        raise LookupError(
            f"no veraPDF at {place}; bring it by mvn dependency:get -Dartifact={_ARTIFACT}, "
            f"or name its archive in {_VARIABLE}"
        )
    return str(place)


def failed_rules(archive: str, flavour: str, files: Iterable[Path]) -> dict[str, list[str]]:
    """What each file does that a standard forbids, by the file's name; empty where it complies.

    Args:
        archive: from `find_verapdf`.
        flavour: of the standard, e.g. ``2a`` for PDF/A-2a.
        files: the PDF files.
    """
    command = ["java", "-cp", archive, _MAIN, "--flavour", flavour, "--format", "json", *map(str, files)]
    ran = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    found = {}
    for job in json.loads(ran.stdout)["report"]["jobs"]:
        (result,) = job["validationResult"]
        rules = result["details"]["ruleSummaries"]
        broken = [f"{rule['clause']} {rule['description']}" for rule in rules]
        assert result["compliant"] == (not broken)
        found[Path(job["itemDetails"]["name"]).name] = broken
    return found
