"""A worker says which agents it has, when it begins and again and again while it lives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import structlog

from db import agents as tasks
from db.unit import Database
from kit.settings import Settings
from services.agents import AgentName, fleet
from tasks.agent import Agent
from tasks.agents.registry import Card, cards

log = structlog.get_logger(__name__)


@asynccontextmanager
async def present(database: Database, settings: Settings, agents: Mapping[AgentName, Agent]) -> AsyncIterator[None]:
    """Announce the agents of a worker, and say that they are there as long as the block lasts.

    A database that is away delays it: the worker does its work all the same.
    """
    announcing = asyncio.create_task(_announce(database, settings, agents))
    try:
        yield
    finally:
        announcing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await announcing


async def _announce(database: Database, settings: Settings, agents: Mapping[AgentName, Agent]) -> None:
    known = [_told(card) for card in cards(agents)]
    is_known = False
    while True:
        try:
            is_known = await _say(database, known, is_known=is_known)
        except Exception as error:  # noqa: BLE001  the database is away: say it later
            log.warning("agents.unannounced", error=repr(error))
        await asyncio.sleep(settings.agent_heartbeat_seconds)


async def _say(database: Database, known: list[dict[str, Any]], *, is_known: bool) -> bool:
    async with database.unit() as unit:
        if not is_known or not await tasks.beat(unit, [card["name"] for card in known]):
            await fleet.register(unit, known)
    return True


def _told(card: Card) -> dict[str, Any]:
    return asdict(card) | {"name": card.name.value}
