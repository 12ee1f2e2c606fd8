"""Chaincode packages as clients make them, well-formed or not."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any


def archive(files: Mapping[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    """A .tar.gz of these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = (len(content) if kind == tarfile.REGTYPE else 0), kind
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def package(connection: Any = None, *, label: str = "other_1.0", kind: str = "ccaas", **code: bytes) -> bytes:
    """A package of type ccaas with this `connection.json`."""
    if connection is None:
        connection = {"address": "127.0.0.1:1", "dial_timeout": "10s", "tls_required": False}
    metadata = json.dumps({"type": kind, "path": "", "label": label}).encode()
    inner = archive({"connection.json": json.dumps(connection).encode(), **code})
    return archive({"metadata.json": metadata, "code.tar.gz": inner})
