"""Download one file over HTTP, and go on where an earlier attempt stopped (RFC 9110, section 14)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from fabric_native.errors import InstallationError

Progress = Callable[[int, int | None], None]
"""Told how many bytes are there and how many there will be, None where the server does not say."""

# No release is near this; a server that sends more sends something else.
_LARGEST = 1 << 30
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.5
_TIMEOUT = httpx.Timeout(30.0)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


def download(
    url: str, target: Path, progress: Progress = lambda done, total: None, *, pause: float = _PAUSE_SECONDS
) -> None:
    """Bring `url` into the file `target`; bytes that are there already are not asked for again.

    Nothing is believed of the bytes: whoever calls checks their digest.

    Args:
        url: Of the file.
        target: File to append to; made when absent. After a failure it holds what has come.
        progress: Told of every piece.
        pause: Seconds before the second attempt, doubled each time.

    Raises:
        InstallationError: DOWNLOAD_FAILED after several attempts, or at once where trying again is useless.
    """
    for attempt in range(_ATTEMPTS):
        before = _size(target)
        try:
            with httpx.Client(follow_redirects=True, timeout=_TIMEOUT) as client:
                if _receive(client, url, target, progress):
                    return
            reason = f"the connection ended after {_size(target)} bytes"
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            reason = str(error) or type(error).__name__
            if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
                break
        if attempt + 1 < _ATTEMPTS and _size(target) == before:
            time.sleep(pause * 2**attempt)
    raise InstallationError(
        "DOWNLOAD_FAILED",
        f"{url} could not be had ({reason}); {_size(target)} bytes came, the next run goes on from there; "
        "or bring the archive yourself with --archive FILE",
    )


def _receive(client: httpx.Client, url: str, target: Path, progress: Progress) -> bool:
    """One attempt; whether the file is whole now."""
    have = _size(target)
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            return _is_whole(response, target, have)
        if response.is_error:
            raise _refusal(url, response)
        start, total = _extent(response, have)
        if start != have:
            # The server sent the file from its start, or another part than asked for.
            target.unlink(missing_ok=True)
        if start not in (0, have):
            return False
        _append(response, target, total, progress)
    return total is None or _size(target) == total


def _is_whole(response: httpx.Response, target: Path, have: int) -> bool:
    """Nothing follows what we have: it is whole, or it is not this file's at all and goes."""
    if response.headers.get("Content-Range") == f"bytes */{have}":
        return True
    target.unlink()
    return False


def _refusal(url: str, response: httpx.Response) -> Exception:
    if response.is_client_error:
        return InstallationError(
            "DOWNLOAD_FAILED",
            f"{url} answered {response.status_code} {response.reason_phrase}; bring the archive yourself "
            "with --archive FILE",
        )
    return httpx.RemoteProtocolError(f"the server answered {response.status_code} {response.reason_phrase}")


def _extent(response: httpx.Response, have: int) -> tuple[int, int | None]:
    """Where the bytes of this response start in the file, and how long the file is."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None:
            raise httpx.RemoteProtocolError("the server sent a part without saying which")
        total = None if found[3] == "*" else int(found[3])
        return int(found[1]), total
    length = response.headers.get("Content-Length")
    return 0, int(length) if length and length.isdigit() else None


def _append(response: httpx.Response, target: Path, total: int | None, progress: Progress) -> None:
    with target.open("ab") as file:
        done = file.tell()
        progress(done, total)
        for piece in response.iter_raw():
            done += len(piece)
            if done > _LARGEST:
                raise InstallationError(
                    "DOWNLOAD_FAILED",
                    f"{response.url} sends more than {_LARGEST} bytes, which no release has",
                )
            file.write(piece)
            progress(done, total)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
