"""Taking imports back when somebody else is at work too."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from db.unit import Database
from db.users import UserRow
from resolvers.context import Services
from services.imports.writing import write_chunk
from tests.api.test_imports import LIBRARY, STATE, imported, start, upload
from tests.client import Graph
from tests.faults.processes import until
from tests.working import working

UNDO = "mutation ($id: ID!) { undoImport(input: {id: $id}) { import { undoTask { status } } userErrors { code } } }"
MINE = '<DL><DT><A HREF="https://example.org/a">Mine</A></DL>'
TWICE = """
<DL>
<DT><A HREF="https://example.org/a" TAGS="one">First</A><DD>What the file says
<DT><A HREF="https://example.org/b">Other</A>
<DT><A HREF="https://example.org/a" TAGS="two">Again</A>
</DL>
"""


async def undone(graph: Graph, services: Services, who: UserRow, key: str) -> dict[str, Any]:
    """Take an import back and return its state."""
    assert (await graph.ask(UNDO, who, id=key))["undoImport"]["userErrors"] == []
    async with working(services) as worker:
        await worker.until_idle()
    return dict((await graph.ask(STATE, who, id=key))["import"])


async def test_a_row_that_is_repeated_makes_one_new_version(graph: Graph, services: Services, ada: UserRow) -> None:
    async with imported(graph, services, ada, MINE):
        before = (await graph.ask(LIBRARY, ada))["bookmarks"]["nodes"]
    async with imported(graph, services, ada, TWICE) as state:
        version = "SELECT version FROM bookmarks WHERE url = 'https://example.org/a'"
        assert await services.database.fetchval(version) == 2
    state = await undone(graph, services, ada, state["id"])
    assert (state["removed"], state["restored"], state["kept"]) == (1, 1, 0)
    assert (await graph.ask(LIBRARY, ada))["bookmarks"]["nodes"] == before


async def test_a_change_between_two_chunks_is_kept(
    graph: Graph, services: Services, ada: UserRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with imported(graph, services, ada, MINE):
        pass
    calls = 0

    async def disturbed(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            await services.database.execute(
                "UPDATE bookmarks SET description = 'My own words', version = version + 1 WHERE description IS NOT NULL"
            )
        return await write_chunk(*given, **named)

    monkeypatch.setattr("tasks.imports.write_chunk", disturbed)
    services = replace(services, settings=replace(services.settings, import_chunk_rows=1))
    async with imported(graph, services, ada, TWICE) as state:
        assert state["merged"] == 2
    state = await undone(graph, services, ada, state["id"])
    assert (state["removed"], state["restored"], state["kept"]) == (1, 0, 1)
    assert [one["description"] for one in (await graph.ask(LIBRARY, ada))["bookmarks"]["nodes"]] == ["My own words"]


async def test_what_is_gone_for_good_is_not_kept(graph: Graph, services: Services, ada: UserRow) -> None:
    async with imported(graph, services, ada, TWICE) as state:
        await services.database.execute("DELETE FROM bookmarks WHERE url = 'https://example.org/b'")
    state = await undone(graph, services, ada, state["id"])
    assert (state["removed"], state["kept"]) == (1, 0)


async def test_asking_many_times_at_once_undoes_once(graph: Graph, services: Services, ada: UserRow) -> None:
    async with imported(graph, services, ada, TWICE) as state:
        answers = await asyncio.gather(*(graph.ask(UNDO, ada, id=state["id"]) for _ in range(5)))
    assert [answer["undoImport"]["userErrors"] for answer in answers] == [[]] * 5
    assert await services.database.fetchval("SELECT count(*) FROM a2a_tasks WHERE kind = 'import.undo'") == 1


async def test_an_undo_that_failed_can_be_asked_for_again(graph: Graph, services: Services, ada: UserRow) -> None:
    async with imported(graph, services, ada, TWICE) as state:
        await graph.ask(UNDO, ada, id=state["id"])
    await services.database.execute("UPDATE a2a_tasks SET status = 'FAILED' WHERE kind = 'import.undo'")
    state = await undone(graph, services, ada, state["id"])
    assert state["undoneAt"] is not None
    assert (await graph.ask(LIBRARY, ada))["bookmarks"]["nodes"] == []


async def somebody_waits(database: Database) -> bool:
    """Tell whether a transaction waits for a lock."""
    return bool(
        await database.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple'))"
        )
    )


async def test_steering_never_deadlocks_with_the_worker(graph: Graph, services: Services, ada: UserRow) -> None:
    """Whoever steers locks the import before its task, as the worker does."""
    key = await start(graph, ada, await upload(graph, services, ada, TWICE))
    async with services.database.unit() as writing:
        await writing.execute("SET LOCAL deadlock_timeout = '10ms'")
        await writing.execute("UPDATE imports SET next_row = next_row")
        cancelling = asyncio.create_task(
            graph.ask("mutation ($id: ID!) { cancelImport(input: {id: $id}) { userErrors { code } } }", ada, id=key)
        )
        await until(lambda: somebody_waits(services.database), "the cancellation waits for the import")
        await writing.execute("UPDATE a2a_tasks SET progress = progress")
    assert (await cancelling)["cancelImport"]["userErrors"] == []


async def test_what_rules_do_with_an_import_goes_with_it(graph: Graph, services: Services, ada: UserRow) -> None:
    made = """
    mutation { createRule(input: {
        name: "Mine", query: "title:other", events: [IMPORTED], actions: {addTags: ["ruled"], isFavorite: true}
    }) { userErrors { code } } }
    """
    assert (await graph.ask(made, ada))["createRule"]["userErrors"] == []
    async with imported(graph, services, ada, MINE):
        before = (await graph.ask(LIBRARY, ada))["bookmarks"]["nodes"]
    async with imported(graph, services, ada, TWICE) as state:
        found = await services.database.fetch(
            "SELECT title, version, is_favorite, tag_words FROM bookmarks ORDER BY url"
        )
        assert tuple(found[1]) == ("Other", 1, True, "ruled")
        assert found[0]["is_favorite"] is False
        assert await services.database.fetchval("SELECT array_agg(reason) FROM suggestions") == [
            "Your rule “Mine” says so."
        ]
    state = await undone(graph, services, ada, state["id"])
    assert (state["removed"], state["restored"], state["kept"]) == (1, 1, 0)
    assert (await graph.ask(LIBRARY, ada))["bookmarks"]["nodes"] == before
    assert await services.database.fetchval("SELECT count(*) FROM suggestions") == 0
