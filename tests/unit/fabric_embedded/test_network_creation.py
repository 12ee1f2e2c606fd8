"""A network that was made outlives a power failure: a ledger is of no use without keys and genesis block."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.embedded import two_organization_topology

from fabric_embedded.network_creation import create_network


def test_every_file_and_directory_is_synced_before_the_network_counts_as_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    sync = os.fsync

    def note(descriptor: int) -> None:
        sync(descriptor)
        synced.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", note)
    directory = tmp_path / "network"
    create_network(directory, two_organization_topology())
    made = [directory, *directory.rglob("*")]
    assert len(made) > 20
    assert {path.stat().st_ino for path in made} <= set(synced)
    assert synced[-1] == directory.stat().st_ino
