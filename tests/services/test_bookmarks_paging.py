"""Walking a list in any order, in either direction, in pages of any size, gives each bookmark once and in order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.bookmarks import BookmarkFilter, BookmarkSort, Home, Placed
from db.unit import Database
from kit.ids import new_id
from kit.paging import PageRequest, encode_cursor, page_request
from services import bookmarks
from services.bookmarks import BookmarkOrder
from services.permissions import Viewer
from tests.make import Maker

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 3).map(lambda number: START + timedelta(microseconds=number))


@dataclass(frozen=True)
class Model:
    """A bookmark as the test knows it. Few distinct values, so that many tie."""

    id: UUID
    title: str
    domain: str
    added_at: datetime
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


MODELS = st.lists(
    st.builds(
        Model,
        id=st.builds(new_id),
        title=st.sampled_from(["", "a", "A", "x" * 150, "x" * 120]),
        domain=st.sampled_from(["a.example", "b.example"]),
        added_at=MOMENTS,
        created_at=MOMENTS,
        updated_at=MOMENTS,
        deleted_at=st.none() | MOMENTS,
    ),
    max_size=14,
)
ORDERS = st.builds(BookmarkOrder, st.sampled_from(BookmarkSort), st.booleans())


def key_of(model: Model, order: BookmarkOrder) -> tuple[Any, UUID]:
    value = getattr(model, order.sort.value.lower())
    return (value.lower()[:100] if isinstance(value, str) else value, model.id)


def expected(models: Sequence[Model], order: BookmarkOrder) -> list[UUID]:
    in_trash = order.sort is BookmarkSort.DELETED_AT
    kept = [model for model in models if (model.deleted_at is not None) is in_trash]
    return [one.id for one in sorted(kept, key=lambda one: key_of(one, order), reverse=order.descending)]


async def stored(database: Database, models: Sequence[Model]) -> tuple[Viewer, UUID]:
    """Store the models for somebody new, all of them in one collection."""
    maker = Maker(database)
    user = await maker.user(f"{new_id()}@example.org")
    viewer = Viewer(id=user.id)
    place = await maker.collection(viewer)
    for number, one in enumerate(models):
        await database.execute(
            """
            INSERT INTO bookmarks (owner_id, id, title, domain, added_at, created_at, updated_at, deleted_at,
                url, canonical_url, url_key, url_key_version)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'u', 'u', $9, 1)
            """,
            *(user.id, one.id, one.title, one.domain, one.added_at, one.created_at, one.updated_at, one.deleted_at),
            number.to_bytes(16, "big"),
        )
        await database.execute(
            "INSERT INTO bookmark_collections (collection_id, bookmark_id, owner_id) VALUES ($1, $2, $3)",
            *(place.id, one.id, user.id),
        )
    return viewer, place.id


async def read(
    database: Database, viewer: Viewer, order: BookmarkOrder, request: PageRequest, under: UUID | None
) -> list[Placed]:
    wanted = BookmarkFilter(in_trash=order.sort is BookmarkSort.DELETED_AT)
    if under is None:
        return await bookmarks.page(database, viewer, wanted, order, request)
    other = new_id()
    found = await bookmarks.pages_under(
        database, viewer, Home.COLLECTION, [other, under], wanted=wanted, order=order, request=request
    )
    assert found[other] == []
    return found[under]


@given(
    models=MODELS, order=ORDERS, sizes=st.lists(st.integers(1, 5), min_size=1), backward=st.booleans(), data=st.data()
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_walking_gives_the_model(
    database: Database, models: list[Model], order: BookmarkOrder, sizes: list[int], backward: bool, data: st.DataObject
) -> None:
    viewer, place = await stored(database, models)
    under = place if data.draw(st.booleans(), "in a collection") else None
    seen: list[UUID] = []
    cursor: str | None = None
    for step in range(len(models) + 1):
        size = sizes[step % len(sizes)]
        arguments = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        request = page_request(order.name, order.kinds, **arguments)  # type: ignore[arg-type]  # a mapping of both types
        placed = await read(database, viewer, order, request, under)
        seen += [row.id for row, _, _ in placed[:size]]
        if len(placed) <= size:
            break
        row, value, _ = placed[size - 1]
        cursor = encode_cursor(order.name, (value, row.id))
    everything = expected(models, order)
    assert seen == (everything[::-1] if backward else everything)
    wanted = BookmarkFilter(in_trash=order.sort is BookmarkSort.DELETED_AT)
    assert await bookmarks.count(database, viewer, wanted) == len(everything)


@pytest.mark.parametrize(
    ("sort", "index"),
    [
        (BookmarkSort.ADDED_AT, "bookmarks_added"),
        (BookmarkSort.CREATED_AT, "bookmarks_created"),
        (BookmarkSort.UPDATED_AT, "bookmarks_updated"),
        (BookmarkSort.TITLE, "bookmarks_title"),
        (BookmarkSort.DOMAIN, "bookmarks_domain"),
    ],
)
@pytest.mark.parametrize("descending", [True, False])
async def test_a_deep_page_reads_no_more_than_it_shows(
    database: Database, make: Maker, sort: BookmarkSort, index: str, *, descending: bool
) -> None:
    viewer = await make.viewer()
    await database.execute(
        """
        INSERT INTO bookmarks
            (owner_id, id, url, canonical_url, url_key, url_key_version, domain, title, added_at, created_at,
             updated_at)
        SELECT $1, gen_random_uuid(), 'u', 'u', decode(lpad(to_hex(n), 32, '0'), 'hex'), 1, lpad(n::text, 5, '0'),
            'T' || lpad(n::text, 5, '0'), moment, moment, moment
        FROM generate_series(1, 5000) AS n, LATERAL (SELECT now() - n * interval '1 minute') AS ago (moment)
        """,
        viewer.id,
    )
    await database.execute("ANALYZE bookmarks")
    texts = {BookmarkSort.TITLE: "t02500", BookmarkSort.DOMAIN: "02500"}
    deep = (texts.get(sort) or datetime.now(UTC) - timedelta(minutes=2_500), new_id())
    request = PageRequest(limit=20, backward=False, position=deep)
    spy = Explaining(database)
    await bookmarks.page(cast("Database", spy), viewer, BookmarkFilter(), BookmarkOrder(sort, descending), request)
    assert index in spy.plan
    assert spy.rows_read <= 21


class Explaining:
    """Instead of a result, asks for the plan that was run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.plan = ""
        self.rows_read = 0

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        found = orjson.loads(await self._database.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments))
        self.plan = str(found)
        node = found[0]["Plan"]
        while "Plans" in node:
            node = node["Plans"][0]
        self.rows_read = int(node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
        return []
