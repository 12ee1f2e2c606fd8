"""Where each organization keeps what it trusts, outside the ledger (DESIGN §9)."""

from __future__ import annotations

from pathlib import Path

from fabric_operator.private_files import replace_private


def keep_anchor(directory: Path, organization: str, anchor: str) -> None:
    """Keep the genesis header's hash for an organization, in `anchors/<organization>.txt`."""
    place = directory / "anchors"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_private(place / f"{organization}.txt", f"{anchor}\n".encode("ascii"))
