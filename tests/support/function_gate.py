"""A gate of northgate's by the installed command, and functions that are called at it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from support.consent_frames import RESEARCH
from support.gate_process import MONTH
from support.processes import until

from consentry.gate.address import GateAddress
from consentry.gate.compute.wire import write_call
from consentry.provenance import code_digest
from consentry.request_signatures import signed_headers

OPTIONS = ("--function-memory", "3072", "--function-wait", "5")
OUTPUTS = {"update": ("arrays", 4096), "metrics": ("metrics", 1024)}
TRAIN = """
import numpy as np

def train(frame, parameters):
    features = frame[["radius"]].to_numpy()
    weights = np.array(parameters["weights"]) + features.mean(axis=0)
    return {"update": {"weights": weights}, "metrics": {"rows": len(frame)}}
"""
ENDLESS = "def train(frame, parameters):\n    while True:\n        pass\n"
SLOW = """
import time

def train(frame, parameters):
    time.sleep(parameters["seconds"])
    return {"update": {"mean": [frame["radius"].mean()]}, "metrics": {"rows": len(frame)}}
"""


@contextmanager
def serving_functions(consortium: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A gate of northgate's, by the installed command."""
    consortium.identity("northgate", "service")
    address = GateAddress.file(consortium.profile, "northgate")
    address.unlink(missing_ok=True)
    arguments = ["--network", str(consortium.directory), "--as", "northgate/service", "gate", "serve"]
    log = consortium.directory / "logs" / "gate-functions.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "consentry", *arguments, *OPTIONS],
            stdout=output,
            stderr=output,
        )
    try:
        assert until(lambda: address.exists() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) is not None


def approved_function(steward: Any, researcher: Any, version: Any, path: Path, source: str) -> Path:
    """Write a function to a file, registered and approved for a version; each has a digest of its own."""
    path.write_text(f"{source}\n# {os.urandom(8).hex()}\n")
    researcher.functions.register(path, outputs=OUTPUTS)
    steward.functions.approve(
        path, owner="RiversideMSP", versions=[version.version_id], purposes=[RESEARCH], duration=MONTH
    )
    return path


def attempted(researcher: Any, version: Any, path: Path) -> str:
    """An attempt that a function be run."""
    return str(
        researcher.access.attempt(
            version.version_id, purpose=RESEARCH, output="aggregate", function_digest=code_digest(path)
        )
    )


def begun_and_broken(consortium: Any, researcher: Any, version: Any, path: Path, parameters: Any) -> str:
    """The attempt of a call whose connection breaks off while the function runs."""
    attempt_id = attempted(researcher, version, path)
    address, body = GateAddress.of(consortium.profile, "northgate"), write_call(path.read_text(), parameters)
    place = f"/v1/attempts/{attempt_id}/computation"
    headers = signed_headers(researcher.identity, "NorthgateMSP", "POST", place, body, int(time.time()))
    with (
        httpx.Client(base_url=address.url, verify=address.tls(), trust_env=False, timeout=60) as client,
        client.stream("POST", place, content=body, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert next(response.iter_lines())
    return attempt_id
