"""One connection to a gate: a signed request, and the Arrow stream of its answer."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyarrow as pa

from consentry.errors import ConsentryError
from consentry.gate.address import GateAddress
from consentry.gate.client_certificates import show_certificate
from consentry.gate.compute.wire import Answer
from consentry.gate.wire import END
from consentry.identity import WalletIdentity
from consentry.request_signatures import signed_headers
from fabric_gateway import Clock

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 60.0
_LONGEST_REFUSAL = 1024 * 1024


class GateRefused(ConsentryError):
    """The gate refused: its own code and sentence."""


class GateUnreachable(ConsentryError):
    """The gate gave no answer, or the connection broke off: GATE_UNREACHABLE."""


class GateConnection:
    """Requests to one custodian's gate by one identity."""

    def __init__(
        self,
        address: GateAddress,
        custodian: str,
        identity: WalletIdentity,
        clock: Clock,
        own_certificate: Path,
    ) -> None:
        """Prepare it; `own_certificate` is shown to a gate that demands one, if the file exists, else the
        identity's.

        Raises:
            ConfigurationError: GATE_ADDRESS_INVALID, CLIENT_CERTIFICATE_INVALID, PATH_EXPOSED.
        """
        self._custodian = custodian
        self._identity = identity
        self._clock = clock
        timeout = httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
        context = address.tls()
        show_certificate(context, own_certificate, identity)
        # A proxy's environment variables are for the outside; the gate is a member's.
        self._client = httpx.Client(base_url=address.url, verify=context, timeout=timeout, trust_env=False)

        self._connecting = threading.Thread(target=self._connect, name="consentry-connect", daemon=True)

    def connect(self) -> None:
        """Connect in the background, so that the first request finds the connection there; once."""
        self._connecting.start()

    def close(self) -> None:
        """Close it."""
        if self._connecting.ident is not None:
            self._connecting.join()
        self._client.close()

    def _connect(self) -> None:
        # What goes wrong now, the request itself says later.
        with contextlib.suppress(httpx.HTTPError, OSError):
            self._client.get("/healthz")

    @contextmanager
    def rows(self, attempt_id: str, token: str | None) -> Iterator[GateStream]:
        """Ask for an attempt's rows, from a token's place on; the stream ends with the block.

        Raises:
            GateRefused: with the gate's code; ACCESS_DENIED after a committed denial.
            GateUnreachable
        """
        path = f"/v1/attempts/{attempt_id}/rows"
        body = json.dumps({"token": token}).encode()
        created = int(self._clock().timestamp())
        headers = signed_headers(self._identity, self._custodian, "POST", path, body, created)
        try:
            with self._client.stream("POST", path, content=body, headers=headers) as response:
                if response.status_code != 200:
                    raise _refusal(response)
                yield GateStream(response)
        except (httpx.HTTPError, OSError, pa.ArrowInvalid) as error:
            raise _no_answer(error) from error

    @contextmanager
    def computation(self, attempt_id: str, call: bytes) -> Iterator[Answer]:
        """Have a function run under an attempt; the answer ends with the block.

        Raises:
            GateRefused: with the gate's code; ACCESS_DENIED after a committed denial.
            GateUnreachable
        """
        path = f"/v1/attempts/{attempt_id}/computation"
        created = int(self._clock().timestamp())
        headers = signed_headers(self._identity, self._custodian, "POST", path, call, created)
        try:
            with self._client.stream("POST", path, content=call, headers=headers) as response:
                if response.status_code != 200:
                    raise _refusal(response)
                yield Answer(response.iter_raw())
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise _no_answer(error) from error

    def aggregates(self, attempt_id: str) -> dict[str, Any]:
        """Ask for the aggregates that an attempt was made for.

        Raises:
            GateRefused, GateUnreachable
        """
        path, body = f"/v1/attempts/{attempt_id}/aggregates", b""
        created = int(self._clock().timestamp())
        headers = signed_headers(self._identity, self._custodian, "POST", path, body, created)
        try:
            with self._client.stream("POST", path, content=body, headers=headers) as response:
                if response.status_code != 200:
                    raise _refusal(response)
                found: dict[str, Any] = json.loads(response.read())
                return found
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise _no_answer(error) from error


class GateStream:
    """The batches of one answer with their metadata; `end` is what the gate said last, if it did."""

    def __init__(self, response: httpx.Response) -> None:
        self._reader = pa.ipc.open_stream(pa.PythonFile(_Body(response), mode="r"))
        self.metadata: dict[bytes, bytes] = dict(self._reader.schema.metadata or {})
        self.end: dict[str, Any] | None = None

    def batches(self) -> Iterator[tuple[pa.RecordBatch, dict[bytes, bytes]]]:
        """Yield each batch with its metadata, until the gate's last word or until the stream breaks off.

        Raises:
            GateUnreachable: it broke off within a batch.
        """
        while True:
            try:
                batch, found = self._reader.read_next_batch_with_custom_metadata()
            except StopIteration:
                return
            except (pa.ArrowInvalid, OSError) as error:
                raise GateUnreachable("GATE_UNREACHABLE", "the gate's stream broke off") from error
            metadata = dict(found or {})
            if END in metadata:
                self.end = orjson.loads(metadata[END])
                return
            yield batch, metadata


def _no_answer(error: Exception) -> GateUnreachable:
    kind = type(error).__name__
    return GateUnreachable(
        "GATE_UNREACHABLE",
        f"the gate gave no answer or broke off ({kind}); one that demands TLS certificates does so where it "
        "does not know the one shown (gates/client.pem beside network.json, else the ledger's)",
    )


class _Body:
    """A response's body as a file to read from."""

    closed = False

    def __init__(self, response: httpx.Response) -> None:
        self._parts = response.iter_raw()
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, count = [self._waiting], len(self._waiting)
        while size < 0 or count < size:
            part = next(self._parts, None)
            if part is None:
                break
            parts.append(part)
            count += len(part)
        data = b"".join(parts)
        wanted = len(data) if size < 0 else size
        self._waiting = data[wanted:]
        return data[:wanted]

    def close(self) -> None:
        """The response is closed by who opened it."""


def _refusal(response: httpx.Response) -> GateRefused:
    data = b""
    for part in response.iter_raw():
        data += part
        if len(data) > _LONGEST_REFUSAL:
            break
    try:
        document = json.loads(data)
        return GateRefused(str(document["code"]), str(document["message"]))
    except (ValueError, KeyError, TypeError):
        return GateRefused("GATE_REFUSED", f"the gate answered with status {response.status_code}")
