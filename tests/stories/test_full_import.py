"""Somebody brings a whole library along, and agents check, read, sort and embed it: offline, then with a model server.

`GRAPHMARK_STORY_BOOKMARKS=5000` (`make story`) is the size that a release asks for.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from db.unit import Database
from kit.ids import decode_global_id
from kit.settings import Settings
from tests.fakes.openai import Fault, models_process
from tests.fakes.openai.server import KEY
from tests.fakes.web.library import Library
from tests.fakes.web.process import RemoteWeb, web_process
from tests.stories import outcomes
from tests.stories.stage import Stage, staged

BOOKMARKS = int(os.environ.get("GRAPHMARK_STORY_BOOKMARKS", "600"))
ASKING = min(BOOKMARKS, 300) if BOOKMARKS < 5_000 else BOOKMARKS
SECONDS_EACH, SECONDS_AT_LEAST = 0.4, 240.0
FAULT_EVERY = 7
PAGE = 20

SEARCH = """
query ($query: String!, $mode: SearchMode!) {
  search(query: $query, mode: $mode, first: 10) { nodes { bookmark { url } } }
}
"""
DETAILS = """
query ($query: String!, $first: Int!) {
  search(query: $query, mode: FULL_TEXT, first: $first) {
    nodes {
      bookmark {
        url title language link { status verdict httpStatus failures }
        tasks(first: 5) { nodes { workflow status } }
        suggestions { kind tagName confidence reason status }
      }
    }
  }
}
"""

pytestmark = pytest.mark.timeout(int(2 * (SECONDS_AT_LEAST + SECONDS_EACH * BOOKMARKS)))


def patience(bookmarks: int) -> float:
    """Return how many seconds a library of some size may take."""
    return SECONDS_AT_LEAST + SECONDS_EACH * bookmarks


@pytest_asyncio.fixture(loop_scope="session")
async def web(tmp_path: Path) -> AsyncIterator[RemoteWeb]:
    """A local web."""
    async with web_process(tmp_path) as running:
        yield running


async def check_all(stage: Stage, imported: dict[str, Any]) -> None:
    """Assert all that must be true of a library that agents are done with, and of what was told meanwhile."""
    database, library, web = stage.database, stage.library, stage.web
    counts = {name: imported[name] for name in ("total", "created", "merged", "skipped", "errors")}
    assert counts == {"total": len(library), "created": len(library), "merged": 0, "skipped": 0, "errors": 0}
    await outcomes.check_bookmarks(database, library, web)
    await outcomes.check_links(database, library, web)
    await outcomes.check_enrichment(database, library, web)
    await outcomes.check_work(database, decode_global_id(imported["workflow"]["id"])[1], len(library))
    await outcomes.check_vectors(database, len(library))
    await outcomes.check_events(database)
    outcomes.check_progress(stage.progress.states)
    await outcomes.check_task_log(database, stage.tasks.states)


async def test_a_library_is_checked_read_sorted_and_embedded_offline(
    database: Database, settings: Settings, tmp_path: Path, web: RemoteWeb
) -> None:
    library = Library(BOOKMARKS)
    async with staged(database, settings, tmp_path, web, library) as stage:
        imported = await stage.import_library(patience=patience(BOOKMARKS))
        await check_all(stage, imported)
        await check_what_people_see(stage)
        journal = await web.journal()
        assert journal.most_in_flight() <= settings.host_concurrency
        agents = {one.headers["user-agent"] for one in journal.asked}
        assert all(agent.startswith("Graphmark/") or "HeadlessChrome/" in agent for agent in agents), agents


async def check_what_people_see(stage: Stage) -> None:
    """Assert that the graph shows what was found, and that a question in other words finds the pages about it."""
    for topic in [entry.site.topic for entry in stage.library.entries if entry.site.name in {"bread", "train"}][:1]:
        assert topic is not None
        found = await stage.remote.ask(SEARCH, query=topic.asked[0], mode="HYBRID")
        urls = [node["bookmark"]["url"] for node in found["search"]["nodes"]]
        entries = outcomes.entry_at(stage.library, stage.web)
        assert sum(entries[url].site.topic == topic for url in urls) >= len(urls) // 2
    missing = await details(stage, "status:404")
    assert len(missing) == min(PAGE, sum(entry.site.check.http_status == 404 for entry in stage.library.entries))
    assert {(node["link"]["status"], node["link"]["verdict"]) for node in missing} == {("NOT_FOUND", "SUSPECT")}
    german = await details(stage, "title:Wandern")
    assert german
    assert {node["language"] for node in german} == {"de"}
    assert {task["status"] for node in german for task in node["tasks"]["nodes"]} == {"COMPLETED"}
    assert any(node["suggestions"] for node in german)


async def details(stage: Stage, query: str) -> list[dict[str, Any]]:
    """Return what the graph shows of the bookmarks that a query finds, at most `PAGE`."""
    found = await stage.remote.ask(DETAILS, query=query, first=PAGE)
    return [node["bookmark"] for node in found["search"]["nodes"]]


async def test_the_same_with_a_model_server_that_fails_now_and_then(
    database: Database, settings: Settings, tmp_path: Path, web: RemoteWeb
) -> None:
    """Every seventh call fails in one of four ways; everybody gets their description, and the ledger is exact."""
    library = Library(ASKING)
    async with models_process() as models:
        await models.script([Fault.BUSY, Fault.WRONG_DIMENSION], every=FAULT_EVERY)
        asking = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": models.base_url, "AI_PROVIDER": "openai"}
        async with staged(database, settings, tmp_path, web, library, environment=asking) as stage:
            imported = await stage.import_library(patience=patience(ASKING))
            await check_all(stage, imported)
        await outcomes.check_ledger(database, await models.calls())
