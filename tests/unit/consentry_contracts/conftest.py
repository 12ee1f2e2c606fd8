from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from support.consortium import Consortium
from support.other_pythons import environments

from fabric_testing import Recorder, recording, replay


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    """Whatever these tests ran runs again at the end, in a process that differs in all but its input.

    Where another version of Python is found, that runs it.
    """
    recorder = Recorder()
    yield recorder
    if recorder.transactions:
        interpreters = environments()[-1:] or [sys.executable]
        assert replay(recorder, interpreters=interpreters).skipped == {}


@pytest.fixture(autouse=True)
def recorded(recorder: Recorder) -> Iterator[None]:
    with recording(into=recorder):
        yield


@pytest_asyncio.fixture
async def consortium() -> AsyncIterator[Consortium]:
    yield await Consortium.initialized()
