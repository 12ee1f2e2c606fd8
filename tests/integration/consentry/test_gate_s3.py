"""The gate's rows in an S3-compatible storage: a server of its own, that the test starts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame, pseudonyms
from support.s3_server import s3_server

from consentry.errors import ConfigurationError, InputRejected
from consentry.gate import row_blocks
from consentry.gate.compute.kept import KeptOutputs
from consentry.gate.keyring import Keyring
from consentry.gate.storage import Storage, StorageFailed
from consentry.gate.store import GateStore

pytestmark = pytest.mark.integration
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"], "duo_terms": [RESEARCH]}
COUNT = 40


@pytest.fixture
def bucket(monkeypatch) -> Iterator[str]:
    """A bucket's URL on a server that answers."""
    with s3_server() as url:
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "something",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield "s3://rows-of-northgate/gate"


def test_rows_are_stored_read_and_erased_in_a_bucket(bucket, ledger_of, tmp_path, monkeypatch):
    monkeypatch.setattr(row_blocks, "MAXIMUM_BLOCK_ROWS", 16)
    people = pseudonyms(COUNT, f"patient-{time.time_ns()}")
    frame = pd.DataFrame({"pseudonym": people, "radius": np.linspace(10, 20, COUNT)})
    steward = ledger_of("northgate", "steward")
    steward.consents.import_frame(consent_frame(people))
    version = steward.datasets.register_frame(frame, name=f"cells-{time.time_ns()}", **TERMS)
    storage = Storage(bucket)
    store = GateStore(storage, Keyring(tmp_path / "keys"))
    secret = steward.datasets.secret(version.name).secret
    store.put(version, [frame], steward.datasets.registered_rows(version.version_id), secret)

    stored = GateStore(Storage(bucket), Keyring(tmp_path / "keys")).open(version.version_id)
    radii = [value for batch in stored.blocks() for value in batch.column("radius").to_pylist()]
    assert radii == frame["radius"].tolist()
    assert stored.block(2).num_rows == COUNT - 32
    assert b"radius" not in storage.read(version.version_id, "blocks")

    store.freeze(version.version_id, {"groups": []})
    assert store.frozen(version.version_id) == {"groups": []}

    kept = KeptOutputs(store)
    place = (version.version_id, "attempt-" + "0" * 32, "2026-01-01T00:00:00.000Z")
    kept.keep(*place, [b"weights", b"metrics"])
    again = KeptOutputs(GateStore(Storage(bucket), Keyring(tmp_path / "keys")))
    assert again.find(*place, 2) == [b"weights", b"metrics"]
    assert again.find(*place, 3) is None
    assert kept.drop_ended("2025-12-31T23:59:59.999Z") == 0
    assert kept.drop_ended("2026-01-01T00:00:00.000Z") == 2
    assert again.find(*place, 2) is None
    assert again.drop_ended("2026-01-01T00:00:00.000Z") == 0
    assert store.erase(version.version_id)
    with pytest.raises(InputRejected):
        store.open(version.version_id)
    with pytest.raises(ConfigurationError):
        stored.block(0)


def test_a_storage_that_is_not_there_is_said_in_a_sentence(tmp_path):
    with pytest.raises(StorageFailed) as caught:
        Storage("nosuchthing://somewhere")
    assert caught.value.code == "STORAGE_UNAVAILABLE"
