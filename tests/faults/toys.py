"""A worker whose agent does to itself what the address of a bookmark says: run with `python -m tests.faults.toys`."""

import asyncio
import os
import time
from collections.abc import Sequence

from app.cli.support import run, service_settings
from app.cli.work import run_worker
from db.unit import Unit
from services.agents import AgentName
from services.events import EventDraft
from tasks.agent import Agent, Batch, Done, Outcome, Write
from tasks.spending import Settle, metered

SLOW_SECONDS = 0.05


async def ask(batch: Batch) -> Sequence[Outcome]:
    """Ask a model about each batch, and count each bookmark once when that is paid."""
    paid = await metered(batch, AgentName.EMBEDDING).embed([str(item.bookmark_id) for item in batch.items])
    return [Done(write=_counted(item.bookmark_id, paid.settle)) for item in batch.items]


async def process(batch: Batch) -> Sequence[Outcome]:
    """Count each bookmark once, unless its address says `kill`, `hang` or `raise`."""
    keys = [item.bookmark_id for item in batch.items]
    found = await batch.tools.database.fetch("SELECT url FROM bookmarks WHERE id = ANY($1)", keys)
    urls = " ".join(row["url"] for row in found)
    if "slow" in urls:
        await asyncio.sleep(SLOW_SECONDS)
    if "kill" in urls:
        os._exit(9)
    if "hang" in urls:
        time.sleep(600)  # noqa: ASYNC251  an endless loop in somebody's parser
    if "raise" in urls:
        raise RuntimeError("secret")
    return [Done(write=_counted(key)) for key in keys]


def _counted(key: object, settle: Settle | None = None) -> Write:
    async def write(unit: Unit) -> list[EventDraft]:
        if settle is not None:
            await settle(unit)
        await unit.execute("UPDATE bookmarks SET word_count = coalesce(word_count, 0) + 1 WHERE id = $1", key)
        return []

    return write


AGENTS = {
    name: Agent(name, "1.0.0", "A toy.", does, chunk_items=50, batch_items=5, parallel=2)
    for name, does in (
        (AgentName.VALIDATION, process),
        (AgentName.CATEGORIZATION, process),
        (AgentName.EMBEDDING, ask),
    )
}

if __name__ == "__main__":
    run(run_worker(service_settings(), AGENTS))
