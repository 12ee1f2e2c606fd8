"""Starting and ending processes: records, logs, strangers with a known pid, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabric_operator.errors import ProcessError
from fabric_operator.processes import ProcessKeeper, find_program
from fabric_operator.run_records import RunRecord, is_running, read_record, start_mark, write_record

pytestmark = pytest.mark.unit

SLEEP = ("python", "-c", "import time; print('sleeping', flush=True); time.sleep(60)")
STUBBORN = (
    "python",
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(60)",
)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[ProcessKeeper]:
    keeper = ProcessKeeper(tmp_path / "run", tmp_path / "logs")
    yield keeper
    keeper.stop([record.name for record in keeper.recorded()], timeout_seconds=0.2)


def wait_for_log(keeper: ProcessKeeper, name: str, text: str) -> None:
    keeper.wait_until_ready(name, lambda: text in keeper.log_tail(name), 20)


def test_a_process_runs_in_its_own_session_with_its_output_in_a_file(keeper: ProcessKeeper) -> None:
    record = keeper.start("sleeper", SLEEP, {"NAME": "value"})
    wait_for_log(keeper, "sleeper", "sleeping")
    assert os.getsid(record.pid) == record.pid
    assert keeper.find("sleeper") == record
    assert (keeper.logs / "sleeper.log").stat().st_mode & 0o777 == 0o600
    keeper.stop(["sleeper"])
    assert keeper.find("sleeper") is None
    assert keeper.recorded() == []
    assert not is_running(record)


def test_the_environment_reaches_the_process(keeper: ProcessKeeper) -> None:
    program = "import os, time; print(os.environ['NAME'], flush=True); time.sleep(60)"
    keeper.start("teller", ("python", "-c", program), {"NAME": "a value"})
    wait_for_log(keeper, "teller", "a value")


def test_one_that_ignores_term_is_killed(keeper: ProcessKeeper) -> None:
    record = keeper.start("stubborn", STUBBORN, {})
    wait_for_log(keeper, "stubborn", "deaf")
    keeper.stop(["stubborn"], timeout_seconds=0.1)
    assert start_mark(record.pid) is None


def test_starting_twice_is_refused_and_ensure_keeps_or_replaces(keeper: ProcessKeeper) -> None:
    first = keeper.start("sleeper", SLEEP, {})
    with pytest.raises(ProcessError, match="already runs") as refusal:
        keeper.start("sleeper", SLEEP, {})
    assert refusal.value.code == "PROCESS_RUNNING"
    assert keeper.ensure("sleeper", SLEEP, {}) is False
    assert keeper.find("sleeper") == first
    assert keeper.ensure("sleeper", SLEEP, {"OTHER": "1"}) is True
    second = keeper.find("sleeper")
    assert second is not None
    assert second.pid != first.pid
    assert start_mark(first.pid) is None


def test_a_stranger_with_a_recorded_pid_is_left_alone(keeper: ProcessKeeper) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        keeper.run.mkdir()
        write_record(keeper.run / "engine.json", RunRecord("engine", "t", "x", stranger.pid, "then"))
        assert keeper.find("engine") is None
        keeper.stop(["engine"])
        assert stranger.poll() is None
        assert keeper.recorded() == []
    finally:
        stranger.kill()
        stranger.wait()


def test_one_that_ends_early_is_an_error_with_the_tail_of_its_log(keeper: ProcessKeeper) -> None:
    keeper.start("broken", ("python", "-c", "import sys; sys.exit('no such thing')"), {})
    with pytest.raises(ProcessError, match="no such thing") as failure:
        keeper.wait_until_ready("broken", lambda: False, 20)
    assert failure.value.code == "PROCESS_ENDED"


def test_one_that_never_gets_ready_is_an_error(keeper: ProcessKeeper) -> None:
    keeper.start("slow", SLEEP, {})
    with pytest.raises(ProcessError, match=r"not ready after 0\.05 s") as failure:
        keeper.wait_until_ready("slow", lambda: False, 0.05)
    assert failure.value.code == "PROCESS_NOT_READY"


def test_a_killed_process_is_noticed_though_nobody_waited_for_it(keeper: ProcessKeeper) -> None:
    record = keeper.start("victim", SLEEP, {})
    os.kill(record.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while keeper.find("victim") is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [found.name for found in keeper.recorded()] == ["victim"]


@pytest.mark.parametrize("name", ["", "Upper", "../escape", "a/b", "a b", "x" * 65])
def test_bad_names_are_refused(keeper: ProcessKeeper, name: str) -> None:
    with pytest.raises(ProcessError) as refusal:
        keeper.start(name, SLEEP, {})
    assert refusal.value.code == "PROCESS_NAME_INVALID"


@pytest.mark.parametrize("command", [(), ("",), ("no-such-program-anywhere",), ("/no/such/file",)])
def test_unknown_programs_are_refused_before_anything_starts(
    keeper: ProcessKeeper, command: tuple[str, ...]
) -> None:
    with pytest.raises(ProcessError) as refusal:
        keeper.start("name", command, {})
    assert refusal.value.code == "PROGRAM_NOT_FOUND"
    assert keeper.recorded() == []


def test_python_means_this_interpreter() -> None:
    assert find_program(("python", "-V")) == sys.executable


def test_one_whose_starter_was_interrupted_before_its_record_is_found(keeper: ProcessKeeper) -> None:
    script = f"""
import os, signal, sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from fabric_operator import processes
keeper = processes.ProcessKeeper(Path({str(keeper.run)!r}), Path({str(keeper.logs)!r}))
spawn = processes._spawn
def interrupted(*arguments):
    pid = spawn(*arguments)
    os.kill(os.getpid(), signal.SIGINT)
    return pid
processes._spawn = interrupted
try:
    keeper.start("sleeper", {SLEEP!r}, {{}})
except KeyboardInterrupt:
    sys.exit(7)
"""
    assert subprocess.run([sys.executable, "-c", script]).returncode == 7
    planned = read_record(keeper.run / "sleeper.json")
    assert planned is not None
    assert planned.pid == 0
    found = keeper.find("sleeper")
    assert found is not None
    assert os.getsid(found.pid) == found.pid
    keeper.stop(["sleeper"])
    assert start_mark(found.pid) is None


def test_one_that_was_planned_and_never_started_does_not_run(keeper: ProcessKeeper) -> None:
    keeper.run.mkdir()
    write_record(keeper.run / "planned.json", RunRecord("planned", "0" * 32, "x"))
    assert keeper.find("planned") is None
    keeper.stop(["planned"])
    assert keeper.recorded() == []


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"name": "a"}',
        '{"name":"a","token":"t","pid":"1","started":"x","fingerprint":"f"}',
    ],
)
def test_a_damaged_record_names_nobody(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    assert read_record(path) is None


@given(st.integers(min_value=2), st.text(), st.text(), st.text(), st.text(min_size=1))
def test_records_read_back(pid: int, name: str, started: str, mark: str, token: str) -> None:
    record = RunRecord(name, token, mark, pid, started)
    assert RunRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_this_process_runs_and_an_ended_one_does_not() -> None:
    assert start_mark(os.getpid()) == start_mark(os.getpid()) is not None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert start_mark(ended.pid) is None
