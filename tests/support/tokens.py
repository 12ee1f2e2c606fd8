"""One SoftHSM token for a test process: the library reads where its tokens are once a process."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from support.optional_tools import find_optional_tool

LABEL = "hospital"
PIN = "98765432"


@cache
def softhsm_library() -> str:
    """SoftHSM's library, with an initialized token of that label and PIN behind it."""
    found = find_optional_tool("softhsm")
    place = Path(tempfile.mkdtemp(prefix="consentry-tokens-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    configuration = place / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {place}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    command = ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", PIN]
    subprocess.run(command, check=True, capture_output=True)
    return found
