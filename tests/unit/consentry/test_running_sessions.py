"""Which sessions run on this machine: a lock that goes with its process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from consentry.errors import ConfigurationError
from consentry.running_sessions import RunningSessions

PROGRAM = """
import pathlib, sys, time
from consentry.running_sessions import RunningSessions
running = RunningSessions(pathlib.Path(sys.argv[1]))
running.mark("session-1")
print("marked", flush=True)
time.sleep(60)
"""


def test_a_session_is_lost_once_its_process_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "running"
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(place)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"marked\n"
        assert RunningSessions(place).lost() == ()
        process.send_signal(signal.SIGKILL)
    running = RunningSessions(place)
    assert running.lost() == ("session-1",)
    running.unmark("session-1")
    assert running.lost() == ()
    assert place.stat().st_mode & 0o777 == 0o700


def test_ones_own_sessions_are_not_lost(tmp_path: Path) -> None:
    running, other = RunningSessions(tmp_path / "r"), RunningSessions(tmp_path / "r")
    running.mark("session-1")
    running.mark("session-2")
    assert (running.lost(), other.lost()) == ((), ())
    running.unmark("session-1")
    running.close()
    assert other.lost() == ("session-2",)


def test_a_directory_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir(mode=0o755)
    with pytest.raises(ConfigurationError) as caught:
        RunningSessions(tmp_path / "r").mark("session-1")
    assert caught.value.code == "PATH_EXPOSED"
