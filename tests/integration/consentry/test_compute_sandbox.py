"""What functions get away with in a sandbox: nothing but their declared outputs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from support.ordinary_user import as_user, home_directory
from support.processes import all_gone, below, until

from consentry.errors import ConfigurationError
from consentry.gate.compute.environment import PythonEnvironment
from consentry.gate.compute.isolation import Isolation, isolated, probe
from consentry.gate.compute.outputs import ARRAYS, METRICS, Declared, read_outputs, typed
from consentry.gate.compute.sandbox import Limits, Order, Run, RunEnded, Sandbox

pytestmark = pytest.mark.optional_tool("bubblewrap")
DECLARED = {"update": Declared(ARRAYS, 4096), "metrics": Declared(METRICS, 1024)}
KINDS = {name: one.kind for name, one in DECLARED.items()}
ROWS = pa.RecordBatch.from_pandas(pd.DataFrame({"x": [1.0, 2.0, 6.0]}))
LIMITS = Limits(seconds=60, cpu_seconds=30, memory_bytes=3 << 30)
GOOD = '{"update": {"w": [1.5]}, "metrics": {"ok": 1}}'


@pytest.fixture(scope="module")
def environment() -> PythonEnvironment:
    return PythonEnvironment.of()


@pytest.fixture(scope="module")
def sandbox(environment: PythonEnvironment) -> Sandbox:
    return Sandbox(environment, LIMITS)


def order(body: str, parameters: Any = None, **changes: Any) -> Order:
    """A function of these lines."""
    source = "def train(frame, parameters):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    given = {"outputs": KINDS, "output_bytes": 8192, **changes}
    return Order(source=source, parameters=parameters, **given)


def run(sandbox: Sandbox, body: str, parameters: Any = None) -> dict[str, Any]:
    data = sandbox.run(order(body, parameters), ROWS.schema, [ROWS])
    return {name: typed(KINDS[name], value) for name, value in read_outputs(data, DECLARED).items()}


def end_of(sandbox: Sandbox, body: str) -> str:
    with pytest.raises(RunEnded) as caught:
        run(sandbox, body)
    return caught.value.end


def test_declared_outputs_come_out(sandbox: Sandbox) -> None:
    body = """
    import numpy as np
    update = {"w": frame.x.to_numpy() * parameters["by"], "n": np.int32(len(frame))}
    return {"update": update, "metrics": {"mean": frame.x.mean(), "by": {"group": np.float32(0.5)}}}
    """
    found = run(sandbox, body, {"by": 2})
    assert found["update"]["w"].tolist() == [2.0, 4.0, 12.0]
    assert found["update"]["n"].tolist() == 3
    assert found["metrics"] == {"mean": 3.0, "by": {"group": 0.5}}


def test_the_gates_own_check_finds_that_it_holds(environment: PythonEnvironment, tmp_path: Path) -> None:
    assert isolated(LIMITS, hidden=[tmp_path]).environment == environment


@pytest.mark.parametrize(
    ("taken", "put", "reached"),
    [
        (["--remount-ro", "/"], [], "writable-files"),
        (["--clearenv"], ["--setenv", "HERE", os.environ["PATH"]], "environment"),
        (["--hostname", "sandbox"], ["--ro-bind", "/etc", "/etc"], "host-files"),
        (["--hostname", "sandbox"], ["--proc", "/proc"], "host-files"),
        (["--unshare-pid"], [], "signals"),
    ],
)
def test_the_gates_own_check_finds_what_is_lacking(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, taken: list[str], put: list[str], reached: str
) -> None:
    true = sandbox.command()
    place = next(i for i in range(len(true)) if true[i : i + len(taken)] == taken)
    command = [*true[:place], *put, *true[place + len(taken) :]]
    monkeypatch.setattr(Sandbox, "command", lambda _sandbox: command)
    assert reached in probe(sandbox)


def test_without_bubblewrap_nothing_is_run(
    environment: PythonEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        Sandbox(environment, LIMITS)
    assert caught.value.code == "ISOLATION_UNAVAILABLE"
    assert "install the package bubblewrap" in caught.value.message
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(ConfigurationError) as caught:
        isolated(LIMITS, python=sys.executable)
    assert caught.value.code == "ISOLATION_UNAVAILABLE"


ATTEMPTS = {
    "the-network": "import socket; socket.create_connection(('127.0.0.1', 22), 2)",
    "a-local-socket": "import socket; socket.socketpair()",
    "virtual-machine-sockets": "import socket; socket.socket(40, socket.SOCK_STREAM)",
    "a-hosts-file": "open('/etc/passwd').read()",
    "another-process-environment": "open('/proc/1/environ').read()",
    "its-own-proc": "open('/proc/self/maps').read()",
    "writing-at-the-root": "open('/x', 'w').write('x')",
    "writing-to-tmp": "import tempfile; tempfile.TemporaryFile()",
    "writing-to-dev": "open('/dev/x', 'w')",
    "a-file-without-a-name": "import os; os.memfd_create('x')",
    "a-link-to-outside": "import os; os.symlink('/etc/passwd', '/update')",
    "a-new-process": "import os; os.fork()",
    "a-program": "import subprocess; subprocess.run(['/bin/sh', '-c', 'true'])",
    "processes-of-a-pool": "import multiprocessing; multiprocessing.Pool(2)",
    "tracing": "import ctypes; assert ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0",
    "mounting": "import ctypes; assert ctypes.CDLL(None).mount(b'x', b'/dev', b'tmpfs', 0, None) == 0",
    "namespaces": "import ctypes; assert ctypes.CDLL(None).unshare(0x20000) == 0",
    "higher-limits": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "100-gb": "bytearray(100 << 30)",
    "its-parent": "import os; os.kill(os.getppid(), 9); os.kill(os.getppid(), 19); assert os.getppid() != 1",
}


TRY_ALL = """
reached = {}
for name, attempt in parameters.items():
    try:
        exec(attempt, {})
        reached[name] = 1
    except (OSError, MemoryError, AssertionError, ValueError, ImportError):
        reached[name] = 0
return {"update": {"w": [1]}, "metrics": reached}
"""


def test_a_function_cannot_reach_anything(sandbox: Sandbox) -> None:
    reached = run(sandbox, TRY_ALL, ATTEMPTS)["metrics"]
    assert len(reached) == len(ATTEMPTS)
    assert {name for name, was in reached.items() if was} == set()


def test_a_python_without_what_it_needs_is_said(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    lacking = Isolation(LIMITS, python=str(bare))
    with pytest.raises(ConfigurationError) as caught:
        lacking.sandbox()
    assert caught.value.code == "ENVIRONMENT_UNFIT"
    assert lacking.in_words().startswith("functions are not run here: ")
    assert "lacks numpy, pandas, pyarrow" in lacking.in_words()
    missing = Isolation(LIMITS, python=str(tmp_path / "missing"))
    assert "does not run as Python" in missing.in_words()


def test_there_is_nothing_of_the_machine_in_its_environment(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_GATE", "secret")
    body = f"""
    import os
    assert set(os.environ) <= {{"LANG", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PWD"}} | {{
        name for name in os.environ if name.startswith("KMP_")}}
    assert os.uname().nodename == "sandbox" and os.getuid() == os.getgid() == 65534
    assert sorted(os.listdir("/etc")) in ([], ["ld.so.cache"]) and os.listdir("/dev")
    return {GOOD}
    """
    assert run(sandbox, body)["metrics"] == {"ok": 1}


ENDS = {
    "bombs of processes": ("import os\nwhile True: os.fork()", "function-failed"),
    "memory": ("x = []\nwhile True: x.append(bytearray(1 << 24))", "limit-exceeded"),
    "an exception": ("raise ValueError(frame.x.tolist())", "function-failed"),
    "its own exit": ("import os; os._exit(0)", "function-failed"),
    "a broken process": ("import ctypes; ctypes.string_at(0)", "function-failed"),
    "no outputs": ("return None", "outputs-refused"),
    "an undeclared one": (f"return {{**{GOOD}, 'rows': {{'x': frame.x}}}}", "outputs-refused"),
    "a name that leads elsewhere": (f"return {{**{GOOD}, '../metrics': {{}}}}", "outputs-refused"),
    "objects": (
        'import numpy as np; return {"update": {"w": np.array([open], object)}, "metrics": {}}',
        "outputs-refused",
    ),
    "too much": (
        'import numpy as np; return {"update": {"w": np.zeros(600)}, "metrics": {}}',
        "outputs-refused",
    ),
    "far too much": (
        'import numpy as np; return {"update": {"w": np.zeros(1 << 24)}, "metrics": {}}',
        "limit-exceeded",
    ),
    "deep tables": (
        'x = {}\nfor _ in range(100000): x = {"x": x}\nreturn {"update": {"w": [1]}, "metrics": x}',
        "outputs-refused",
    ),
}


@pytest.mark.parametrize(("body", "end"), list(ENDS.values()), ids=list(ENDS))
def test_a_function_ends_without_outputs_by(sandbox: Sandbox, body: str, end: str) -> None:
    assert end_of(sandbox, body) == end


def test_a_bomb_of_threads_is_ended(sandbox: Sandbox) -> None:
    body = """
    import threading, time
    threading.stack_size(1 << 15)
    while True:
        try:
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
        except RuntimeError:
            time.sleep(0.1)
    """
    assert end_of(sandbox, body) == "limit-exceeded"


def test_an_endless_loop_ends_by_the_clock(environment: PythonEnvironment) -> None:
    limited = Sandbox(environment, Limits(seconds=4, memory_bytes=3 << 30))
    assert end_of(limited, "import time\nwhile True: time.sleep(1)") == "limit-exceeded"


def test_an_endless_computation_ends_by_its_processor_time(environment: PythonEnvironment) -> None:
    limited = Sandbox(environment, Limits(seconds=100, cpu_seconds=3, memory_bytes=3 << 30))
    assert end_of(limited, "while True: pass") == "limit-exceeded"


def test_a_flood_on_every_descriptor_is_cut_off(sandbox: Sandbox) -> None:
    body = """
    import os
    print("x" * 10_000_000)
    while True:
        for number in range(64):
            try:
                os.write(number, b"x" * 65536)
            except OSError:
                pass
    """
    assert end_of(sandbox, body) == "limit-exceeded"


def test_what_a_function_writes_past_the_protocol_is_refused(sandbox: Sandbox) -> None:
    body = f"""
    import os
    for number in range(3, 64):
        try:
            os.write(number, b'{{"outputs": {{"../x": []}}}}\\n')
        except OSError:
            pass
    return {GOOD}
    """
    assert end_of(sandbox, body) == "outputs-refused"


def test_threads_do_not_outlive_the_run(sandbox: Sandbox) -> None:
    before = below(os.getpid())
    body = f"""
    import threading, time
    for _ in range(3):
        threading.Thread(target=time.sleep, args=(3600,)).start()
    return {GOOD}
    """
    assert run(sandbox, body)["metrics"] == {"ok": 1}
    assert set(below(os.getpid())) <= set(before)


def test_a_run_that_is_stopped_ends_at_once(sandbox: Sandbox) -> None:
    before = below(os.getpid())
    one = Run(sandbox, order("import time; time.sleep(3600)"))
    threading.Timer(2.0, one.stop, args=("permit-overtaken",)).start()
    with pytest.raises(RunEnded) as caught:
        one.result(ROWS.schema, [ROWS])
    assert caught.value.end == "permit-overtaken"
    assert set(below(os.getpid())) <= set(before)


def test_a_failure_while_rows_are_given_is_what_the_run_ends_with(sandbox: Sandbox) -> None:
    def rows() -> Iterator[pa.RecordBatch]:
        yield ROWS
        raise RunEnded("permit-ended")

    with pytest.raises(RunEnded) as caught:
        Run(sandbox, order(f"return {GOOD}")).result(ROWS.schema, rows())
    assert caught.value.end == "permit-ended"


GATE = """
import pyarrow as pa
from consentry.gate.compute.environment import PythonEnvironment
from consentry.gate.compute.sandbox import Limits, Order, Sandbox
source = "def train(frame, parameters):\\n    while True: pass"
order = Order(source=source, parameters=None, outputs={}, output_bytes=10)
Sandbox(PythonEnvironment.of(), Limits()).run(order, pa.schema([]), [])
"""


def test_nothing_is_left_running_when_the_gate_is_killed() -> None:
    process = subprocess.Popen([sys.executable, "-c", GATE])
    # bubblewrap, the first process of its namespace, and the function's
    assert until(lambda: len(below(process.pid)) == 3)
    started = below(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert all_gone(started)


def orphans() -> list[str]:
    """Sandboxes whose starter is gone."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_sandbox = b"inside.run import main" in (process / "cmdline").read_bytes()
            if is_sandbox and "\nPPid:\t1\n" in (process / "status").read_text():
                found.append(process.name)
    return found


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 3, 5, 8, 13, 21, 34])
def test_a_sandbox_that_is_not_complete_when_the_gate_is_killed_runs_nothing(milliseconds: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", GATE])
    assert until(lambda: bool(below(process.pid)))
    time.sleep(milliseconds / 1000)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert until(lambda: orphans() == [])


def test_it_holds_for_a_user_without_privileges(request: pytest.FixtureRequest) -> None:
    interpreter = request.getfixturevalue("optional_tool")("ordinary-user")
    assert shutil.which("bwrap")
    program = (
        "from consentry.gate.compute.isolation import isolated\n"
        "from consentry.gate.compute.sandbox import Limits\n"
        "import os; assert os.getuid(); print(isolated(Limits(memory_bytes=3 << 30)).limits.threads)"
    )
    with home_directory() as home:
        done = subprocess.run(
            [interpreter, "-c", program], capture_output=True, text=True, cwd=home, **as_user(home)
        )
    assert done.stdout == "1\n", done.stderr
