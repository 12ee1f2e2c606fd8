"""A custodian's gate as a process of its own, which takes a while for each block if a file says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame

from consentry.gate.address import GateAddress
from consentry.gate.places import GatePlaces
from consentry.request_signatures import signed_headers
from consentry_records.delivery import Delivery

MONTH = timedelta(days=30)
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"], "duo_terms": [RESEARCH]}
BLOCK_ROWS = 16
_SLOW = Path(__file__).with_name("slow_gate.py")


def delay_file(consortium: Any) -> Path:
    """Where it says how many seconds the gate takes for a block; it may change meanwhile."""
    return Path(consortium.directory) / "gate-delay.txt"


@contextmanager
def serving(consortium: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A gate of northgate's, up; ended in good order afterwards."""
    consortium.identity("northgate", "service")
    delay_file(consortium).write_text("0")
    address = GateAddress.file(consortium.profile, "northgate")
    address.unlink(missing_ok=True)
    arguments = ["--network", str(consortium.directory), "--as", "northgate/service", "gate", "serve"]
    log = consortium.directory / "logs" / "gate.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, str(_SLOW), str(delay_file(consortium)), *arguments],
            stdout=output,
            stderr=output,
        )
    try:
        while not address.exists():
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) is not None


def rows_of(people: list[str]) -> pd.DataFrame:
    """A row for each of some people, whose number is a multiple of three."""
    count = len(people)
    return pd.DataFrame(
        {
            "pseudonym": people,
            "radius": np.linspace(10, 20, count),
            "grade": ["high", "low", None] * (count // 3),
        }
    )


def held_version(consortium: Any, frame: pd.DataFrame, places: GatePlaces | None = None) -> Any:
    """A new version of northgate's, consented to, that its gate holds in small blocks."""
    with consortium.ledger("northgate", "steward") as steward, pytest.MonkeyPatch.context() as patch:
        patch.setattr("consentry.gate.row_blocks.MAXIMUM_BLOCK_ROWS", BLOCK_ROWS)
        steward.consents.import_frame(consent_frame(list(frame["pseudonym"])), batch_size=100)
        made = steward.datasets.register_frame(frame, name=f"cells-{os.urandom(6).hex()}", **TERMS)
        rows = steward.datasets.registered_rows(made.version_id)
        store = (places or GatePlaces.of(consortium.profile, "northgate")).store()
        store.put(made, [frame], rows, steward.datasets.secret(made.name).secret)
    return made


def grant(steward: Any, researcher: Any, version: Any, **terms: Any) -> Any:
    """A month of research on a version, asked for and granted."""
    asked = {"purposes": [RESEARCH], "duration": MONTH}
    request = researcher.grants.request([version.version_id], **asked)
    return steward.grants.grant(request.request_id, versions=[version.version_id], **asked, **terms)


def begun(researcher: Any, version: Any) -> tuple[Any, Any, list[Any]]:
    """A stream, its batches, and the first of them, which has come."""
    stream = researcher.data.open(version.version_id, purpose=RESEARCH)
    batches = stream.batches()
    return stream, batches, [next(batches)]


def post(consortium: Any, identity: Any, path: str, body: bytes, **changes: Any) -> httpx.Response:
    """The gate's answer to a signed request; `sent` is another body than the signed one, `headers` are used
    in place of new ones.
    """
    address = GateAddress.of(consortium.profile, "northgate")
    headers = changes.get("headers") or signed(identity, path, body)
    with httpx.Client(base_url=address.url, verify=address.tls(), trust_env=False, timeout=60) as client:
        return client.post(path, content=changes.get("sent", body), headers=headers)


def signed(identity: Any, path: str, body: bytes) -> dict[str, str]:
    """The headers of a request to northgate's gate."""
    return signed_headers(identity, "NorthgateMSP", "POST", path, body, int(time.time()))


def deliveries(ledger: Any, attempt_id: str, count: int = 1) -> list[Delivery]:
    """The deliveries on record, as soon as there are so many: the recipient's peer learns of them last."""

    def found() -> list[Delivery]:
        documents = ledger.transactions.evaluate("deliveries:of_attempt", attempt_id)
        return [Delivery.from_dict(one) for one in documents]

    until(lambda: len(found()) >= count)
    return found()


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for a condition; one that does not come true in time is a failure."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
