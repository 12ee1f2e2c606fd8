"""The custodian's register: random salts, private files, nothing lost, nothing shared."""

import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from consentry.custody_schema import LOT_BITS
from consentry.errors import ConfigurationError, ConsentryError
from consentry.manifests import ManifestRow
from consentry.private_values import seal, unseal
from consentry.subjects import _BY_COMMITMENT, Subject, SubjectRegister
from consentry_records.commitments import subject_commitment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "custody" / "northgate" / "subjects.sqlite"


def test_salts_and_keys_are_drawn_for_each_subject(path: Path) -> None:
    with SubjectRegister(path) as register:
        subjects = register.ensure(["p", "q", "p"])
    assert set(subjects) == {"p", "q"}
    assert all(len(subject.salt) == 32 and len(subject.key) == 32 for subject in subjects.values())
    assert len({value for subject in subjects.values() for value in (subject.salt, subject.key)}) == 4
    assert subjects["p"].commitment == subject_commitment(subjects["p"].salt, "p")


def test_two_custodians_commitments_do_not_link(tmp_path: Path) -> None:
    with (
        SubjectRegister(tmp_path / "a" / "s.sqlite") as one,
        SubjectRegister(tmp_path / "b" / "s.sqlite") as two,
    ):
        assert one.ensure(["p"])["p"].commitment != two.ensure(["p"])["p"].commitment


def test_the_register_survives_its_process(path: Path) -> None:
    with SubjectRegister(path) as register:
        before = register.ensure(["p"])
        register.add_batch("batch-1", [("consent-1", before["p"])])
    with SubjectRegister(path) as register:
        assert register.ensure(["p"]) == before
        assert register.batches("prepared") == ("batch-1",)
        assert register.by_commitment(before["p"].commitment) == before["p"]
        assert register.by_commitment("hmac-sha256:" + "0" * 64) is None


def test_only_recorded_consents_that_were_not_withdrawn_count_as_latest(path: Path) -> None:
    with SubjectRegister(path) as register:
        subject = register.ensure(["p", "q"])["p"]
        for number, state in enumerate(("recorded", "recorded", "refused", "prepared")):
            register.add_batch(f"batch-{number}", [(f"consent-{number}", subject)])
            register.mark_batch(f"batch-{number}", state)
        assert register.latest_consents(["p", "q"]) == {"p": "consent-1"}
        assert register.consents_of("p") == ("consent-0", "consent-1", "consent-3")
        register.mark_withdrawn("consent-1")
        assert register.latest_consents(["p"]) == {"p": "consent-0"}


def test_files_are_for_their_owner_alone(path: Path) -> None:
    with SubjectRegister(path) as register:
        register.ensure(["p"])
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read_is_refused(path: Path, mode: int) -> None:
    SubjectRegister(path).close()
    path.chmod(mode)
    with pytest.raises(ConfigurationError) as caught:
        SubjectRegister(path)
    assert caught.value.code == "PATH_EXPOSED"
    assert "chmod 600" in str(caught.value)


def test_a_directory_that_others_may_enter_is_refused(path: Path) -> None:
    SubjectRegister(path).close()
    path.parent.chmod(0o755)
    with pytest.raises(ConfigurationError, match="expected 0700"):
        SubjectRegister(path)


def test_a_file_of_something_else_is_refused(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True)
    path.touch(mode=0o600)
    path.write_bytes(b"certainly no database" * 100)
    with pytest.raises(ConfigurationError) as caught:
        SubjectRegister(path)
    assert caught.value.code == "CUSTODY_INVALID"


def test_a_newer_file_is_refused(path: Path) -> None:
    SubjectRegister(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(ConfigurationError, match="got version 99, expected 2"):
        SubjectRegister(path)


def test_a_failed_write_leaves_nothing(path: Path) -> None:
    with SubjectRegister(path) as register:
        subject = register.ensure(["p"])["p"]
        with pytest.raises(sqlite3.IntegrityError):
            register.add_batch("batch-1", [("consent-1", subject), ("consent-1", subject)])
        assert register.batches("prepared") == ()


def test_writing_within_writing_is_one_transaction(path: Path) -> None:
    def note(register: SubjectRegister) -> None:
        with register.store.writing():
            register.add_batch("batch-1", [("consent-1", register.ensure(["p"])["p"])])
            raise RuntimeError("killed")

    with SubjectRegister(path) as register:
        with pytest.raises(RuntimeError, match="killed"):
            note(register)
        assert register.find(["p"]) == {}
        assert register.batches("prepared") == ()


def test_subjects_of_every_lot_are_found_by_their_commitments(path: Path) -> None:
    lot = 2**LOT_BITS
    with SubjectRegister(path) as register:
        subjects = register.ensure(f"p{number}" for number in range(2 * lot + 1))
        for subject in subjects.values():
            if subject.number % lot in (0, 1, lot - 1):
                assert register.by_commitment(subject.commitment) == subject
        with register.store.reading() as connection:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {_BY_COMMITMENT}", ("[0]", "")).fetchall()
        assert any("subjects_by_commitment" in step[3] for step in plan)
        assert register.erase(subjects["p0"].commitment)
        assert register.by_commitment(subjects["p0"].commitment) is None
        assert not register.erase(subjects["p0"].commitment)


def test_threads_and_processes_agree_on_a_subject(path: Path) -> None:
    registers = [SubjectRegister(path), SubjectRegister(path)]
    found: list[dict[str, Subject]] = []

    def ensure(register: SubjectRegister) -> None:
        for _ in range(5):
            found.append(register.ensure([f"p{number}" for number in range(20)]))

    threads = [threading.Thread(target=ensure, args=(register,)) for register in registers for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert all(subjects == found[0] for subjects in found)
    for register in registers:
        register.close()


def test_manifests_are_kept_and_discarded(path: Path) -> None:
    rows = [ManifestRow("d1", "c1", "consent-1"), ManifestRow("d2", "c2", "consent-2")]
    with SubjectRegister(path) as register:
        manifests = register.manifests
        dataset = manifests.ensure_dataset("cells", "dataset-1")
        assert manifests.ensure_dataset("cells", "dataset-2") == dataset
        manifests.add_version("version-1", dataset.dataset_id, 1, rows)
        assert manifests.versions_with("c1") == ()
        manifests.mark_registered("version-1")
        assert manifests.rows("version-1") == tuple(rows)
        assert manifests.versions_with("c1") == ("version-1",)
        assert manifests.ensure_dataset("cells", "dataset-3").versions == 1
        manifests.add_version("version-2", dataset.dataset_id, 2, rows)
        manifests.discard_version("version-2")
        assert manifests.rows("version-2") == ()


def test_private_values_open_under_their_key_at_their_place_only() -> None:
    key, other = bytes(32), b"\x01" * 32
    sealed = seal(key, "subject/consent", b'{"pseudonym":"p"}')
    assert unseal(key, "subject/consent", sealed) == {"pseudonym": "p"}
    # Sealed again it is the same; no other value, place or key shares its nonce.
    assert sealed == seal(key, "subject/consent", b'{"pseudonym":"p"}')
    others = [
        seal(key, "subject/consent", b'{"pseudonym":"q"}'),
        seal(key, "subject/other", b'{"pseudonym":"p"}'),
        seal(other, "subject/consent", b'{"pseudonym":"p"}'),
    ]
    assert len({value[:12] for value in (sealed, *others)}) == 4
    altered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong in (
        (other, "subject/consent", sealed),
        (key, "subject/other", sealed),
        (key, "subject/consent", altered),
        (key, "subject/consent", b""),
    ):
        with pytest.raises(ConsentryError) as caught:
            unseal(*wrong)
        assert caught.value.code == "VALUE_UNREADABLE"
