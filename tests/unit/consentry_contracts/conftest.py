from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from support.consortium import Consortium

from fabric_testing import Recorder, recording, replay


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    """Whatever these tests ran runs again at the end, in a process that differs in all but its input."""
    recorder = Recorder()
    yield recorder
    if recorder.transactions:
        assert replay(recorder).skipped == {}


@pytest.fixture(autouse=True)
def recorded(recorder: Recorder) -> Iterator[None]:
    with recording(into=recorder):
        yield


@pytest_asyncio.fixture
async def consortium() -> AsyncIterator[Consortium]:
    yield await Consortium.initialized()
