"""Where a sandbox cannot be had: not every call proves that anew, and a machine's failure is called one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from consentry.errors import ConfigurationError
from consentry.gate.compute import isolation
from consentry.gate.compute.isolation import Isolation
from consentry.gate.compute.sandbox import Limits, Order, Run, RunEnded


def test_what_did_not_hold_is_tried_again_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox: Any = object()
    answers: list[Any] = [ConfigurationError("ISOLATION_UNAVAILABLE", "no bwrap"), sandbox]

    def isolated(*_arguments: Any, **_options: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    now = [1000.0]
    monkeypatch.setattr(isolation, "isolated", isolated)
    monkeypatch.setattr(isolation, "time", SimpleNamespace(monotonic=lambda: now[0]))
    found = Isolation()
    for _ in range(3):
        with pytest.raises(ConfigurationError, match="no bwrap") as caught:
            found.sandbox()
        assert caught.value.code == "ISOLATION_UNAVAILABLE"
    assert len(answers) == 1
    now[0] += 61
    assert found.sandbox() is found.sandbox() is sandbox


@pytest.mark.parametrize("program", ["/nowhere/bwrap", "/"])
def test_a_machine_that_starts_no_process_fails_the_run(program: str) -> None:
    sandbox: Any = SimpleNamespace(command=lambda: [program], limits=Limits())
    order = Order(source="", parameters=None, outputs={}, output_bytes=1)
    with pytest.raises(RunEnded) as caught:
        Run(sandbox, order).result(pa.schema([]), [])
    assert caught.value.end == "failed"
