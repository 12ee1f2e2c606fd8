"""Asking an engine how it is, over its operations endpoint."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

_TIMEOUT_SECONDS = 2.0
ENGINE_COMPONENT = "engine"
"""Name of the check that the engine itself has started."""


def chaincode_component(organization: str) -> str:
    """Name of the check that an organization's peer has its chaincode service."""
    return f"chaincode/{organization}"


def read_health(host: str, port: int) -> dict[str, str]:
    """What is missing, as reasons by component; empty when all is well.

    Parameters:
        host: of the operations endpoint.
        port: of the operations endpoint.
    """
    url = f"http://{host}:{port}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
            answer.read()
            return {}
    except urllib.error.HTTPError as error:
        with error:
            checks = json.loads(error.read())["failed_checks"]
        return {check["component"]: check["reason"] for check in checks}
    except OSError:
        return {ENGINE_COMPONENT: "does not answer yet"}
