"""The Python that functions run in: which files it needs, and what is installed there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from consentry.errors import ConfigurationError
from consentry_records import canonical
from consentry_records.digest import sha256_digest

_QUESTION = """
import importlib.metadata, json, os, platform, sys
found = importlib.metadata.distributions()
installed = {str(d.metadata["Name"]).lower(): d.version for d in found if d.metadata["Name"]}
places = [os.path.realpath(place) for place in sys.path if os.path.isdir(place)]
print(json.dumps({
    "executable": os.path.realpath(sys.executable),
    "base": sys.base_prefix,
    "packages": [place for place in places if os.path.basename(place) in ("site-packages", "dist-packages")],
    "description": {"python": platform.python_version(), "installed": installed},
    "lacking": [name for name in ("numpy", "pandas", "pyarrow") if name not in installed],
}))
"""
_SECONDS = 60
# Where libraries are that the interpreter and its packages were linked to.
_LIBRARIES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache")


@dataclass(frozen=True, slots=True)
class PythonEnvironment:
    """An interpreter, the directories of its packages, and a digest of their names and versions
    (`provenance.environment_digest` of a program that runs there).
    """

    executable: Path
    base: Path
    packages: tuple[Path, ...]
    digest: str

    @classmethod
    def of(cls, python: str = sys.executable) -> PythonEnvironment:
        """Ask an interpreter.

        Raises:
            ConfigurationError: ENVIRONMENT_UNFIT, it does not run, or lacks numpy, pandas or pyarrow.
        """
        try:
            answer = subprocess.run(  # noqa: S603
                [python, "-P", "-c", _QUESTION], capture_output=True, check=True, timeout=_SECONDS
            )
            found = json.loads(answer.stdout)
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise ConfigurationError("ENVIRONMENT_UNFIT", f"{python} does not run as Python") from error
        if found["lacking"]:
            lacking = ", ".join(found["lacking"])
            raise ConfigurationError("ENVIRONMENT_UNFIT", f"{python} lacks {lacking}: install them there")
        return cls(
            executable=Path(found["executable"]),
            base=Path(found["base"]),
            packages=tuple(map(Path, found["packages"])),
            digest=sha256_digest(canonical.encode(found["description"])),
        )

    def mounts(self) -> Iterator[str]:
        """Yield bubblewrap's options that show these files, and nothing else of the machine, unwritable."""
        for place in map(Path, _LIBRARIES):
            if place.is_symlink():
                yield from ("--symlink", str(place.readlink()), str(place))
            elif place.exists():
                yield from _read_only(place)
        for place in (self.executable, self.base / "lib", self.base / "lib64", *self.packages):
            if place.exists():
                yield from _read_only(place)


def _read_only(place: Path) -> tuple[str, str, str]:
    return "--ro-bind", str(place), str(place)
