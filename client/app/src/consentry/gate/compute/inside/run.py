"""The first and only program in the sandbox: limits itself, reads rows, calls `train`, writes its outputs.

On its input: one line of JSON (source, parameters, outputs, limits, paths), then an Arrow IPC stream. On its
output: an empty line once it is ready for them, one line of JSON that describes the outputs or says why there
are none, then the arrays' bytes. The function can write there whatever it likes; the reader believes nothing
(`consentry.gate.compute.outputs`).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import types
from collections.abc import Mapping
from typing import Any, BinaryIO

from . import system_calls

READY = b"\n"
"""What is written first: nothing of an order is given to a sandbox that is not complete."""

_KINDS = "biuf"
_LARGEST_ITEM_BYTES = 8
_THREADS = 512


class OutputsDiffer(Exception):
    """What the function returned is not what was declared."""


def main() -> None:
    """Run; the exit status says nothing."""
    # What the function prints goes nowhere; nothing but this descriptor leads out.
    answer = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    # From here on this ends with whoever started it: only now it is told what to run.
    answer.write(READY)
    answer.flush()
    order = json.loads(sys.stdin.buffer.readline())
    sys.path.extend(order["paths"])
    _limit(order["limits"])
    system_calls.lock()
    try:
        parts = _parts(_call(order), order["outputs"])
    except MemoryError:
        _write(answer, {"failed": "limit-exceeded"}, [])
    except OutputsDiffer:
        _write(answer, {"failed": "outputs-refused"}, [])
    except BaseException:
        _write(answer, {"failed": "function-failed"}, [])
    else:
        _write(answer, *parts)
    # Threads of the function end here, too.
    os._exit(0)


def _limit(limits: Mapping[str, int]) -> None:
    """Limits for this process: it will be the only one."""
    for kind, value in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_NOFILE, limits["open_files"]),
        # Threads are counted by whoever started the sandbox, too: this limit does not bind root.
        (resource.RLIMIT_NPROC, _THREADS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(kind, (value, value))


def _call(order: Mapping[str, Any]) -> Any:
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    with pa.ipc.open_stream(sys.stdin.buffer) as reader:
        frame = reader.read_all().to_pandas(use_threads=False, self_destruct=True)
    module = types.ModuleType("function")
    # Dataclasses, for one, look their module up.
    sys.modules["function"] = module
    exec(compile(order["source"], "function.py", "exec"), module.__dict__)  # noqa: S102
    return module.train(frame, order["parameters"])


def _parts(result: Any, declared: Mapping[str, str]) -> tuple[dict[str, Any], list[bytes]]:
    """The description of a function's outputs and the bytes of its arrays."""
    if not isinstance(result, Mapping) or set(result) != set(declared):
        raise OutputsDiffer
    outputs: dict[str, Any] = {}
    data: list[bytes] = []
    for name, kind in declared.items():
        if kind == "arrays":
            outputs[name] = _arrays(result[name], data)
            continue
        try:
            outputs[name] = _plain(result[name])
        except RecursionError:
            raise OutputsDiffer from None
    return {"outputs": outputs}, data


def _arrays(values: Any, data: list[bytes]) -> list[dict[str, Any]]:
    import numpy as np

    if not isinstance(values, Mapping):
        raise OutputsDiffer
    described = []
    for name, value in values.items():
        array = np.asarray(value)
        if array.dtype.kind not in _KINDS or array.dtype.itemsize > _LARGEST_ITEM_BYTES:
            raise OutputsDiffer
        little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        data.append(little.tobytes(order="C"))
        described.append({"name": name, "type": little.dtype.str[1:], "shape": list(array.shape)})
    return described


def _plain(value: Any) -> Any:
    """Numbers as JSON has them, of numpy too."""
    import numpy as np

    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _write(answer: BinaryIO, description: Mapping[str, Any], data: list[bytes]) -> None:
    try:
        line = json.dumps(description).encode()
    except (TypeError, ValueError, RecursionError, MemoryError):
        line, data = b'{"failed": "outputs-refused"}', []
    answer.write(line + b"\n")
    for part in data:
        answer.write(part)
    answer.flush()
