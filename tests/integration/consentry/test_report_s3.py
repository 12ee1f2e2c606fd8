"""Reports delivered to S3-compatible storage, taken by a real server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
import s3fs
from botocore.client import BaseClient
from support.chain_members import Organization
from support.s3_server import s3_server
from support.story import NORTHGATE, tell

from consentry.identity import WalletIdentity
from consentry.index import IndexFollower, Trail, open_database
from consentry.reports.scheduled import (
    Delivered,
    Schedule,
    ScheduledReport,
    ScheduleRunner,
    verify_manifest,
)
from consentry.reports.scheduled.delivery import DeliveryFailed, Storage
from consentry.verification import memory_source
from fabric_protocol.certificates import certificate_pem, key_pem
from fabric_protocol.identities import parse_identity

pytestmark = pytest.mark.integration

MONDAY = datetime(2026, 11, 30, 5, 0, tzinfo=UTC)
DAILY = ScheduledReport("processing", "processing", "", "0 6 * * *", ("html", "csv"))


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseClient]:
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "only-for-this-test",
        "AWS_SECRET_ACCESS_KEY": "only-for-this-test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    yield client
    for item in client.list_objects_v2(Bucket="trail").get("Contents", []):
        client.delete_object(Bucket="trail", Key=item["Key"])
    client.delete_bucket(Bucket="trail")
    client.close()
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="module")
def trail() -> Iterator[Trail]:
    story = tell()
    engine = open_database("sqlite://")
    IndexFollower(engine, "consentry", story.chain.anchor).follow(memory_source("peer", story.chain.blocks))
    yield Trail(engine)
    engine.dispose()


def _identity() -> WalletIdentity:
    member = Organization(NORTHGATE).user("auditor-1", "auditor")
    return WalletIdentity(
        NORTHGATE, certificate_pem(parse_identity(member.identity).certificate), key_pem(member.key)
    )


def _content(client: BaseClient) -> dict[str, bytes]:
    keys = [item["Key"] for item in client.list_objects_v2(Bucket="trail").get("Contents", [])]
    return {key: client.get_object(Bucket="trail", Key=key)["Body"].read() for key in keys}


def test_a_schedule_delivers_into_a_bucket(bucket: BaseClient, trail: Trail, tmp_path: Path) -> None:
    logged: dict[str, tuple[Delivered, bytes]] = {}

    def log(identifier: str, delivered: Delivered, manifest: bytes) -> None:
        logged[identifier] = (delivered, manifest)

    schedule = Schedule("s3://trail/northgate/reports", (DAILY,))
    runner = ScheduleRunner(schedule, _identity(), lambda: trail, log, tmp_path / "state.json")
    list(runner.run_due(MONDAY))
    (run,) = runner.run_due(MONDAY + timedelta(hours=2))
    content = _content(bucket)
    assert set(content) == {f"northgate/reports/{name}" for name in run.files}
    files = {key.removeprefix("northgate/reports/"): data for key, data in content.items()}
    manifest = files.pop(run.files[-1])
    assert verify_manifest(manifest, files)["about"] == NORTHGATE
    ((delivered, logged_manifest),) = logged.values()
    assert logged_manifest == manifest
    assert set(delivered.files) == set(files)
    assert files["processing-20261130T0600.html"].startswith(b"<!DOCTYPE html>")


def test_what_another_process_wrote_meanwhile_is_seen(bucket: BaseClient) -> None:
    storage = Storage("s3://trail/reports")
    assert storage.read("a.json") is None
    bucket.put_object(Bucket="trail", Key="reports/a.json", Body=b"{}")
    assert storage.read("a.json") == b"{}"


@pytest.mark.parametrize("change", ["bucket", "credentials", "server"])
def test_storage_that_does_not_work_is_said_in_one_sentence(
    bucket: BaseClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: str
) -> None:
    url = "s3://trail/reports"
    if change == "bucket":
        url = "s3://nowhere/reports"
    elif change == "credentials":
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    else:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(DeliveryFailed, match="STORAGE_FAILED") as refused:
        Storage(url).write({"a.json": b"{}"})
    assert "only-for-this-test" not in str(refused.value)
    assert [found["Name"] for found in bucket.list_buckets()["Buckets"]] == ["trail"]
