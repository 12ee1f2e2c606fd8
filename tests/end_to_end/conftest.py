"""One demo run that the end-to-end tests share; its network keeps running until they are done."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from support.engines import engine_parameters
from support.installed_command import CONSENTRY, SECONDS, DemoRun, environment

SEED = "20261121"


@pytest.fixture(scope="session", params=engine_parameters())
def demo_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    engine = request.param
    directory = tmp_path_factory.mktemp("demo") / "network"
    done = subprocess.run(
        [CONSENTRY, "--network", str(directory), "demo", "--seed", SEED, "--engine", engine],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        env=environment(),
    )
    try:
        yield DemoRun(directory, done.stdout, done.returncode, engine)
    finally:
        subprocess.run(
            [CONSENTRY, "--network", str(directory), "network", "down"], timeout=SECONDS, check=False
        )
