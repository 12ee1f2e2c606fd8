"""A ledger for tests of commands: remembers what was asked of it, and answers what it was told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consentry.cli.main import run


class FakeLedger:
    """Remembers what was asked of it, and answers what it was told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.answers: dict[str, Any] = {}
        for part in ("consents", "datasets", "grants", "access", "models", "data"):
            setattr(self, part, _Part(self, part))

    def __enter__(self) -> FakeLedger:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.calls.append(("close", (), {}))


class _Part:
    def __init__(self, ledger: FakeLedger, name: str) -> None:
        self._ledger, self._name = ledger, name

    def __getattr__(self, function: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            name = f"{self._name}.{function}"
            self._ledger.calls.append((name, arguments, options))
            answer = self._ledger.answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def ask(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert run(["--as", "northgate/steward", *arguments]) == status
    shown = capsys.readouterr()
    return shown.out if status == 0 else shown.err
