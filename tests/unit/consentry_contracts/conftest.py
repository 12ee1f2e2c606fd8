from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from support.consortium import Consortium


@pytest_asyncio.fixture
async def consortium() -> AsyncIterator[Consortium]:
    yield await Consortium.initialized()
