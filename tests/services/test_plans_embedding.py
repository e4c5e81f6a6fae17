"""Search by meaning reads along an index or compares one owner's vectors, in custom and generic plans alike.

Two accounts of very different size share tables and space, as in test_plans.py.
"""

import os
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio

from db import embedding
from db.embedding import SpaceRow, Way
from db.embedding.nearest import LOOKED_THROUGH
from db.embedding.spaces import index_of
from db.query import Query
from db.search import queries
from db.search.conditions import Bearing, Condition, State, Words
from db.search.fusion import NEAREST, Aim
from services.embedding.similar import MAX_SIMILAR
from tests.accounts import LARGE, SMALL, Account, large_and_small
from tests.explained import Explained, Plan

DIMENSIONS = 8
TARGET = tuple(0.1 * number for number in range(1, DIMENSIONS + 1))
_FILL = """
INSERT INTO embeddings (bookmark_id, space_id, owner_id, vector, digest)
SELECT b.id, 1, b.owner_id, ARRAY(
    SELECT (hashtextextended(b.id::text, number) % 1000)::real / 1000 FROM generate_series(1, 8) AS number
)::halfvec, decode(md5(b.id::text), 'hex') FROM bookmarks b
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def accounts(server_dsn: str, worker_id: str) -> AsyncIterator[list[Account]]:
    """The two accounts with a vector for each bookmark, the index built when all are there."""
    more = (
        "INSERT INTO embedding_spaces VALUES (1, 'test', 'test', 8, true)",
        _FILL,
        "SET LOCAL maintenance_work_mem = '256MB'",
        (
            f"CREATE INDEX {index_of(1)} ON embeddings USING hnsw ((vector::halfvec(8)) halfvec_cosine_ops)"
            " WITH (m = 4, ef_construction = 16) WHERE space_id = 1"
        ),
    )
    async with large_and_small(server_dsn, f"graphmark_near_{worker_id}_{os.getpid()}", *more) as made:
        yield made


async def space_of(account: Account) -> SpaceRow:
    space = await embedding.active_space(account.connection)
    assert space is not None
    return space


def uses(plan: Plan, index: str) -> bool:
    """Tell whether a plan reads along an index and that part of it was run."""
    return any(node.get("Index Name") == index and node["Actual Loops"] for node in plan.nodes())


def assert_bounded(plan: Plan, *, bookmarks: int) -> None:
    assert not plan.scanned() & {"bookmarks", "embeddings"}, str(plan)
    assert plan.read("bookmarks") <= bookmarks, (plan.read("bookmarks"), str(plan))


async def nearest(account: Account, way: Way) -> list[Plan]:
    explained, space, query = Explained(account.connection), await space_of(account), Query(account.id)
    given = embedding.vector_given(space, query.bind(list(TARGET)))
    await explained.fetch(embedding.near(space, given, way, limit=NEAREST), *query.arguments)
    return explained.plans


async def test_the_nearest_of_a_large_account_are_read_along_the_index(accounts: list[Account]) -> None:
    for plan in await nearest(accounts[0], Way.INDEX):
        assert uses(plan, index_of(1)), str(plan)
        assert_bounded(plan, bookmarks=2 * NEAREST)
        assert plan.read("embeddings") <= 3 * NEAREST, str(plan)


async def test_the_nearest_of_a_small_account_are_among_its_own(accounts: list[Account]) -> None:
    for plan in await nearest(accounts[1], Way.EXACT):
        assert not uses(plan, index_of(1)), str(plan)
        assert_bounded(plan, bookmarks=2 * NEAREST)
        assert plan.read("embeddings") == SMALL, str(plan)


@pytest.mark.parametrize("condition", [Words(("title",)), State.FAVORITE, Bearing((UUID(int=0),))], ids=repr)
async def test_conditions_are_met_along_the_index_or_looked_up_first(
    accounts: list[Account], condition: Condition
) -> None:
    for account, ways in zip(accounts, ((Way.INDEX, Way.FILTERED), (Way.EXACT,)), strict=True):
        for way in ways:
            explained = Explained(account.connection)
            await answered(
                explained, account, condition, Aim(await space_of(account), way, TARGET, condition, is_alone=True)
            )
            first = explained.plans[:2]
            assert [uses(plan, index_of(1)) for plan in first] == [way is Way.INDEX] * 2, str(first[0])
            if way is Way.INDEX:
                for plan in first:
                    assert_bounded(plan, bookmarks=LOOKED_THROUGH * NEAREST + 2 * NEAREST)
            if account is accounts[1]:
                for plan in first:
                    assert_bounded(plan, bookmarks=3 * SMALL)


async def answered(explained: Explained, account: Account, condition: Condition, aim: Aim) -> None:
    explained.is_answering = True
    await queries.page(explained, account.id, condition, aim, position=None, backward=False, limit=21)


async def test_both_rankings_are_bounded(accounts: list[Account]) -> None:
    for account, way in zip(accounts, (Way.INDEX, Way.EXACT), strict=True):
        explained = Explained(account.connection)
        aim = Aim(await space_of(account), way, TARGET)
        await answered(explained, account, Words(("nothing",)), aim)
        await queries.facets(explained, account.id, Words(("nothing",)), aim, limit=10)
        for plan in explained.plans:
            assert uses(plan, index_of(1)) is (way is Way.INDEX), str(plan)
            assert_bounded(plan, bookmarks=6 * NEAREST)


async def test_similar_bookmarks_of_a_page(accounts: list[Account]) -> None:
    account = accounts[1]
    keys = [await account.key("bookmark", number) for number in range(1, 21)]
    explained = Explained(account.connection, is_answering=True)
    found = await embedding.neighbours_of(explained, account.id, keys, MAX_SIMILAR)
    assert {len(alike) for alike in found.values()} == {MAX_SIMILAR}
    for plan in explained.plans:
        assert not uses(plan, index_of(1)), str(plan)
        assert_bounded(plan, bookmarks=20 * 2 * MAX_SIMILAR)


async def test_how_large_an_account_is_is_seen_without_counting_it_all(accounts: list[Account]) -> None:
    explained, space = Explained(accounts[0].connection, is_answering=True), await space_of(accounts[0])
    assert await embedding.way_for(explained, accounts[0].id, space) is Way.INDEX
    for plan in explained.plans:
        assert not plan.scanned() & {"embeddings"}, str(plan)
        assert plan.read("embeddings") < LARGE / 4, str(plan)
    explained = Explained(accounts[1].connection, is_answering=True)
    assert await embedding.way_for(explained, accounts[1].id, space) is Way.EXACT
