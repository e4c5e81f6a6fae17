"""The categorization agent on a real database, with the local model and with one that answers what it is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import pytest
import pytest_asyncio

from db import embedding
from db.bookmarks import BookmarkRow
from db.embedding import NewEmbedding
from db.unit import Database
from kit.ai import (
    Answer,
    BadAnswer,
    Choice,
    Choices,
    LocalProvider,
    PageText,
    Provider,
    ProviderBusy,
    ProviderDown,
    Space,
    Vocabulary,
)
from kit.settings import Settings
from services import categorization, rules, tags
from services.events import record
from services.permissions import Viewer
from services.rules import NewRule, RuleActions, RuleEvent
from services.spending import BudgetExhausted
from tasks.agent import Batch, Deferred, Done, Item, Outcome, Skipped, Tools
from tasks.categorization import process
from tests.make import Maker

SPACE = Space("test/four", 4)


@dataclass
class Model:
    """A model that answers `choices`, or fails; vectors are those of the texts that it knows."""

    choices: Choices = field(default_factory=Choices)
    failure: Exception | None = None
    asked: list[tuple[PageText, Vocabulary]] = field(default_factory=list)
    name: str = "test"
    space: Space = SPACE
    version: str = "1"
    detail: str = "A model of tests."
    is_local: bool = True

    async def choose(self, page: PageText, vocabulary: Vocabulary) -> Answer[Choices]:
        self.asked.append((page, vocabulary))
        if self.failure is not None:
            raise self.failure
        return Answer(self.choices, ())

    async def embed(self, texts: Sequence[str]) -> Answer[list[list[float]]]:
        return Answer([[1.0, 0.0, 0.0, 0.0] for _ in texts], ())


@pytest_asyncio.fixture(loop_scope="session")
async def ada(make: Maker) -> Viewer:
    return await make.viewer()


async def sort(database: Database, owner: Viewer, model: Any, *rows: BookmarkRow | UUID) -> list[Outcome]:
    """Let the agent look at bookmarks and write what comes of it, as the runner of units does."""
    tools = Tools(
        settings=Settings(),
        database=database,
        provider=cast("Provider", model),
        fetcher=cast("Any", None),
        pages=cast("Any", None),
        browser=None,
    )
    items = [Item(at, row if isinstance(row, UUID) else row.id, 1) for at, row in enumerate(rows)]
    outcomes = list(await process(Batch(task_id=UUID(int=1), owner_id=owner.id, tools=tools, items=items)))
    for outcome in outcomes:
        if isinstance(outcome, Done) and outcome.write is not None:
            async with database.unit() as unit:
                await record(unit, owner.id, await outcome.write(unit))
    return outcomes


async def proposals(database: Database, row: BookmarkRow) -> dict[tuple[str, str], tuple[str, str]]:
    """Return status and source of what is proposed, by kind and name."""
    found = await database.fetch("SELECT * FROM suggestions WHERE bookmark_id = $1", row.id)
    return {(one["kind"], one["name"]): (one["status"], one["source"]) for one in found}


async def embedded(database: Database, owner: Viewer, *rows: BookmarkRow) -> None:
    """Put bookmarks side by side in the space of the test's model."""
    async with database.unit() as unit:
        space = await embedding.space_named(unit, SPACE.name)
        if space is None:
            space = await embedding.make_space(unit, name=SPACE.name, model="m", dimensions=SPACE.dimensions)
            assert space is not None
            await embedding.activate(unit, space.id)
        found = await embedding.embeddable(unit, owner.id, space, [row.id for row in rows])
        for row in found.values():
            await embedding.put(
                unit, owner.id, space, NewEmbedding(row.id, [1.0, 0.1, 0.0, 0.0], b"d" * 16, row.read_at)
            )


async def tags_of(database: Database, row: BookmarkRow) -> list[str]:
    found = await database.fetch(
        "SELECT path FROM tags JOIN bookmark_tags ON tag_id = id WHERE bookmark_id = $1 ORDER BY path", row.id
    )
    return [one["path"] for one in found]


async def test_an_empty_library_is_sorted_offline(database: Database, make: Maker, ada: Viewer) -> None:
    row = await make.bookmark(ada, {"url": "https://example.org/b", "title": "A sourdough bread recipe for baking"})
    async with database.unit() as unit:
        await categorization.settings.change(unit, ada, {"ask_provider": False})
    model = Model()
    (outcome,) = await sort(database, ada, model, row)
    assert isinstance(outcome, Done)
    assert model.asked == []
    assert await proposals(database, row) == {("CATEGORY", "Food"): ("PENDING", "TAXONOMY")}
    assert [one["name"] for one in outcome.data["proposals"]] == ["Food"]


async def test_the_local_model_proposes_a_category(database: Database, make: Maker, ada: Viewer) -> None:
    row = await make.bookmark(ada, {"title": "Kubernetes and Docker: deploying a cluster in the cloud"})
    model = LocalProvider()
    try:
        await sort(database, ada, model, row)
    finally:
        await model.aclose()
    found = await proposals(database, row)
    assert found[("CATEGORY", "Cloud/DevOps")] == ("PENDING", "PROVIDER")


async def test_neighbours_tell_tags_collection_and_category(database: Database, make: Maker, ada: Viewer) -> None:
    place = await make.collection(ada, "Systems")
    sorted_rows = [
        await make.bookmark(ada, {"title": "Rust", "tags": ["lang/rust"], "collection_ids": [place.id]})
        for _ in range(4)
    ]
    other = await make.bookmark(ada, {"title": "Cooking", "tags": ["food"]})
    async with database.unit() as unit:
        kinds = await categorization.categories.ensure(unit, ada.id)
        await unit.execute(
            "UPDATE bookmarks SET category_id = $1 WHERE id = $2", kinds["development"].id, sorted_rows[0].id
        )
    row = await make.bookmark(ada, {"title": "Ownership and borrowing"})
    await embedded(database, ada, *sorted_rows)
    model = Model()
    await sort(database, ada, model, row)
    assert await proposals(database, row) == {
        ("TAG", "lang/rust"): ("PENDING", "NEIGHBOURS"),
        ("COLLECTION", "Systems"): ("PENDING", "NEIGHBOURS"),
        ("CATEGORY", "Development"): ("PENDING", "NEIGHBOURS"),
    }
    ((page, vocabulary),) = model.asked
    assert vocabulary.tags == ("lang/rust",)
    assert vocabulary.collections == ("Systems",)
    assert len(vocabulary.categories) == 23
    assert page.title == "Ownership and borrowing"
    reason = await database.fetchval("SELECT reason FROM suggestions WHERE kind = 'TAG'")
    assert reason == "Of your 4 most similar bookmarks that are sorted, 4 bear it."
    assert await tags_of(database, row) == []
    assert await proposals(database, other) == {}


async def test_somebody_elses_library_says_nothing(database: Database, make: Maker, ada: Viewer) -> None:
    bob = await make.viewer()
    theirs = [await make.bookmark(bob, {"title": "Rust", "tags": ["secret"]}) for _ in range(3)]
    await embedded(database, bob, *theirs)
    row = await make.bookmark(ada, {"title": "secret"})
    model = Model(Choices(tags=(Choice("secret", 0.9, "It says so."),)))
    await sort(database, ada, model, row)
    assert model.asked[0][1].tags == ()
    assert await database.fetchval("SELECT tag_id FROM suggestions WHERE bookmark_id = $1", row.id) is None


async def test_an_existing_tag_is_taken_before_a_new_one(database: Database, make: Maker, ada: Viewer) -> None:
    for name in ("dev/python", "web design", "Databases"):
        await make.tag(ada, name)
    old = await make.tag(ada, "js")
    new = await make.tag(ada, "javascript")
    async with database.unit() as unit:
        await tags.merge(unit, ada, [old.id], new.id)
    row = await make.bookmark(ada, {"title": "A page", "tags": ["databases"]})
    names = ("Python", "Web-Design", "database", "JS", "brand new")
    model = Model(Choices(tags=tuple(Choice(name, 0.9, "Because.") for name in names)))
    await sort(database, ada, model, row)
    found = await database.fetch(
        "SELECT name, tag_id IS NULL AS is_new FROM suggestions WHERE kind = 'TAG' ORDER BY name"
    )
    assert [tuple(one) for one in found] == [
        ("brand new", True),
        ("dev/python", False),
        ("javascript", False),
        ("web design", False),
    ]
    async with database.unit() as unit:
        await categorization.settings.change(unit, ada, {"propose_new_tags": False})
    await sort(database, ada, model, row)
    assert (await proposals(database, row))[("TAG", "brand new")][0] == "SUPERSEDED"


async def test_what_is_sure_is_applied_and_can_be_taken_back(database: Database, make: Maker, ada: Viewer) -> None:
    async with database.unit() as unit:
        await categorization.settings.change(unit, ada, {"auto_apply_above": 0.8})
    row = await make.bookmark(ada, {"title": "A page"})
    choices = Choices(
        tags=(Choice("sure", 0.9, "Clear."), Choice("unsure", 0.5, "Perhaps.")),
        category=Choice("Science", 0.95, "Clear."),
    )
    await sort(database, ada, Model(choices), row)
    assert await proposals(database, row) == {
        ("TAG", "sure"): ("APPLIED", "PROVIDER"),
        ("TAG", "unsure"): ("PENDING", "PROVIDER"),
        ("CATEGORY", "Science"): ("APPLIED", "PROVIDER"),
    }
    assert await tags_of(database, row) == ["sure"]
    assert await database.fetchval("SELECT version FROM bookmarks") == 2
    assert await database.fetchval("SELECT array_agg(path) FROM tags") == ["sure"]
    events = await database.fetch("SELECT payload FROM events ORDER BY seq")
    assert [one["payload"]["change"] for one in events] == ["CREATED", "UPDATED"]
    await sort(database, ada, Model(choices), row)
    assert await database.fetchval("SELECT version FROM bookmarks") == 2, "a second look changes nothing"
    ids = [one["id"] for one in await database.fetch("SELECT id FROM suggestions WHERE status = 'APPLIED'")]
    async with database.unit() as unit:
        await categorization.reject(unit, ada, ids)
    assert await tags_of(database, row) == []
    assert await database.fetchval("SELECT category_id FROM bookmarks") is None
    await sort(database, ada, Model(choices), row)
    assert await tags_of(database, row) == []
    assert (await proposals(database, row))[("TAG", "sure")][0] == "REJECTED"


async def test_a_rejection_weighs_elsewhere(database: Database, make: Maker, ada: Viewer) -> None:
    rows = [await make.bookmark(ada, {"title": "A page"}) for _ in range(2)]
    model = Model(Choices(tags=(Choice("noise", 0.6, "It says so."),)))
    await sort(database, ada, model, rows[0])
    async with database.unit() as unit:
        key = await unit.fetchval("SELECT id FROM suggestions WHERE kind = 'TAG'")
        await categorization.reject(unit, ada, [key])
    await sort(database, ada, model, rows[1])
    weighed = await database.fetchval(
        "SELECT confidence FROM suggestions WHERE bookmark_id = $1 AND kind = 'TAG'", rows[1].id
    )
    assert weighed == pytest.approx(0.6 * 2 / 3)


async def test_a_second_look_updates_and_puts_away(database: Database, make: Maker, ada: Viewer) -> None:
    row = await make.bookmark(ada, {"title": "A page"})
    await sort(database, ada, Model(Choices(tags=(Choice("a", 0.5, "1."), Choice("b", 0.5, "1.")))), row)
    await sort(database, ada, Model(Choices(tags=(Choice("a", 0.7, "2."),))), row)
    found = await database.fetch("SELECT name, status, confidence, reason FROM suggestions ORDER BY name")
    assert [tuple(one) for one in found] == [("a", "PENDING", 0.7, "2."), ("b", "SUPERSEDED", 0.5, "1.")]
    await sort(database, ada, Model(Choices(tags=(Choice("b", 0.4, "3."),))), row)
    assert await proposals(database, row) == {
        ("TAG", "a"): ("SUPERSEDED", "PROVIDER"),
        ("TAG", "b"): ("PENDING", "PROVIDER"),
    }


@pytest.mark.parametrize(
    "failure",
    [ProviderDown("The model is away."), BadAnswer("It answered nonsense."), BudgetExhausted("No money left.")],
)
async def test_without_its_model_the_agent_goes_on(
    database: Database, make: Maker, ada: Viewer, failure: Exception
) -> None:
    row = await make.bookmark(ada, {"title": "A sourdough bread recipe for baking"})
    (outcome,) = await sort(database, ada, Model(failure=failure), row)
    assert isinstance(outcome, Done)
    assert outcome.data["modelLeftOut"] == str(failure)
    assert await proposals(database, row) == {("CATEGORY", "Food"): ("PENDING", "TAXONOMY")}


async def test_a_busy_model_is_waited_for(database: Database, make: Maker, ada: Viewer) -> None:
    row = await make.bookmark(ada)
    busy = ProviderBusy("Later.", retry_after_seconds=7)
    assert await sort(database, ada, Model(failure=busy), row) == [Deferred(7, "Later.")]
    assert await proposals(database, row) == {}


async def test_what_is_gone_is_skipped_and_what_goes_meanwhile_is_borne(
    database: Database, make: Maker, ada: Viewer
) -> None:
    trashed, row = await make.trashed(ada), await make.bookmark(ada, {"title": "Sourdough bread recipe"})
    theirs = await make.bookmark(await make.viewer())
    outcomes = await sort(database, ada, Model(), trashed, UUID(int=5), theirs)
    assert all(isinstance(one, Skipped) for one in outcomes)
    assert await database.fetchval("SELECT count(*) FROM suggestions") == 0
    tools = Tools(Settings(), database, cast("Provider", Model()), cast("Any", None), cast("Any", None), None)
    batch = Batch(task_id=UUID(int=1), owner_id=ada.id, tools=tools, items=[Item(0, row.id, 1)])
    (outcome,) = await process(batch)
    await database.execute("DELETE FROM bookmarks WHERE id = $1", row.id)
    assert isinstance(outcome, Done)
    assert outcome.write is not None
    async with database.unit() as unit:
        assert await outcome.write(unit) == ()


async def test_rules_come_first(database: Database, make: Maker, ada: Viewer) -> None:
    row = await make.bookmark(ada, {"title": "A page of rust"})
    new = NewRule(
        name="Mine",
        query="rust",
        events=[RuleEvent.ENRICHED],
        actions=RuleActions(add_tags=("lang/rust",), category="Science"),
    )
    async with database.unit() as unit:
        await rules.create(unit, ada, new)
    choices = Choices(tags=(Choice("rust", 0.9, "Clear."),), category=Choice("Food", 0.9, "Clear."))
    await sort(database, ada, Model(choices), row)
    assert await proposals(database, row) == {
        ("TAG", "lang/rust"): ("APPLIED", "RULE"),
        ("CATEGORY", "Science"): ("APPLIED", "RULE"),
    }
    assert await tags_of(database, row) == ["lang/rust"]
