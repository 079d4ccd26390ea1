from collections.abc import AsyncIterator

import pytest_asyncio

from tests.channels.simulators.stage import Stage, playing


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    async with playing() as stage:
        yield stage
