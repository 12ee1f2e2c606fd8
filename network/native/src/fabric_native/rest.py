"""REST of a node: its health, and an ordering node's channels.

Source: Fabric `core/operations`, `orderer/common/channelparticipation` (what `osnadmin` speaks).
"""

from __future__ import annotations

import ssl
from typing import Any

import httpx

from fabric_native.errors import AdministrationError

_SECONDS = 15.0
_CHANNELS = "/participation/v1/channels"
_CREATED, _GONE = 201, 204


def is_healthy(address: str, context: ssl.SSLContext) -> bool:
    """Whether a node's operations endpoint answers that all is well."""
    try:
        return httpx.get(
            f"https://{address}/healthz", verify=context, trust_env=False, timeout=2.0
        ).is_success
    except httpx.HTTPError:
        return False


class ChannelParticipation:
    """An ordering node's channels, as its organization's administrator sees and changes them.

    Parameters:
        address: "host:port" of its admin endpoint.
        context: with the administrator's TLS client pair.
    """

    def __init__(self, address: str, context: ssl.SSLContext) -> None:
        self._address = address
        self._context = context

    def status(self, channel: str) -> str | None:
        """E.g. "active", "onboarding"; None when the node has not joined the channel.

        Raises:
            AdministrationError: ORDERER_UNREACHABLE.
        """
        answer = self._ask("GET", f"{_CHANNELS}/{channel}")
        return str(answer.json()["status"]) if answer.is_success else None

    def join(self, block: bytes) -> None:
        """Join a channel by its first or a later configuration block.

        Raises:
            AdministrationError: ORDERER_REFUSED, ORDERER_UNREACHABLE.
        """
        self._require(self._ask("POST", _CHANNELS, files={"config-block": ("config.block", block)}), _CREATED)

    def leave(self, channel: str) -> None:
        """Leave a channel; the node forgets its blocks.

        Raises:
            AdministrationError: ORDERER_REFUSED, ORDERER_UNREACHABLE.
        """
        self._require(self._ask("DELETE", f"{_CHANNELS}/{channel}"), _GONE)

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return httpx.request(
                method,
                f"https://{self._address}{path}",
                verify=self._context,
                trust_env=False,
                timeout=_SECONDS,
                **content,
            )
        except httpx.HTTPError as error:
            raise AdministrationError(
                "ORDERER_UNREACHABLE",
                f"the ordering node at {self._address} gave no answer: {type(error).__name__}",
            ) from error

    def _require(self, answer: httpx.Response, status: int) -> None:
        if answer.status_code != status:
            raise AdministrationError(
                "ORDERER_REFUSED",
                f"the ordering node at {self._address} refused: {answer.text.strip()[:500]}",
            )
