"""Vectors as rows: spaces and their indexes, what is kept and what is refused, who is whose neighbour."""

import asyncio
import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import mul
from uuid import UUID

import pytest

from db import embedding
from db.embedding import NewEmbedding, SpaceRow, Way, spaces
from db.unit import Database
from kit.errors import BadInput
from kit.ids import new_id
from services import bookmarks
from services.permissions import Viewer
from tests.make import Maker

NOW = datetime.now(UTC)


async def space_of(database: Database, name: str = "test/3", dimensions: int = 3) -> SpaceRow:
    async with database.unit() as unit:
        made = await embedding.make_space(unit, name=name, model="test", dimensions=dimensions)
    assert made is not None
    return made


async def keep(
    database: Database,
    owner: Viewer,
    space: SpaceRow,
    key: UUID,
    vector: Sequence[float],
    *,
    digest: bytes = b"0" * 16,
    read_at: datetime = NOW,
) -> bool:
    async with database.unit() as unit:
        return await embedding.put(unit, owner.id, space, NewEmbedding(key, vector, digest, read_at))


async def embedded(
    database: Database, owner: Viewer, make: Maker, space: SpaceRow, *vectors: Sequence[float]
) -> list[UUID]:
    """Make a bookmark for each vector."""
    keys = []
    for vector in vectors:
        keys.append((await make.bookmark(owner)).id)
        assert await keep(database, owner, space, keys[-1], vector)
    return keys


def likeness(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors."""
    return float(sum(map(mul, one, other))) / math.hypot(*one) / math.hypot(*other)


async def indexes(database: Database) -> set[str]:
    rows = await database.fetch("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'embeddings\\_space\\_%'")
    return {row["indexname"] for row in rows}


async def stored(database: Database) -> list[tuple[UUID, int, list[float]]]:
    rows = await database.fetch("SELECT bookmark_id, space_id, vector::real[] AS vector FROM embeddings ORDER BY 1, 2")
    return [(row["bookmark_id"], row["space_id"], row["vector"]) for row in rows]


async def test_a_space_is_made_once_with_its_index(database: Database) -> None:
    assert await embedding.active_space(database) is None
    made = await asyncio.gather(*(space_of(database, "a", 3) for _ in range(4)))
    assert {space.id for space in made} == {1}
    other = await space_of(database, "b", 5)
    assert (made[0].is_active, other.is_active, other.dimensions) == (True, False, 5)
    assert await embedding.all_spaces(database) == [made[0], other]
    assert await embedding.active_space(database) == made[0]
    assert await embedding.space_named(database, "b") == other
    assert {"embeddings_space_1", "embeddings_space_2"} <= await indexes(database)


async def test_spaces_are_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "MAX_SPACES", 2)
    await space_of(database, "a")
    await space_of(database, "b")
    async with database.unit() as unit:
        assert await embedding.make_space(unit, name="c", model="m", dimensions=3) is None
    assert (await space_of(database, "a")).name == "a"


async def test_a_vector_is_kept_with_unit_length_and_replaced_by_a_later_one(database: Database, make: Maker) -> None:
    viewer, space = await make.viewer(), await space_of(database)
    (key,) = await embedded(database, viewer, make, space, [3, 4, 0])
    ((_, _, vector),) = await stored(database)
    assert vector == pytest.approx([0.6, 0.8, 0], abs=1e-3)
    assert await keep(database, viewer, space, key, [0, 0, 1], read_at=NOW + timedelta(seconds=1))
    assert not await keep(database, viewer, space, key, [1, 0, 0], read_at=NOW)
    assert [row[2] for row in await stored(database)] == [[0, 0, 1]]


@pytest.mark.parametrize(
    ("vector", "told"),
    [
        ([1, 0], "has 3 numbers; this one has 2"),
        ([1, 0, 0, 0], "has 3 numbers; this one has 4"),
        ([math.nan, 0, 0], "finite"),
        ([math.inf, 0, 0], "finite"),
        ([0, 0, 0], "points nowhere"),
        ([], "this one has 0"),
    ],
)
async def test_what_is_no_vector_of_the_space_is_refused(
    database: Database, make: Maker, vector: list[float], told: str
) -> None:
    viewer, space = await make.viewer(), await space_of(database)
    row = await make.bookmark(viewer)
    with pytest.raises(BadInput, match=told):
        await keep(database, viewer, space, row.id, vector)
    with pytest.raises(BadInput, match=told):
        await embedding.neighbours(database, viewer.id, vector, 10)
    assert await stored(database) == []


async def test_what_has_gone_or_is_somebody_elses_is_not_embedded(database: Database, make: Maker) -> None:
    viewer, other, space = await make.viewer(), await make.viewer(), await space_of(database)
    row, gone = await make.bookmark(viewer), await make.bookmark(viewer)
    async with database.unit() as unit:
        await bookmarks.delete(unit, viewer, [gone.id], permanently=True)
    assert not await keep(database, other, space, row.id, [1, 0, 0])
    assert not await keep(database, viewer, space, gone.id, [1, 0, 0])
    assert not await keep(database, viewer, space, new_id(), [1, 0, 0])
    renamed = SpaceRow(space.id, "another", space.model, 3, is_active=True, created_at=space.created_at)
    assert not await keep(database, viewer, renamed, row.id, [1, 0, 0])


async def test_embeddings_go_with_their_bookmark(database: Database, make: Maker) -> None:
    viewer, space = await make.viewer(), await space_of(database)
    keys = await embedded(database, viewer, make, space, [1, 0, 0], [0, 1, 0])
    async with database.unit() as unit:
        await bookmarks.delete(unit, viewer, keys[:1], permanently=True)
    assert [row[0] for row in await stored(database)] == keys[1:]


@pytest.mark.parametrize("way", [Way.EXACT, Way.INDEX])
async def test_neighbours_are_the_owners_own(
    database: Database, make: Maker, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    async def chosen(*_: object) -> Way:
        return way

    monkeypatch.setattr("db.embedding.nearest.way_for", chosen)
    rng = random.Random(1)
    viewer, other, space = await make.viewer(), await make.viewer(), await space_of(database, dimensions=8)
    asked = [rng.gauss(0, 1) for _ in range(8)]
    vectors = [[rng.gauss(0, 1) for _ in range(8)] for _ in range(25)]
    await embedded(database, other, make, space, asked, *[[rng.gauss(0, 1) for _ in range(8)] for _ in range(60)])
    keys = await embedded(database, viewer, make, space, *vectors)
    trashed = await make.trashed(viewer)
    assert await keep(database, viewer, space, trashed.id, asked)

    expected = sorted(zip((likeness(asked, one) for one in vectors), keys, strict=True), reverse=True)
    for limit in (1, 10, 100):
        found = await embedding.neighbours(database, viewer.id, asked, limit)
        assert [one.bookmark_id for one in found] == [key for _, key in expected[:limit]]
        assert [one.similarity for one in found] == pytest.approx([value for value, _ in expected[:limit]], abs=5e-3)
    alike = await embedding.neighbours(database, viewer.id, keys[0], 3)
    near = sorted(
        ((likeness(vectors[0], one), key) for one, key in zip(vectors[1:], keys[1:], strict=True)), reverse=True
    )
    assert [one.bookmark_id for one in alike] == [key for _, key in near[:3]]
    assert await embedding.neighbours(database, other.id, keys[0], 10) == []
    assert await embedding.neighbours(database, viewer.id, new_id(), 10) == []


async def test_before_there_is_a_space_nobody_has_neighbours(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    row = await make.bookmark(viewer)
    assert await embedding.neighbours(database, viewer.id, row.id, 10) == []
    assert await embedding.neighbours(database, viewer.id, [1, 2, 3], 10) == []


async def test_the_way_depends_on_how_many_vectors_are_the_owners(
    database: Database, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, other, space = await make.viewer(), await make.viewer(), await space_of(database)
    await embedded(database, viewer, make, space, *[[1, number, 0] for number in range(12)])
    await embedded(database, other, make, space, *[[1, number, 1] for number in range(3)])
    assert await embedding.way_for(database, viewer.id, space) is Way.EXACT
    monkeypatch.setattr("db.embedding.nearest.EXACT_ROWS", 5)
    monkeypatch.setattr("db.embedding.nearest.BALANCE", 5)  # 12 * 12 is more than 5 * 15, 3 * 3 is less
    await database.execute("ANALYZE embeddings")
    assert await embedding.way_for(database, viewer.id, space) is Way.INDEX
    assert await embedding.way_for(database, other.id, space) is Way.EXACT
    monkeypatch.setattr("db.embedding.nearest.BALANCE", 10)  # and less than 10 * 15
    assert await embedding.way_for(database, viewer.id, space) is Way.EXACT


async def test_what_lacks_an_embedding_is_found_by_owner(database: Database, make: Maker) -> None:
    viewer, other, space = await make.viewer(), await make.viewer(), await space_of(database)
    done, old = (await make.bookmark(viewer)).id, (await make.bookmark(viewer)).id
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert await keep(database, viewer, space, done, [1, 0, 0], read_at=later)
    assert await keep(database, viewer, space, old, [1, 0, 0], read_at=NOW - timedelta(days=1))
    new = (await make.bookmark(viewer)).id
    await make.trashed(viewer)
    await make.bookmark(other)
    found = await embedding.lacking(database, space, "EMBEDDING_ONLY", limit=100)
    assert {owner: sorted(keys) for owner, keys in found.items()} == {viewer.id: sorted([old, new])}
    assert sum(map(len, (await embedding.lacking(database, space, "EMBEDDING_ONLY", limit=1)).values())) == 1
    async with database.unit() as unit:
        assert not await embedding.confirm(unit, viewer.id, space, old, digest=b"1" * 16, read_at=later)
        assert not await embedding.confirm(unit, other.id, space, old, digest=b"0" * 16, read_at=later)
        assert await embedding.confirm(unit, viewer.id, space, old, digest=b"0" * 16, read_at=later)
    assert await embedding.lacking(database, space, "EMBEDDING_ONLY", limit=100) == {viewer.id: [new]}


async def test_a_space_is_replaced_by_one_that_covers_it_and_removed_in_parts(database: Database, make: Maker) -> None:
    viewer, old, new = await make.viewer(), await space_of(database, "old"), await space_of(database, "new", 2)
    keys = await embedded(database, viewer, make, old, [1, 0, 0], [0, 1, 0], [0, 0, 1])
    assert not await embedding.covers(database, new, old)
    for key in keys[:2]:
        assert await keep(database, viewer, new, key, [1, 0])
    assert not await embedding.covers(database, new, old)
    async with database.unit() as unit:
        await bookmarks.delete(unit, viewer, keys[2:], permanently=False)
    assert await embedding.covers(database, new, old)
    async with database.unit() as unit:
        await embedding.activate(unit, new.id)
    removed: list[int] = []
    while not removed or removed[-1]:
        async with database.unit() as unit:
            removed.append(await embedding.remove_some(unit, old.id, limit=2))
    assert removed == [1, 2, 1, 1, 0]
    assert [(space.name, space.is_active) for space in await embedding.all_spaces(database)] == [("new", True)]
    assert [row[:2] for row in await stored(database)] == [(key, new.id) for key in sorted(keys[:2])]
    assert "embeddings_space_1" not in await indexes(database)


async def test_the_active_space_is_not_removed(database: Database) -> None:
    space = await space_of(database)
    async with database.unit() as unit:
        await embedding.remove_some(unit, space.id, limit=10)
        assert await embedding.remove_some(unit, space.id, limit=10) == 0
    assert await embedding.active_space(database) == space
