"""A custodian's gate as a process of its own: rows leave under a permit only, and all of it is on record."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as parquet
import pytest
from support.consent_frames import CARE, RESEARCH, consent_frame, pseudonyms
from support.gate_process import (
    MONTH,
    TERMS,
    begun,
    delay_file,
    deliveries,
    grant,
    held_version,
    post,
    rows_of,
    serving,
    until,
)
from support.present_files import each
from typer.testing import CliRunner

from consentry.cli.main import app
from consentry.data import DeliveryStopped
from consentry.errors import AccessDenied, InputRejected
from consentry.gate.connection import GateRefused
from consentry.network import enroll_user, publish_revocations, revoke_user
from consentry_records.conditions import Conditions
from consentry_records.instants import format_instant

pytestmark = pytest.mark.integration
COUNT = 300


@pytest.fixture(scope="module")
def gate(consortium):
    with serving(consortium) as process:
        yield process


@pytest.fixture
def slow(consortium, gate):
    """Blocks take a while each: a stream is under way when something happens. A file says how long."""
    place = delay_file(consortium)
    place.write_text("1.5")
    yield place
    place.write_text("0")


@pytest.fixture(scope="module")
def people() -> list[str]:
    return pseudonyms(COUNT, f"patient-{os.urandom(8).hex()}")


@pytest.fixture(scope="module")
def frame(people) -> pd.DataFrame:
    return rows_of(people)


@pytest.fixture(scope="module")
def version(consortium, frame):
    return held_version(consortium, frame)


@pytest.fixture
def granted(steward, researcher, version):
    given = grant(steward, researcher, version)
    yield given
    if steward.grants.get(given.grant_id).state == "active":
        steward.grants.revoke(given.grant_id)


def test_rows_arrive_verified_and_are_on_record(gate, steward, researcher, granted, version, frame, people):
    (withdrawn,) = steward.consents.withdraw(pseudonym=people[7])
    assert withdrawn
    seen: list[tuple[int, int]] = []
    with researcher.data.open(
        version.version_id, purpose=RESEARCH, progress=lambda *n: seen.append(n)
    ) as rows:
        came = rows.frame()
    expected = frame.drop(index=7).drop(columns=["pseudonym"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(came, expected, check_dtype=False)
    (record,) = deliveries(researcher, rows.attempt_id)
    assert (record.end, record.row_count, dict(record.left_out)) == ("completed", COUNT - 1, {"ended": 1})
    assert record.content_digest == rows.deliveries[0].content_digest
    assert seen[-1] == (COUNT, COUNT)


def test_a_denial_is_the_committed_one(gate, researcher, granted, version):
    with (
        researcher.data.open(version.version_id, purpose=CARE) as rows,
        pytest.raises(AccessDenied) as caught,
    ):
        rows.frame()
    assert any(reason.endswith(f"does not cover purpose {CARE}") for reason in caught.value.reasons)
    assert researcher.access.get(rows.attempt_id).decision == caught.value.decision


def test_a_grant_for_some_columns_lets_these_out_and_no_others(gate, steward, researcher, version, frame):
    terms = {"versions": [version.version_id], "purposes": [RESEARCH], "duration": MONTH}
    request = researcher.grants.request(
        [version.version_id], purposes=[RESEARCH], duration=MONTH, columns=["grade"]
    )
    given = steward.grants.grant(request.request_id, conditions=Conditions(columns=("grade",)), **terms)
    with researcher.data.open(version.version_id, purpose=RESEARCH, columns=["grade"]) as rows:
        came = rows.frame()
    assert list(came.columns) == ["grade"]
    assert came["grade"].isna().sum() == COUNT // 3
    (record,) = deliveries(researcher, rows.attempt_id)
    assert record.content_digest == rows.deliveries[0].content_digest
    for columns in (None, ["grade", "radius"]):
        with (
            researcher.data.open(version.version_id, purpose=RESEARCH, columns=columns) as rows,
            pytest.raises(AccessDenied),
        ):
            rows.frame()
    with pytest.raises(InputRejected) as caught:
        researcher.data.open(
            version.version_id, purpose=RESEARCH, columns=["grade"], attempt_id=rows.attempt_id
        )
    assert caught.value.code == "ATTEMPT_MADE"
    steward.grants.revoke(given.grant_id)


def test_an_attempt_is_used_once(gate, researcher, granted, version):
    with researcher.data.open(version.version_id, purpose=RESEARCH) as rows:
        rows.frame()
    again = researcher.data.open(version.version_id, purpose=RESEARCH, attempt_id=rows.attempt_id)
    with again, pytest.raises(GateRefused) as caught:
        again.frame()
    assert caught.value.code == "DELIVERY_BEGUN"


def test_nobody_uses_anothers_attempt(gate, ledger_of, researcher, granted, version):
    attempt = researcher.access.attempt(version.version_id, purpose=RESEARCH)
    other = ledger_of("lakeside", "researcher")
    with (
        other.data.open(version.version_id, purpose=RESEARCH, attempt_id=attempt) as rows,
        pytest.raises(GateRefused) as caught,
    ):
        rows.frame()
    assert caught.value.code == "ATTEMPT_OF_ANOTHER"
    assert researcher.access.get(attempt).attempt.requester == researcher.identity.enrolment_id


def test_a_slow_or_vanished_client_and_resumption(gate, researcher, granted, version, frame):
    rows = researcher.data.open(version.version_id, purpose=RESEARCH)
    batches = rows.batches()
    first = [next(batches) for _ in range(3)]
    batches.close()  # the connection breaks off
    rows.close()
    token, row = rows.token, rows.next_row
    again = researcher.data.open(version.version_id, purpose=RESEARCH, attempt_id=rows.attempt_id)
    again.resume(token, row)
    with again:
        rest = list(again.batches())
    came = pd.concat([batch.to_pandas() for batch in [*first, *rest]], ignore_index=True)
    assert came["radius"].is_monotonic_increasing
    assert len(came) >= COUNT - 2
    ends = [one.end for one in deliveries(researcher, rows.attempt_id, 2)]
    assert ends[0] in ("recipient-gone", "resumed", "completed")
    assert ends[1] == "completed"


def stopped(batches) -> str:
    with pytest.raises(DeliveryStopped) as caught:
        list(batches)
    return caught.value.end


def test_a_revocation_stops_a_running_stream(slow, steward, researcher, granted, version):
    stream, batches, _ = begun(researcher, version)
    steward.grants.revoke(granted.grant_id)
    assert stopped(batches) == "permit-overtaken"
    stream.close()
    (record,) = deliveries(researcher, stream.attempt_id)
    assert (record.end, record.row_count) == ("permit-overtaken", stream.rows)
    assert record.row_count < COUNT / 2


def test_the_end_of_the_grant_stops_a_running_stream(slow, steward, researcher, granted, version):
    ends = datetime.now(UTC) + timedelta(seconds=20)
    steward.grants.change(granted.grant_id, not_after=ends)
    stream, batches, _ = begun(researcher, version)
    assert stopped(batches) == "permit-ended"
    stream.close()
    (record,) = deliveries(researcher, stream.attempt_id)
    assert record.end == "permit-ended"
    assert record.ended_at < format_instant(ends)


def test_a_consent_withdrawn_meanwhile_counts_for_the_next_batch(
    slow, steward, researcher, granted, version, people, frame
):
    stream, batches, came = begun(researcher, version)
    steward.consents.withdraw(pseudonym=people[COUNT - 1])
    slow.write_text("0")
    came.extend(batches)
    stream.close()
    radii = [value for batch in came for value in batch.column("radius").to_pylist()]
    assert radii[0] == frame["radius"][0]
    assert frame["radius"][COUNT - 1] not in radii


def test_the_commands_put_and_open_go_together(gate, consortium, steward, researcher, tmp_path):
    people = pseudonyms(20, f"patient-{os.urandom(8).hex()}")
    frame = pd.DataFrame({"pseudonym": people, "size": range(20)})
    frame.to_parquet(tmp_path / "rows.parquet")
    steward.consents.import_frame(consent_frame(people))
    made = steward.datasets.register_files(
        [tmp_path / "rows.parquet"], name=f"n-{os.urandom(6).hex()}", **TERMS
    )
    request = researcher.grants.request([made.version_id], purposes=[RESEARCH], duration=MONTH)
    steward.grants.grant(request.request_id, versions=[made.version_id], purposes=[RESEARCH], duration=MONTH)

    def command(who: str, *arguments: str) -> str:
        result = CliRunner().invoke(app, ["--network", str(consortium.directory), "--as", who, *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    put = command("northgate/steward", "gate", "put", made.version_id, str(tmp_path / "rows.parquet"))
    assert f"20 rows of {made.version_id} are in the gate" in put
    assert made.version_id in command("northgate/steward", "gate", "list")
    command("northgate/steward", "gate", "rotate")
    to = tmp_path / "came.parquet"
    opened = command(
        "riverside/researcher", "data", "open", made.version_id, "--purpose", RESEARCH, "--to", str(to)
    )
    assert "20 rows of" in opened
    assert parquet.read_table(to).column("size").to_pylist() == list(range(20))
    command("northgate/steward", "gate", "erase", made.version_id, "--yes")
    with (
        researcher.data.open(made.version_id, purpose=RESEARCH) as rows,
        pytest.raises(GateRefused) as caught,
    ):
        rows.frame()
    assert caught.value.code == "VERSION_NOT_HELD"


@pytest.mark.parametrize(
    ("attempt", "body", "status", "code"),
    [
        ("..%2F..%2Fetc%2Fpasswd", b'{"token": null}', 404, None),
        ("attempt-0", b'{"token": null}', 403, "FIELD_INVALID"),
        ("attempt-" + "0" * 32, b'{"token": null}', 404, "ATTEMPT_NOT_FOUND"),
        ("attempt-" + "0" * 32, b'{"columns": []}', 400, "REQUEST_INVALID"),
        ("attempt-" + "0" * 32, b"[" * 5000, 400, "REQUEST_INVALID"),
        ("attempt-" + "0" * 32, b" " * 1_100_000, 413, "REQUEST_TOO_LARGE"),
    ],
)
def test_hostile_requests_are_refused(gate, consortium, researcher, attempt, body, status, code):
    answer = post(consortium, researcher.identity, f"/v1/attempts/{attempt}/rows", body)
    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code


def test_a_revoked_caller_is_refused_though_the_attempt_was_made_before(
    gate, consortium, ledger_of, steward, version
):
    label = f"r{os.urandom(4).hex()}"
    identity = enroll_user(consortium.directory, "lakeside", label, ["researcher"])
    path, body = "/v1/attempts/attempt-" + "0" * 32 + "/rows", b'{"token": null}'
    assert post(consortium, identity, path, body).json()["code"] == "ATTEMPT_NOT_FOUND"
    revocations = revoke_user(consortium.directory, "lakeside", label)
    publish_revocations(consortium.directory, "lakeside", revocations)
    until(lambda: post(consortium, identity, path, body).json()["code"] == "CALLER_UNKNOWN")


def test_a_gate_killed_in_the_middle_records_at_its_next_start_and_the_client_goes_on(
    slow, gate, consortium, researcher, granted, version
):
    stream, batches, came = begun(researcher, version)
    gate.kill()
    gate.wait()
    with serving(consortium):
        assert [one.end for one in deliveries(researcher, stream.attempt_id)] == ["gate-restarted"]
        again = researcher.data.open(version.version_id, purpose=RESEARCH, attempt_id=stream.attempt_id)
        again.resume(stream.token, stream.next_row)
        with again:
            came.extend(again.batches())
    batches.close()
    stream.close()
    radii = [value for batch in came for value in batch.column("radius").to_pylist()]
    assert radii == sorted(set(radii))
    assert [one.end for one in deliveries(researcher, stream.attempt_id, 2)][1] == "completed"


def test_nothing_about_people_or_data_is_in_the_gates_log_or_storage(
    consortium, steward, version, people, frame
):
    secret = steward.datasets.secret(version.name).secret
    values = [
        *(name.encode() for name in people),
        secret,
        secret.hex().encode(),
        str(frame["radius"][5]).encode(),
    ]
    stored = each(consortium.directory / "gates", Path.read_bytes)
    contents = b"".join([*stored.values(), (consortium.directory / "logs" / "gate.log").read_bytes()])
    assert [value for value in values if value in contents] == []
