"""Keys of stored versions: wrapped, rotated, destroyed so that older copies are of no use."""

import shutil
import stat

import pytest
from support.ledger_examples import identifier

from consentry.errors import ConfigurationError, InputRejected
from consentry.gate.keyring import Keyring

VERSION, OTHER = identifier("version", 1), identifier("version", 2)


@pytest.fixture
def keyring(tmp_path):
    return Keyring(tmp_path / "keys")


def custodian_key(directory):
    (path,) = directory.glob("custodian-*.key")
    return path


def test_a_key_is_the_same_until_it_is_drawn_anew(keyring, tmp_path):
    key = keyring.create(VERSION)
    assert keyring.key(VERSION) == key == Keyring(tmp_path / "keys").key(VERSION)
    assert keyring.create(VERSION) != key
    assert keyring.versions() == (VERSION,)


def test_no_key_is_readable_in_the_list(keyring, tmp_path):
    key = keyring.create(VERSION)
    contents = b"".join(path.read_bytes() for path in (tmp_path / "keys").iterdir())
    assert key not in contents


def test_rotation_keeps_the_versions_keys_and_destroys_the_old_custodian_key(keyring, tmp_path):
    keys = [keyring.create(VERSION), keyring.create(OTHER)]
    before = custodian_key(tmp_path / "keys").read_bytes()
    assert keyring.rotate() == 2
    assert [keyring.key(VERSION), keyring.key(OTHER)] == keys
    assert custodian_key(tmp_path / "keys").read_bytes() != before


def test_an_older_list_is_of_no_use_after_a_destruction(keyring, tmp_path):
    keyring.create(VERSION)
    kept = keyring.create(OTHER)
    shutil.copy(tmp_path / "keys" / "keys.sqlite", tmp_path / "backup")
    assert keyring.destroy(VERSION)
    assert not keyring.destroy(VERSION)
    assert keyring.key(OTHER) == kept
    with pytest.raises(InputRejected) as caught:
        keyring.key(VERSION)
    assert caught.value.code == "VERSION_NOT_HELD"
    shutil.copy(tmp_path / "backup", tmp_path / "keys" / "keys.sqlite")
    with pytest.raises(ConfigurationError) as damaged:
        keyring.key(VERSION)
    assert damaged.value.code == "KEYRING_DAMAGED"


def test_an_interrupted_rotation_leaves_one_custodian_key_in_use(keyring, tmp_path, monkeypatch):
    key = keyring.create(VERSION)
    monkeypatch.setattr(keyring, "_drop_old_keys", lambda: None)
    keyring.rotate()
    assert len(list((tmp_path / "keys").glob("custodian-*.key"))) == 2
    again = Keyring(tmp_path / "keys")
    assert again.key(VERSION) == key
    assert custodian_key(tmp_path / "keys")


def test_all_files_are_the_owners(keyring, tmp_path):
    keyring.create(VERSION)
    keyring.rotate()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert set(modes.values()) == {0o600}
    custodian_key(tmp_path / "keys").chmod(0o644)
    with pytest.raises(ConfigurationError) as caught:
        keyring.key(VERSION)
    assert caught.value.code == "PATH_EXPOSED"
