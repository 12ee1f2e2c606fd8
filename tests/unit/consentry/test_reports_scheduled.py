"""Reports by a schedule: when they are due, that none is lost or doubled, and that they are signed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import pytest
from support.chain_members import Organization
from support.story import NORTHGATE, tell

from consentry.errors import ConfigurationError
from consentry.identity import WalletIdentity
from consentry.index import IndexFollower, Trail, open_database
from consentry.reports.scheduled import (
    Delivered,
    ManifestRefused,
    Run,
    Schedule,
    ScheduledReport,
    ScheduleRunner,
    read_schedule,
    verify_manifest,
)
from consentry.reports.scheduled.delivery import DeliveryFailed, Storage
from consentry.reports.scheduled.signed_manifest import sign_manifest
from consentry.verification import memory_source
from fabric_protocol.certificates import certificate_pem, key_pem
from fabric_protocol.identities import parse_identity

MONDAY = datetime(2026, 11, 30, 5, 0, tzinfo=UTC)
DAILY = ScheduledReport("processing", "processing", "", "0 6 * * *", ("json", "csv"))
TEXT = """
deliver_to: out
reports:
  - {name: processing, report: processing, when: "0 6 * * *", formats: [html]}
  - {name: cells, report: dataset-access-log, dataset: biopsies, when: "0 6 1 * *", formats: [csv, pdf]}
"""


@pytest.fixture(scope="module")
def trail() -> Iterator[Trail]:
    story = tell()
    engine = open_database("sqlite://")
    IndexFollower(engine, "consentry", story.chain.anchor).follow(memory_source("peer", story.chain.blocks))
    yield Trail(engine)
    engine.dispose()


def made_identity(msp_id: str) -> WalletIdentity:
    member = Organization(msp_id).user("auditor-1", "auditor")
    pem = certificate_pem(parse_identity(member.identity).certificate)
    return WalletIdentity(msp_id, pem, key_pem(member.key))


@pytest.fixture(scope="module")
def identity() -> WalletIdentity:
    return made_identity(NORTHGATE)


class Logged:
    """What went to the ledger; a second try of one id does nothing."""

    def __init__(self) -> None:
        self.entries: dict[str, tuple[Delivered, bytes]] = {}
        self.failing = False

    def __call__(self, identifier: str, delivered: Delivered, manifest: bytes) -> None:
        if self.failing:
            raise DeliveryFailed("LEDGER_UNREACHABLE", "nobody is there")
        self.entries.setdefault(identifier, (delivered, manifest))


@pytest.fixture
def logged() -> Logged:
    return Logged()


@pytest.fixture
def runner(trail: Trail, identity: WalletIdentity, logged: Logged, tmp_path: Path) -> ScheduleRunner:
    schedule = Schedule(str(tmp_path / "out"), (DAILY,))
    return ScheduleRunner(schedule, identity, lambda: trail, logged, tmp_path / "state.json")


def names(runs: Iterator[Run]) -> list[str]:
    return [run.name for run in runs]


def delivered(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((directory / "out").glob("*"))}


def test_a_new_schedule_starts_with_its_next_time(runner: ScheduleRunner, tmp_path: Path) -> None:
    assert names(runner.run_due(MONDAY)) == []
    assert runner.next_due(MONDAY) == MONDAY + timedelta(hours=1)
    (run,) = runner.run_due(MONDAY + timedelta(hours=1))
    assert (run.due_at, run.missed) == (MONDAY + timedelta(hours=1), 0)
    assert list(run.files) == [
        "processing-20261130T0600-activities.csv",
        "processing-20261130T0600-received.csv",
        "processing-20261130T0600-statements.csv",
        "processing-20261130T0600.json",
        "processing-20261130T0600.manifest.json",
    ]
    assert set(delivered(tmp_path)) == set(run.files)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o600}
    assert names(runner.run_due(MONDAY + timedelta(hours=2))) == []


def test_missed_runs_are_caught_up_once(runner: ScheduleRunner) -> None:
    list(runner.run_due(MONDAY))
    (run,) = runner.run_due(MONDAY + timedelta(days=4))
    assert run.missed == 3
    assert run.due_at == datetime(2026, 12, 3, 6, 0, tzinfo=UTC)
    assert names(runner.run_due(MONDAY + timedelta(days=4))) == []


def test_a_run_that_broke_off_is_ended_and_not_made_twice(
    runner: ScheduleRunner, logged: Logged, tmp_path: Path
) -> None:
    list(runner.run_due(MONDAY))
    logged.failing = True
    with pytest.raises(DeliveryFailed):
        list(runner.run_due(MONDAY + timedelta(hours=2)))
    before = delivered(tmp_path)
    logged.failing = False
    assert names(runner.run_due(MONDAY + timedelta(hours=3))) == ["processing"]
    assert delivered(tmp_path) == before
    ((found, manifest),) = logged.entries.values()
    assert (found.report, found.about) == ("gdpr-30", NORTHGATE)
    assert manifest == before["processing-20261130T0600.manifest.json"]


def test_what_is_logged_is_what_was_delivered(
    trail: Trail, identity: WalletIdentity, logged: Logged, tmp_path: Path
) -> None:
    """The trail went on between the run that broke off and the one that ends it."""
    schedule = Schedule(str(tmp_path / "out"), (DAILY,))
    state = tmp_path / "state.json"
    first = ScheduleRunner(schedule, identity, lambda: trail, logged, state)
    list(first.run_due(MONDAY))
    logged.failing = True
    with pytest.raises(DeliveryFailed):
        list(first.run_due(MONDAY + timedelta(hours=2)))
    logged.failing = False

    def nobody_composes() -> Trail:
        raise AssertionError("the report is there already")

    list(
        ScheduleRunner(schedule, identity, nobody_composes, logged, state).run_due(
            MONDAY + timedelta(hours=3)
        )
    )
    ((found, manifest),) = logged.entries.values()
    content = json.loads(manifest)
    assert (found.row_count, found.last_block) == (content["row_count"], content["last_block"])
    assert found.last_block == trail.status().last_block
    assert found.row_count > 0


def test_what_lies_under_a_runs_name_and_is_not_its_own_is_not_logged(
    runner: ScheduleRunner, logged: Logged, tmp_path: Path
) -> None:
    list(runner.run_due(MONDAY))
    logged.failing = True
    with pytest.raises(DeliveryFailed):
        list(runner.run_due(MONDAY + timedelta(hours=2)))
    logged.failing = False
    report = tmp_path / "out" / "processing-20261130T0600.json"
    good = report.read_bytes()
    report.write_bytes(good.replace(b"gdpr", b"GDPR"))
    with pytest.raises(ManifestRefused, match="FILE_DIFFERS"):
        list(runner.run_due(MONDAY + timedelta(hours=3)))
    report.write_bytes(good)
    manifest = tmp_path / "out" / "processing-20261130T0600.manifest.json"
    content = json.loads(manifest.read_bytes())
    files = {name: data for name, data in delivered(tmp_path).items() if name in content["files"]}
    told = {name: content[name] for name in ("about", "report", "row_count", "last_block")}
    manifest.write_bytes(sign_manifest(made_identity("RiversideMSP"), files, told))
    with pytest.raises(ManifestRefused, match="MANIFEST_FOREIGN"):
        list(runner.run_due(MONDAY + timedelta(hours=3)))
    manifest.write_bytes(b"{}")
    with pytest.raises(ManifestRefused, match="MANIFEST_INVALID"):
        list(runner.run_due(MONDAY + timedelta(hours=3)))
    assert logged.entries == {}


def test_what_was_delivered_is_signed(runner: ScheduleRunner, tmp_path: Path) -> None:
    list(runner.run_due(MONDAY))
    list(runner.run_due(MONDAY + timedelta(hours=1)))
    files = delivered(tmp_path)
    manifest = files.pop("processing-20261130T0600.manifest.json")
    content = verify_manifest(manifest, files)
    assert (content["report"], content["due_at"]) == ("gdpr-30", "2026-11-30T06:00:00.000Z")
    name = next(iter(files))
    for altered, code in (
        ({**files, name: b"other"}, "FILE_DIFFERS"),
        ({key: value for key, value in files.items() if key != name}, "FILE_DIFFERS"),
    ):
        with pytest.raises(ManifestRefused, match=code):
            verify_manifest(manifest, altered)
    with pytest.raises(ManifestRefused, match="SIGNATURE_INVALID"):
        verify_manifest(manifest.replace(b"gdpr-30", b"gdpr-15"), files)
    for data in (b"", b"{}", b"[]", manifest[:-1], manifest.replace(b'"signature"', b'"signed"')):
        with pytest.raises(ManifestRefused, match="MANIFEST_INVALID"):
            verify_manifest(data, files)


def test_reports_go_to_other_storage_too(
    trail: Trail, identity: WalletIdentity, logged: Logged, tmp_path: Path
) -> None:
    schedule = Schedule("memory://reports", (DAILY,))
    runner = ScheduleRunner(schedule, identity, lambda: trail, logged, tmp_path / "state.json")
    list(runner.run_due(MONDAY))
    list(runner.run_due(MONDAY + timedelta(hours=1)))
    stored = fsspec.filesystem("memory")
    assert len(stored.ls("/reports")) == 5
    stored.rm("/reports", recursive=True)
    with pytest.raises(DeliveryFailed, match="STORAGE_UNAVAILABLE"):
        Storage("carrier-pigeon://home")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DeliveryFailed, match="STORAGE_FAILED"):
        Storage(str(tmp_path / "file" / "reports")).write({"a": b""})


def test_a_schedule_is_read(tmp_path: Path) -> None:
    path = tmp_path / "reports.yaml"
    path.write_text(
        TEXT + "details: ours.yaml\nmail: {server: s, port: 25, sender: a@b, recipients: [c@d]}\n"
    )
    schedule = read_schedule(path)
    assert schedule.details == tmp_path / "ours.yaml"
    assert schedule.mail is not None
    assert [(entry.name, entry.about) for entry in schedule.reports] == [
        ("processing", ""),
        ("cells", "biopsies"),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("deliver_to: out", ""),
        ("name: cells", "name: processing"),
        ("name: cells", "name: ../cells"),
        ("report: processing", "report: subject-access"),
        ('"0 6 * * *"', '"every day"'),
        ('"0 6 * * *"', '"0 6 31 2 *"'),
        ("formats: [html]", "formats: [docx]"),
        ("formats: [html]", "formats: []"),
        ("dataset: biopsies, ", ""),
        ("deliver_to: out", "deliver_to: out\nmore: 1"),
        ("deliver_to: out", "deliver_to: out\nmail: {server: s, port: 25, sender: a, recipients: []}"),
        ("deliver_to: out", "{"),
        (TEXT, "- a list"),
    ],
)
def test_another_schedule_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "reports.yaml"
    path.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as refused:
        read_schedule(path)
    assert refused.value.code == "SCHEDULE_INVALID"


def test_the_state_is_its_owners_only(runner: ScheduleRunner, tmp_path: Path) -> None:
    list(runner.run_due(MONDAY))
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / "state.json").read_text()) == {"processing": "2026-11-30T05:00:00.000Z"}
