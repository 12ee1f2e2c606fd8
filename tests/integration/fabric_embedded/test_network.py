"""The life of a network's processes: up, down, kills, interrupts, strangers, other chaincode."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.embedded import BASIC_CHAINCODE, enrolled_user, two_organization_topology

from fabric_embedded.network import EmbeddedNetwork
from fabric_embedded.paths import NetworkPaths
from fabric_gateway import Contract
from fabric_operator.errors import NetworkError, ProcessError
from fabric_operator.ports import read_ports
from fabric_operator.run_records import RunRecord, write_record

from .conftest import connect

OWN = ["engine", "chaincode-alpha", "chaincode-beta"]


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[EmbeddedNetwork]:
    """A network that was never up."""
    network = EmbeddedNetwork.create(tmp_path / "network", two_organization_topology())
    yield network
    network.down()


@pytest.fixture
def running(stopped: EmbeddedNetwork) -> EmbeddedNetwork:
    stopped.up()
    return stopped


def states(network: EmbeddedNetwork) -> dict[str, str]:
    return {node.name: node.state for node in network.status()}


def pids(network: EmbeddedNetwork) -> dict[str, int]:
    return {node.name: node.pid for node in network.status() if node.pid is not None}


def submitting(network: EmbeddedNetwork, work: Callable[[Contract], bytes]) -> bytes:
    """Do some work as a fresh user of alpha."""
    user = enrolled_user(network, "alpha", f"user-{time.monotonic_ns()}")
    with connect(network, user) as gateway:
        return work(gateway.network("testing").contract("basic"))


def in_another_process(network: EmbeddedNetwork, then: str) -> subprocess.Popen[str]:
    """A process that brings the network up and says what it is told."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom fabric_embedded.network import EmbeddedNetwork\n"
        f"network = EmbeddedNetwork.load(Path({str(network.directory)!r}))\n"
        f"network.up(lambda text: print(text, flush=True))\n{then}\n"
    )
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


def test_up_serves_and_says_what_it_did_and_up_again_changes_nothing(stopped: EmbeddedNetwork) -> None:
    told: list[str] = []
    stopped.up(told.append)
    assert told[:3] == [f"{name} started" for name in OWN]
    assert told[-1].startswith("network ready after")
    assert states(stopped) == dict.fromkeys(OWN, "running")
    before = pids(stopped)
    assert submitting(stopped, lambda contract: contract.submit("basic:put", "k", "v")) == b"v"
    stopped.up()
    assert pids(stopped) == before


def test_down_ends_everything_and_the_state_stays(running: EmbeddedNetwork) -> None:
    submitting(running, lambda contract: contract.submit("basic:put", "k", "kept"))
    before = pids(running)
    running.start_process("helper", ("python", "-c", "import time; time.sleep(60)"), {})
    running.down()
    assert states(running) == dict.fromkeys(OWN, "stopped")
    for pid in before.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    running.down()
    running.up()
    assert submitting(running, lambda contract: contract.evaluate("basic:get", "k")) == b"kept"


def test_a_killed_engine_comes_back_with_everything_acknowledged(running: EmbeddedNetwork) -> None:
    submitting(running, lambda contract: contract.submit("basic:put", "k", "acknowledged"))
    before = pids(running)
    os.kill(before["engine"], signal.SIGKILL)
    running.up()
    after = pids(running)
    assert after["engine"] != before["engine"]
    assert after["chaincode-alpha"] == before["chaincode-alpha"]
    assert submitting(running, lambda contract: contract.evaluate("basic:get", "k")) == b"acknowledged"


def test_a_killed_chaincode_is_died_and_up_brings_it_back(running: EmbeddedNetwork) -> None:
    os.kill(pids(running)["chaincode-beta"], signal.SIGKILL)
    while states(running)["chaincode-beta"] == "running":
        time.sleep(0.01)
    assert states(running)["chaincode-beta"] == "died"
    running.up()
    assert submitting(running, lambda contract: contract.submit("basic:put", "k", "again")) == b"again"


def test_an_interrupted_up_ends_what_it_started(stopped: EmbeddedNetwork) -> None:
    starter = in_another_process(stopped, "")
    assert starter.stdout is not None
    assert starter.stdout.readline() == "engine started\n"
    starter.send_signal(signal.SIGINT)
    starter.communicate(timeout=60)
    assert starter.returncode != 0
    assert states(stopped) == dict.fromkeys(OWN, "stopped")
    stopped.up()
    assert submitting(stopped, lambda contract: contract.submit("basic:put", "k", "v")) == b"v"


def test_what_a_killed_up_left_is_taken_over(stopped: EmbeddedNetwork) -> None:
    starter = in_another_process(stopped, "")
    assert starter.stdout is not None
    starter.stdout.readline()
    starter.kill()
    starter.communicate(timeout=60)
    stopped.up()
    assert states(stopped) == dict.fromkeys(OWN, "running")
    assert submitting(stopped, lambda contract: contract.submit("basic:put", "k", "v")) == b"v"


def test_the_network_outlives_its_starter(stopped: EmbeddedNetwork) -> None:
    starter = in_another_process(stopped, "")
    starter.communicate(timeout=60)
    assert starter.returncode == 0
    assert states(stopped) == dict.fromkeys(OWN, "running")


def test_two_at_once_are_one_too_many(stopped: EmbeddedNetwork) -> None:
    starter = in_another_process(stopped, "")
    assert starter.stdout is not None
    starter.stdout.readline()
    with pytest.raises(NetworkError) as refusal:
        stopped.up()
    assert refusal.value.code == "NETWORK_BUSY"
    starter.communicate(timeout=60)


def test_a_port_taken_by_somebody_is_named_and_nothing_starts(stopped: EmbeddedNetwork) -> None:
    port = read_ports(NetworkPaths(stopped.directory).ports)["peer/beta"]
    refused = pytest.raises(NetworkError, match=rf"{port} \(peer/beta\)")
    with socket.create_server(("127.0.0.1", port)), refused as refusal:
        stopped.up()
    assert refusal.value.code == "PORT_TAKEN"
    assert states(stopped) == dict.fromkeys(OWN, "stopped")


def test_a_stranger_with_a_recorded_pid_survives_up_and_down(stopped: EmbeddedNetwork) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        run = NetworkPaths(stopped.directory).run
        write_record(run / "engine.json", RunRecord("engine", "token", "x", stranger.pid, "yesterday"))
        assert states(stopped)["engine"] == "died"
        stopped.up()
        stopped.down()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_chaincode_that_cannot_start_is_told_with_its_log_and_nothing_stays(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('no module named nonsense')")
    network = EmbeddedNetwork.create(tmp_path / "network", two_organization_topology(command))
    with pytest.raises(ProcessError, match="no module named nonsense") as failure:
        network.up()
    assert failure.value.code == "PROCESS_ENDED"
    assert set(states(network).values()) == {"stopped"}


def test_chaincode_is_replaced_by_another_command_and_back(running: EmbeddedNetwork, tmp_path: Path) -> None:
    altered = tmp_path / "altered.py"
    source = Path(BASIC_CHAINCODE[1]).read_text()
    altered.write_text(source.replace("return value.decode()", 'return "altered"'))
    submitting(running, lambda contract: contract.submit("basic:put", "k", "original"))
    running.start_chaincode("AlphaMSP", (sys.executable, str(altered)))
    assert submitting(running, lambda contract: contract.evaluate("basic:get", "k")) == b"altered"
    running.start_chaincode("alpha")
    assert submitting(running, lambda contract: contract.evaluate("basic:get", "k")) == b"original"
    running.start_chaincode("alpha", (sys.executable, str(altered)))
    running.up()
    assert submitting(running, lambda contract: contract.evaluate("basic:get", "k")) == b"original"


def test_a_stopped_chaincode_is_missing_in_status(running: EmbeddedNetwork) -> None:
    running.stop_chaincode("beta")
    assert states(running) == {"engine": "running", "chaincode-alpha": "running", "chaincode-beta": "stopped"}
    running.start_chaincode("beta")
    assert submitting(running, lambda contract: contract.submit("basic:put", "k", "v")) == b"v"


def test_other_processes_are_kept_replaced_and_stopped(stopped: EmbeddedNetwork) -> None:
    sleep = ("python", "-c", "import time; time.sleep(60)")
    stopped.start_process("helper", sleep, {"A": "1"})
    first = pids(stopped)["helper"]
    stopped.start_process("helper", sleep, {"A": "1"})
    assert pids(stopped)["helper"] == first
    stopped.start_process("helper", sleep, {"A": "2"})
    assert pids(stopped)["helper"] != first
    stopped.stop_process("helper")
    assert "helper" not in states(stopped)
    for name in ("engine", "chaincode-alpha", "chaincode-other"):
        with pytest.raises(NetworkError) as refusal:
            stopped.start_process(name, sleep, {})
        assert refusal.value.code == "PROCESS_NAME_RESERVED"


def test_a_second_engine_on_one_directory_is_refused(running: EmbeddedNetwork) -> None:
    command = [sys.executable, "-m", "fabric_embedded", "serve", str(running.directory)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert "ENGINE_RUNNING" in second.stderr


def test_an_engine_whose_directory_was_deleted_ends(running: EmbeddedNetwork) -> None:
    engine = pids(running)["engine"]
    moved = running.directory.with_name("moved")
    running.directory.rename(moved)
    os.waitpid(engine, 0)
    moved.rename(running.directory)
    assert states(running)["engine"] == "died"


def test_a_directory_without_network_is_not_served(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fabric_embedded", "serve", str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert "NETWORK_NOT_FOUND" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_destroy_leaves_nothing(running: EmbeddedNetwork) -> None:
    running.destroy()
    assert not running.directory.exists()
    again = EmbeddedNetwork.create(running.directory, two_organization_topology())
    assert again.anchor() != ""
