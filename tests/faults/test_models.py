"""F16: the server of models is busy, failing, silent or talks nonsense, and later well again."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from db.unit import Database
from kit.ai import Provider, make_provider
from kit.settings import Settings
from services import bookmarks
from services.agents import AgentName, Workflow
from services.permissions import Viewer
from tasks import embedding, enrichment
from tasks.agent import Tools
from tasks.agents.conductor import conductor
from tasks.agents.units import unit_runners
from tasks.envelope import Handler
from tests.fakes.openai import Fault, Models
from tests.fakes.openai.server import KEY
from tests.fakes.web import Web
from tests.faults.processes import until
from tests.make import Maker
from tests.tasks.links import checking
from tests.tasks.toys import counts, fates, start, toy
from tests.working import TestWorker, worker_on

OTHERS = (AgentName.VALIDATION, AgentName.ENRICHMENT, AgentName.CATEGORIZATION)
EMBEDDING_STEP = len(OTHERS)


def outside(settings: Settings, models: Models, **changes: Any) -> Settings:
    """Settings whose models are the stub, and pauses short enough for a test."""
    return replace(
        settings,
        openai_api_key=KEY,
        openai_base_url=models.base_url,
        embedding_dimensions=32,
        ai_prices="text-embedding-3-small=0.02",
        ai_max_tries=1,
        ai_timeout_seconds=0.5,
        ai_breaker_failures=2,
        ai_breaker_pause_seconds=0.2,
        task_retry_seconds=0.01,
        task_retry_max_seconds=0.02,
        task_sweep_seconds=0.1,
        **changes,
    )


def handlers(database: Database, settings: Settings, provider: Provider) -> dict[str, Handler]:
    """The embedding agent with a provider outside, behind agents that need none."""
    nothing: Any = None
    known = {name: toy(name) for name in OTHERS} | {AgentName.EMBEDDING: embedding.AGENT}
    tools = Tools(settings, database, provider, nothing, nothing, None)
    return {one.kind: one for one in (conductor(known), *unit_runners(known, tools))}


async def embedded(database: Database) -> set[UUID]:
    return {row["bookmark_id"] for row in await database.fetch("SELECT bookmark_id FROM embeddings")}


async def assert_exact(database: Database, models: Models) -> None:
    """Compare the ledger with what the stub billed, call by call, and the month with the sum."""
    rows: Sequence[Any] = await database.fetch("SELECT id, state, input_tokens, microdollars FROM ai_calls")
    billed = models.billed()
    assert {str(row["id"]) for row in rows} == set(billed)
    settled = {str(row["id"]): row["input_tokens"] for row in rows if row["state"] == "SETTLED"}
    assert settled == {key: tokens for key, (tokens, _) in billed.items() if key in settled}
    assert all(billed[str(row["id"])] == (0, 0) for row in rows if row["state"] != "SETTLED")
    month = await database.fetchval("SELECT tokens FROM ai_months WHERE agent = ''")
    assert month == sum(row["input_tokens"] for row in rows)


@pytest.mark.parametrize("fault", [Fault.FAILS, Fault.HANGS, Fault.BUSY, Fault.DROPS])
async def test_what_could_not_be_embedded_is_embedded_later(
    database: Database, settings: Settings, make: Maker, fault: Fault
) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer, {"title": f"Bread {number}"})).id for number in range(3)]
    async with Models() as models:
        configured = outside(settings, models)
        models.always = fault
        async with aclosing(make_provider(configured)) as provider:
            task = await start(database, viewer, ids, Workflow.STANDARD)
            async with worker_on(database, configured, handlers(database, configured, provider)) as worker:
                await until(lambda: asked_in_vain(worker, models), "asked in vain", 20)
                assert await embedded(database) == set()
                assert {fate[0] for fate in (await fates(database, task, EMBEDDING_STEP)).values()} == {"PENDING"}
                models.always = None
                await worker.until_idle()
        assert await embedded(database) == set(ids)
        assert (await counts(database, task))[EMBEDDING_STEP] == ("EMBEDDING", "COMPLETED", 3, 3, 0, 0)
        await assert_exact(database, models)


async def described(database: Database, viewer: Viewer, key: UUID) -> tuple[bool, bool, bool]:
    """Tell whether a bookmark is known by what its page says, and whether it has a description and a summary."""
    row = await bookmarks.get(database, viewer, key)
    assert row is not None
    return bool(row.word_count), bool(row.description), bool(row.summary)


@pytest.mark.parametrize("fault", [None, Fault.FAILS], ids=["comes back", "stays away"])
async def test_what_could_not_be_described_is_usable_and_described_later(
    database: Database, settings: Settings, make: Maker, fault: Fault | None
) -> None:
    viewer = await make.viewer()
    async with Models(always=Fault.FAILS) as models, Web() as web:
        key = (await make.bookmark(viewer, {"url": web.url("untitled")})).id
        configured = outside(settings, models, task_max_attempts=2)
        async with aclosing(make_provider(configured)) as provider, checking(database, configured) as checker:
            known = {AgentName.ENRICHMENT: enrichment.AGENT}
            tools = replace(checker.tools, provider=provider)
            able = {one.kind: one for one in (conductor(known), *unit_runners(known, tools))}
            task = await start(database, viewer, [key], Workflow.ENRICHMENT_ONLY)
            async with worker_on(database, configured, able) as worker:
                await until(lambda: read_in_vain(worker, database, key), "read in vain", 20)
                assert await described(database, viewer, key) == (True, False, False)
                assert {fate[0] for fate in (await fates(database, task)).values()} == {"PENDING"}
                models.always = fault
                await worker.until_idle()
        assert await described(database, viewer, key) == (True, True, True)
        assert await counts(database, task) == [("ENRICHMENT", "COMPLETED", 1, 1, 0, 0)]


async def read_in_vain(worker: TestWorker, database: Database, key: UUID) -> bool:
    worker.wake()
    return bool(await database.fetchval("SELECT count(*) FROM pages WHERE bookmark_id = $1", key))


def asked_in_vain(worker: TestWorker, models: Models) -> bool:
    worker.wake()
    return len(models.calls) > 1


async def test_nonsense_costs_its_bookmark_and_the_ledger_knows(
    database: Database, settings: Settings, make: Maker
) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer, {"title": f"Bread {number}"})).id for number in range(3)]
    async with Models(always=Fault.WRONG_DIMENSION) as models:
        configured = outside(settings, models)
        async with aclosing(make_provider(configured)) as provider:
            task = await start(database, viewer, ids, Workflow.STANDARD)
            async with worker_on(database, configured, handlers(database, configured, provider)) as worker:
                await worker.until_idle()
        assert (await counts(database, task))[EMBEDDING_STEP][2:] == (3, 0, 3, 0)
        assert await embedded(database) == set()
        await assert_exact(database, models)


async def test_a_budget_ends_the_work_cleanly(database: Database, settings: Settings, make: Maker) -> None:
    viewer = await make.viewer()
    ids = [(await make.bookmark(viewer, {"title": "Bread " * 20})).id for _ in range(130)]
    async with Models() as models:
        configured = outside(settings, models, ai_tokens_per_user_month=8_000)  # two batches of 64 and no third
        async with aclosing(make_provider(configured)) as provider:
            task = await start(database, viewer, ids, Workflow.STANDARD)
            async with worker_on(database, configured, handlers(database, configured, provider)) as worker:
                await worker.until_idle()
        _, status, total, done, failed, skipped = (await counts(database, task))[EMBEDDING_STEP]
        assert (status, total, failed) == ("COMPLETED", 130, 0)
        assert done == len(await embedded(database)) > 0
        assert done + skipped == 130
        reasons = {fate[1] for fate in (await fates(database, task, EMBEDDING_STEP)).values() if fate[0] == "SKIPPED"}
        assert len(reasons) == 1
        assert "budget of this account for models is used up" in str(reasons)
        await assert_exact(database, models)
