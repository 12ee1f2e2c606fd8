"""One demo run that the end-to-end tests share; its network keeps running until they are done."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.engines import engine_parameters
from support.installed_command import CONSENTRY, SECONDS, DemoRun, environment
from support.web_site import Server, Site, browsed, running_server

from consentry.network import EMBEDDED

SEED = "20261121"


@contextmanager
def running_demo(directory: Path, engine: str) -> Iterator[DemoRun]:
    """A demo that ran; its network runs on until it is left."""
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


@pytest.fixture(scope="session")
def embedded_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    with running_demo(tmp_path_factory.mktemp("demo") / "network", EMBEDDED) as demo:
        yield demo


@pytest.fixture(scope="session", params=engine_parameters())
def demo_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoRun]:
    if request.param == EMBEDDED:
        yield request.getfixturevalue("embedded_demo")
        return
    with running_demo(tmp_path_factory.mktemp("demo") / "network", request.param) as demo:
        yield demo


@pytest.fixture(scope="session")
def served(embedded_demo: DemoRun) -> Iterator[Server]:
    """Northgate's pages on the demo's ledger."""
    assert embedded_demo.status == 0, embedded_demo.output[-4000:]
    with running_server(embedded_demo.directory) as server:
        yield server


@pytest.fixture(scope="module")
def site(served: Server) -> Iterator[Site]:
    """The pages and a browser, which is ended with the file's tests: others have event loops of their own."""
    with browsed(served) as site:
        yield site
