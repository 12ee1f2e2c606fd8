"""Our client in `benchmarks.client_submit`: ``python -m benchmarks.client_load SETTINGS COUNT IN_FLIGHT``.

Prints seconds and CPU seconds of the submits after a warm-up.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from fabric_gateway import Contract, Gateway, Timeouts, pem_signer, serialize_identity

VALUE = "v" * 200
# As node_client/submit.js: on a machine that others use, too, a step is slow, not lost.
_PATIENT = Timeouts(endorse=120, submit=120, commit_status=300)


def main(settings: Path, count: int, in_flight: int) -> None:
    """Connect, warm up, measure, print."""
    named = json.loads(settings.read_text())
    directory = settings.parent
    with Gateway.connect(
        named["endpoint"],
        identity=serialize_identity(named.get("msp_id", "AlphaMSP"), (directory / "user.pem").read_bytes()),
        signer=pem_signer((directory / "user.key").read_bytes()),
        tls_roots=(directory / "roots.pem").read_bytes(),
        server_name=named.get("server_name"),
        timeouts=_PATIENT,
    ) as gateway:
        contract = gateway.network(named["channel"]).contract(named["chaincode"])
        _run(contract, named["function"], "warm", 100, in_flight)
        began, cpu = time.monotonic(), time.process_time()
        _run(contract, named["function"], str(time.time_ns()), count, in_flight)
        seconds, spent = time.monotonic() - began, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu": spent}))


def _run(contract: Contract, function: str, prefix: str, count: int, in_flight: int) -> None:
    with contract.in_flight(in_flight) as calls:
        futures = [calls.submit(function, f"{prefix}-{number}", VALUE) for number in range(count)]
    for future in futures:
        future.result()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
