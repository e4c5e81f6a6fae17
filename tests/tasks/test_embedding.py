"""The embedding agent: what it embeds, what it leaves, what it refuses, and what it writes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from db import embedding
from db.unit import Database
from kit.ai import Answer, BadAnswer, LocalProvider, ProviderDown, Question, Space, Usage
from kit.errors import Conflict
from kit.paging import PageRequest
from kit.settings import Settings
from services import bookmarks
from services.agents import AgentName, Workflow
from services.embedding.meaning import Meaning
from services.embedding.spaces import settle
from services.permissions import Viewer
from services.search import find
from tasks.agent import Deferred, Done, Failed, Skipped, Tools
from tasks.agents import make_handlers
from tasks.embedding import AGENT, BATCH_ITEMS, keep_up, process
from tests.make import Maker
from tests.meaning import Concepts, batch_of, run_agent
from tests.tasks.toys import counts, start
from tests.working import worker_on


async def stored(database: Database) -> dict[UUID, tuple[list[float], datetime]]:
    rows = await database.fetch("SELECT bookmark_id, vector::real[] AS vector, embedded_at FROM embeddings")
    return {row["bookmark_id"]: (row["vector"], row["embedded_at"]) for row in rows}


async def change(database: Database, key: UUID, title: str) -> None:
    await database.execute("UPDATE bookmarks SET title = $2, updated_at = now() WHERE id = $1", key, title)


async def test_a_text_is_embedded_once_and_again_when_it_changes(database: Database, make: Maker) -> None:
    viewer, provider = await make.viewer(), Concepts()
    keys = [(await make.bookmark(viewer, {"title": title})).id for title in ("bread", "bike")]
    new = Done({"space": "test/concepts", "isNew": True})
    same = Done({"space": "test/concepts", "isNew": False})
    outcomes = await run_agent(database, viewer, keys, provider)
    assert [replace(one, write=None) for one in outcomes if isinstance(one, Done)] == [new, new]
    first = await stored(database)
    assert [first[key][0] for key in keys] == [[1, *[0] * 7], [0, 1, *[0] * 6]]

    await change(database, keys[1], "star")
    outcomes = await run_agent(database, viewer, keys, provider)
    assert [replace(one, write=None) for one in outcomes if isinstance(one, Done)] == [same, new]
    assert provider.asked == [["bread\nexample.org", "bike\nexample.org"], ["star\nexample.org"]]
    second = await stored(database)
    assert [second[key][0] for key in keys] == [[1, *[0] * 7], [0, 0, 1, *[0] * 5]]
    assert all(second[key][1] > first[key][1] for key in keys)  # both were looked at

    await run_agent(database, viewer, keys, provider)
    assert len(provider.asked) == 2


async def test_what_changes_meanwhile_is_caught_the_next_time(database: Database, make: Maker) -> None:
    viewer, provider = await make.viewer(), Concepts()
    row = await make.bookmark(viewer, {"title": "bread"})
    (outcome,) = await process(batch_of(database, viewer, [row.id], provider))
    await change(database, row.id, "star")
    assert isinstance(outcome, Done)
    assert outcome.write is not None
    for _ in range(2):  # a write may run again
        async with database.unit() as unit:
            await outcome.write(unit)
    assert (await stored(database))[row.id][0] == [1, *[0] * 7]
    await run_agent(database, viewer, [row.id], provider)
    assert (await stored(database))[row.id][0] == [0, 0, 1, *[0] * 5]


async def test_an_older_answer_never_replaces_a_newer_one(database: Database, make: Maker) -> None:
    viewer, provider = await make.viewer(), Concepts()
    row = await make.bookmark(viewer, {"title": "bread"})
    (late,) = await process(batch_of(database, viewer, [row.id], provider))
    await change(database, row.id, "star")
    await run_agent(database, viewer, [row.id], provider)
    assert isinstance(late, Done)
    assert late.write is not None
    async with database.unit() as unit:
        await late.write(unit)
    assert (await stored(database))[row.id][0] == [0, 0, 1, *[0] * 5]


async def test_what_has_gone_is_skipped_and_what_goes_meanwhile_is_borne(database: Database, make: Maker) -> None:
    viewer, other, provider = await make.viewer(), await make.viewer(), Concepts()
    trashed, going = await make.trashed(viewer, {"title": "bread"}), await make.bookmark(viewer, {"title": "bread"})
    theirs = await make.bookmark(other, {"title": "bread"})
    outcomes = await process(batch_of(database, viewer, [trashed.id, going.id, theirs.id], provider))
    assert outcomes[0] == outcomes[2] == Skipped("The bookmark is in the trash or gone.")
    assert provider.asked == [["bread\nexample.org"]]
    async with database.unit() as unit:
        await bookmarks.delete(unit, viewer, [going.id], permanently=True)
    assert isinstance(outcomes[1], Done)
    assert outcomes[1].write is not None
    async with database.unit() as unit:
        assert list(await outcomes[1].write(unit)) == []
    assert await stored(database) == {}


@pytest.mark.parametrize("is_local", [True, False])
async def test_private_notes_stay_with_a_model_of_our_own(database: Database, make: Maker, is_local: bool) -> None:
    viewer, provider = await make.viewer(), Concepts(is_local=is_local)
    row = await make.bookmark(
        viewer, {"title": "bread", "description": "a loaf", "notes": "my secret", "tags": ["kitchen/oven"]}
    )
    await run_agent(database, viewer, [row.id], provider)
    told = ["bread", "a loaf", "kitchen oven", *(["my secret"] if is_local else []), "example.org"]
    assert provider.asked == [["\n".join(told)]]


@dataclass
class Wrong(Concepts):
    """Answers wrongly for texts with a word of `answers`, and not at all where one has the word `refused`."""

    answers: dict[str, list[float]] = field(default_factory=dict)
    refused: str = "poison"

    async def embed(self, texts: Sequence[str]) -> Answer[list[list[float]]]:
        if any(self.refused in text for text in texts):
            self.asked.append(list(texts))
            raise BadAnswer("This cannot be used.")
        return await super().embed(texts)

    def vector(self, text: str) -> list[float]:
        return next((vector for word, vector in self.answers.items() if word in text), super().vector(text))


async def test_a_bad_answer_costs_only_its_own_bookmark(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    titles = ["bread", "poison", "short", "nan", "infinite", "nothing", "bike"]
    keys = [(await make.bookmark(viewer, {"title": title})).id for title in titles]
    provider = Wrong(
        answers={"short": [1.0] * 7, "nan": [math.nan] * 8, "infinite": [math.inf] * 8, "nothing": [0.0] * 8}
    )
    outcomes = await run_agent(database, viewer, keys, provider)
    reasons: list[Any] = [one.reason if isinstance(one, Failed) else None for one in outcomes]
    unusable = "The model gave a vector that cannot be used: "
    assert reasons == [
        None,
        "The model gave no usable vector for this text.",
        f"{unusable}A vector of this space has 8 numbers; this one has 7.",
        f"{unusable}A vector holds finite numbers only.",
        f"{unusable}A vector holds finite numbers only.",
        f"{unusable}A vector of zeros points nowhere.",
        None,
    ]
    assert set(await stored(database)) == {keys[0], keys[6]}


async def test_too_few_answers_are_not_taken_for_those_of_others(database: Database, make: Maker) -> None:
    @dataclass
    class Short(Concepts):
        async def embed(self, texts: Sequence[str]) -> Answer[list[list[float]]]:
            answer = await super().embed(texts)
            return Answer(answer.value[:1], answer.usage)

    viewer = await make.viewer()
    keys = [(await make.bookmark(viewer, {"title": title})).id for title in ("bread", "bike", "star")]
    outcomes = await run_agent(database, viewer, keys, Short())
    assert all(isinstance(one, Done) for one in outcomes)
    kept = await stored(database)
    assert [kept[key][0].index(1) for key in keys] == [0, 1, 2]


async def test_a_model_of_another_length_is_refused_as_a_whole(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(viewer, {"title": "bread"})
    await run_agent(database, viewer, [row.id], Concepts())
    before = await stored(database)
    with pytest.raises(Conflict, match="have 8 numbers, those of the model now have 5"):
        await run_agent(database, viewer, [row.id], Concepts(space=Space("test/concepts", 5)))
    assert await stored(database) == before


@pytest.mark.parametrize("is_local", [True, False])
async def test_a_model_that_is_away_is_asked_again_later(database: Database, make: Maker, is_local: bool) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(viewer, {"title": "bread"})
    away = Concepts(failure=ProviderDown("Away.", retry_after_seconds=7), is_local=is_local)
    assert await run_agent(database, viewer, [row.id], away) == [Deferred(7, "Away.")]
    assert await stored(database) == {}


async def test_a_budget_that_is_used_up_skips_and_says_so(database: Database, make: Maker) -> None:
    @dataclass
    class Dear(Concepts):
        def most(self, question: Question, chars: int) -> Usage:
            return Usage(f"dear for {question}", 10**9 + chars)

    viewer, provider = await make.viewer(), Dear(is_local=False)
    row = await make.bookmark(viewer, {"title": "bread"})
    (outcome,) = await run_agent(database, viewer, [row.id], provider)
    assert isinstance(outcome, Skipped)
    assert "budget of this account for models is used up" in outcome.reason
    assert provider.asked == []
    assert await stored(database) == {}
    assert await database.fetchval("SELECT count(*) FROM ai_calls") == 0


async def test_each_call_of_a_batch_is_in_the_ledger_once(database: Database, make: Maker) -> None:
    viewer, provider = await make.viewer(), Concepts()
    keys = [(await make.bookmark(viewer, {"title": title})).id for title in ("bread", "bike", "star")]
    for _ in range(2):
        await run_agent(database, viewer, keys, provider)
    calls = await database.fetch("SELECT agent, model, bookmarks, state, owner_id FROM ai_calls")
    assert [tuple(row) for row in calls] == [("EMBEDDING", "test/concepts", 3, "SETTLED", viewer.id)]


async def test_the_local_model_embeds_what_there_is(database: Database, make: Maker) -> None:
    viewer: Viewer = await make.viewer()
    titles = ["Sourdough bread at home", "日本語のページ", "", "\x01"]
    keys = [(await make.bookmark(viewer, {"title": title})).id for title in titles]
    provider = LocalProvider()
    try:
        outcomes = await run_agent(database, viewer, keys, provider)
    finally:
        await provider.aclose()
    assert all(isinstance(one, Done) for one in outcomes)
    assert set(await stored(database)) == set(keys)
    assert {len(vector) for vector, _ in (await stored(database)).values()} == {provider.space.dimensions}


async def kept_up(database: Database, space: Space) -> int:
    async with database.unit() as unit:
        return await keep_up(unit, space)


async def workflows(database: Database) -> list[tuple[UUID, int]]:
    rows = await database.fetch(
        """
        SELECT t.owner_id, (SELECT count(*) FROM a2a_task_items i WHERE i.task_id = t.id) AS items FROM a2a_tasks t
        WHERE workflow = 'EMBEDDING_ONLY' AND parent_id IS NULL ORDER BY t.created_at
        """
    )
    return [(row["owner_id"], row["items"]) for row in rows]


async def test_who_uses_embeddings_is_kept_up_to_date(database: Database, make: Maker) -> None:
    viewer, other, provider = await make.viewer(), await make.viewer(), Concepts()
    key = (await make.bookmark(viewer, {"title": "bread"})).id
    await make.bookmark(other, {"title": "bread"})
    assert await kept_up(database, provider.space) == 0
    await run_agent(database, viewer, [key], provider)
    assert await kept_up(database, provider.space) == 0
    added = [(await make.bookmark(viewer, {"title": title})).id for title in ("bike", "star")]
    assert await kept_up(database, provider.space) == 1
    assert await workflows(database) == [(viewer.id, 2)]
    assert await kept_up(database, provider.space) == 0  # it is under way
    await database.execute("UPDATE a2a_tasks SET status = 'COMPLETED', run_after = now(), finished_at = now()")
    await run_agent(database, viewer, added, provider)
    assert await kept_up(database, provider.space) == 0


async def test_another_model_takes_over_when_it_has_all(database: Database, make: Maker) -> None:
    viewer, old, new = await make.viewer(), Concepts(), Concepts(space=Space("test/new", 5))
    keys = [(await make.bookmark(viewer, {"title": title})).id for title in ("bread", "bike", "star")]
    await run_agent(database, viewer, keys, old)

    async def step() -> int:
        async with database.unit() as unit:
            return await settle(unit, new.space)

    assert await step() == 0
    assert await kept_up(database, new.space) == 1
    assert await workflows(database) == [(viewer.id, 3)]
    await run_agent(database, viewer, keys[:2], new)
    assert await step() == 0
    assert [(space.name, space.is_active) for space in await embedding.all_spaces(database)] == [
        ("test/concepts", True),
        ("test/new", False),
    ]
    await run_agent(database, viewer, keys[2:], new)
    assert [await step() for _ in range(5)] == [1, 1, 3, 1, 0]
    assert [(space.name, space.is_active) for space in await embedding.all_spaces(database)] == [("test/new", True)]
    assert {len(vector) for vector, _ in (await stored(database)).values()} == {5}
    assert set(await stored(database)) == set(keys)


async def test_a_workflow_lets_search_find_by_meaning(database: Database, quick: Settings, make: Maker) -> None:
    viewer, other = await make.viewer(), await make.viewer()
    await make.bookmark(other, {"title": "sourdough"})
    titles = ["sourdough loaf", "bicycle", *(f"star {number}" for number in range(150))]
    for title in titles:
        await make.bookmark(viewer, {"title": title})
    provider = Concepts()
    nothing: Any = None
    handlers = make_handlers(Tools(quick, database, provider, nothing, nothing, None), {AgentName.EMBEDDING: AGENT})
    task = await start(database, viewer, None, Workflow.EMBEDDING_ONLY)
    async with worker_on(database, quick, handlers) as worker:
        await worker.until_idle()
    assert await counts(database, task) == [("EMBEDDING", "COMPLETED", 152, 152, 0, 0)]
    assert len(await stored(database)) == 152
    assert max(map(len, provider.asked)) <= BATCH_ITEMS
    meaning = Meaning(lambda: [provider], timeout_seconds=5)
    query = await find.understand(database, viewer, "bread", find.SearchMode.HYBRID, meaning)
    page = await find.page(database, viewer, query, PageRequest(limit=10, backward=False, position=None))
    assert [hit.bookmark.title for hit in page.hits] == ["sourdough loaf"]
