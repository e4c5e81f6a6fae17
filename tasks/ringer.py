"""Rings the doorbell (tasks.broker). Every process rings; only workers listen.

To ring by PostgreSQL takes one NOTIFY. So a process that answers requests loads neither Taskiq nor Redis, which are a
fifth of its memory, unless a Redis is set.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from db import agents as tasks
from db.unit import Database, Ringer
from kit.settings import Settings

log = structlog.get_logger(__name__)
RING_SECONDS: Final = 1.0


@asynccontextmanager
async def make_ringer(settings: Settings, database: Database) -> AsyncIterator[Ringer]:
    """Give what delivers the bells of committed transactions.

    Ringing never fails: what was committed stands, and a worker that hears nothing looks by itself.
    """
    if settings.redis_url is None:

        async def notify(_bell: str) -> None:
            await tasks.ring(database)

        yield _patient(notify)
        return

    from tasks.broker import redis_ringer  # noqa: PLC0415  see above

    async with redis_ringer(settings) as ring:
        yield _patient(ring)


def _patient(ring: Ringer) -> Ringer:
    """Give up a ring after a second, and never fail."""

    async def rung(bell: str) -> None:
        try:
            async with asyncio.timeout(RING_SECONDS):
                await ring(bell)
        except Exception as error:  # noqa: BLE001  see `make_ringer`
            log.warning("doorbell.unreachable", bell=bell, error=repr(error))

    return rung
