"""An engine for the consortium that a test's own fixture makes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.engine_material import Consortium

from fabric_embedded.engine import Engine


@pytest.fixture
async def engine(consortium: Consortium) -> AsyncIterator[Engine]:
    """It runs until the end of the test; files that add to an engine have a fixture of their own."""
    engine = consortium.engine()
    await engine.start()
    yield engine
    await engine.close()
