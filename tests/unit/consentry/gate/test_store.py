"""Versions at rest: registered rows and no others, unreadable without their key, whole or not there."""

import numpy as np
import pandas as pd
import pytest
from support.consent_frames import RESEARCH, consent_frame, pseudonyms

from consentry.errors import ConfigurationError, InputRejected
from consentry.gate import row_blocks
from consentry.gate.keyring import Keyring
from consentry.gate.storage import Storage
from consentry.gate.store import GateStore

NORTHGATE = "NorthgateMSP"
TERMS = {"categories": ["imaging"], "legal_bases": ["GDPR-9-2-j"], "duo_terms": [RESEARCH]}
COUNT = 37


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(row_blocks, "MAXIMUM_BLOCK_ROWS", 8)


@pytest.fixture
def steward(ledger_of):
    ledger = ledger_of(NORTHGATE, "steward")
    ledger.consents.import_frame(consent_frame(pseudonyms(COUNT)))
    return ledger


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "pseudonym": pseudonyms(COUNT),
            "radius": np.linspace(10, 20, COUNT),
            "grade": ["low", None, "high", "low"] * 9 + ["low"],
            "benign": [number % 3 == 0 for number in range(COUNT)],
            "../../etc/passwd": range(COUNT),
        }
    )


@pytest.fixture
def version(steward, frame):
    return steward.datasets.register_frame(frame, name="cells", **TERMS)


@pytest.fixture
def store(tmp_path):
    return GateStore(Storage(str(tmp_path / "storage")), Keyring(tmp_path / "keys"))


def put(store, steward, version, *frames, **options):
    secret = steward.datasets.secret(version.name).secret
    store.put(version, frames, steward.datasets.registered_rows(version.version_id), secret, **options)


def test_rows_come_back_without_pseudonyms(store, steward, version, frame):
    seen = []
    put(store, steward, version, frame[:20], frame[20:], progress=lambda done, of: seen.append((done, of)))
    stored = store.open(version.version_id)
    batches = [row_blocks.data_columns(batch) for batch in stored.blocks()]
    assert [batch.num_rows for batch in batches] == [8, 8, 8, 8, 5]
    again = pd.concat([batch.to_pandas() for batch in batches], ignore_index=True)
    pd.testing.assert_frame_equal(again, frame.drop(columns=["pseudonym"]), check_dtype=False)
    assert seen[-1] == (COUNT, COUNT)
    assert store.held() == (version.version_id,)


def test_nothing_at_rest_is_readable(store, steward, version, frame, tmp_path):
    put(store, steward, version, frame)
    contents = b"".join(
        path.read_bytes() for path in tmp_path.joinpath("storage").rglob("*") if path.is_file()
    )
    for text in (b"high", b"radius", b"patient-00001", steward.datasets.secret("cells").secret):
        assert text not in contents
    assert [path.name for path in tmp_path.joinpath("storage").iterdir()] == [version.version_id]


def test_other_rows_than_the_registered_ones_are_named_and_nothing_is_held(store, steward, version, frame):
    altered = frame.copy()
    altered.loc[21, "radius"] += 1e-9
    for wrong, row in ((altered, 21), (frame[:30], 30), (pd.concat([frame, frame[:1]]), COUNT)):
        with pytest.raises(InputRejected) as caught:
            put(store, steward, version, wrong)
        assert (caught.value.code, caught.value.fields["row"]) == ("ROWS_DIFFER", row)
        assert store.held() == ()
    with pytest.raises(InputRejected) as other:
        put(store, steward, version, frame.rename(columns={"radius": "area"}))
    assert other.value.code == "SCHEMA_DIFFERS"


def test_a_version_is_stored_once(store, steward, version, frame):
    put(store, steward, version, frame)
    with pytest.raises(InputRejected) as caught:
        put(store, steward, version, frame)
    assert caught.value.code == "VERSION_HELD"
    assert store.open(version.version_id).block(0).num_rows == 8


def test_an_interrupted_put_is_not_held_and_can_be_made_again(store, steward, version, frame, monkeypatch):
    def gone():
        yield frame[:20]
        raise KeyboardInterrupt

    secret = steward.datasets.secret(version.name).secret
    rows = steward.datasets.registered_rows(version.version_id)
    monkeypatch.setattr(store, "erase", lambda _version: False)  # as if the process had been killed
    with pytest.raises(KeyboardInterrupt):
        store.put(version, gone(), rows, secret)
    assert store.held() == ()
    put(store, steward, version, frame)
    assert store.held() == (version.version_id,)


def test_an_altered_swapped_or_missing_block_is_found(store, steward, version, frame, tmp_path):
    put(store, steward, version, frame)
    stored = store.open(version.version_id)
    path = tmp_path / "storage" / version.version_id / "blocks"
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        stored.block(0)
    assert caught.value.code == "STORE_DAMAGED"
    assert stored.block(1).num_rows == 8
    path.unlink()
    with pytest.raises(ConfigurationError):
        stored.block(1)


def test_erasure_makes_copies_unreadable(store, steward, version, frame, tmp_path):
    put(store, steward, version, frame)
    store.keyring.rotate()
    backup = tmp_path / "storage" / version.version_id
    copies = {path.name: path.read_bytes() for path in backup.iterdir()}
    assert store.erase(version.version_id)
    assert not backup.exists()
    backup.mkdir()
    for name, data in copies.items():
        (backup / name).write_bytes(data)
    with pytest.raises(InputRejected) as caught:
        store.open(version.version_id)
    assert caught.value.code == "VERSION_NOT_HELD"
    assert not store.erase(version.version_id)


@pytest.mark.parametrize("name", ["../other", "version-/etc", "", "version-" + "0" * 31 + "/"])
def test_no_other_name_becomes_a_path(store, name):
    with pytest.raises(ValueError, match="id of a dataset version"):
        Storage.read(store._storage, name, "index")
