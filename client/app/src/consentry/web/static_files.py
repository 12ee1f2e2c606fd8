"""Style sheet and scripts: part of the package, in memory, under names that change with their content."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from types import MappingProxyType

from fastapi import APIRouter, Request, Response

from consentry.web.errors import PageRefused

router = APIRouter()
_TYPES = MappingProxyType(
    {
        "style.css": "text/css; charset=utf-8",
        "live.js": "text/javascript; charset=utf-8",
        "htmx.min.js": "text/javascript; charset=utf-8",
        "icon.svg": "image/svg+xml",
    }
)


@cache
def content(name: str) -> bytes:
    """A file's bytes."""
    return resources.files("consentry.web").joinpath("static", name).read_bytes()


@cache
def static_url(name: str) -> str:
    """Where a file is served; another address for another content.

    Raises:
        KeyError: there is no such file.
    """
    _TYPES[name]
    return f"/static/{hashlib.sha256(content(name)).hexdigest()[:16]}/{name}"


@router.get("/static/{digest}/{name}", include_in_schema=False)
async def static_file(request: Request, digest: str, name: str) -> Response:
    """A file of the package; any other name is not there."""
    if name not in _TYPES or static_url(name) != request.url.path:
        raise PageRefused(404, "NOT_FOUND", "there is no such file")
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(content(name), media_type=_TYPES[name], headers=headers)
