"""The bookmarks nearest to a vector, among those of one owner.

    INDEX     the index of the space gives vectors by their distance, of all owners, and those of others are passed
              over until enough were found: time in proportion to the whole by the owner's share
    EXACT     the owner's vectors are all compared: time in proportion to how many they are
    FILTERED  the bookmarks that meet a condition are looked up, and theirs are compared: for a condition that few of a
              large account meet, so that the index would be read far

With `n` vectors of the owner among `t` the first two meet where `n * n` is some multiple of `t`, see `EXACT_ROWS` and
`BALANCE`. The index is an approximation: it may pass over a near vector, more often the fewer it finds. What it must
not do is tell of others. Their vectors only take part in how far it looks; what comes out is sorted and cut by the
distance of the owner's own. `python -m benchmarks --only vectors` has the figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from uuid import UUID

from db.embedding.spaces import SpaceRow, active_space, index_of
from db.query import Query
from db.unit import Rows
from db.vectors import fitted
from db.wall import INDEXED

EXACT_ROWS: Final = 10_000
"""An owner of fewer vectors is always searched exactly."""

BALANCE: Final = 2_500
"""The owner is searched exactly while the square of their vectors is less than this many times all of the space."""

MAX_NEIGHBOURS: Final = 100

LEAST_SIMILARITY: Final = 0.1
"""What is less like than this says nothing: two texts picked at random come near it."""

LEAST_SHARE: Final = 0.4
"""What is less than this much as like as the best hit says nothing beside it."""


LOOKED_THROUGH: Final = 20
"""So many times more of the owner's nearest are looked through along the index for what meets a condition."""


class Way(Enum):
    """How the nearest are found."""

    INDEX = auto()
    EXACT = auto()
    FILTERED = auto()


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A bookmark and how like it is: 1 is the same, 0 has nothing in common."""

    bookmark_id: UUID
    similarity: float


async def way_for(rows: Rows, owner_id: UUID, space: SpaceRow) -> Way | None:
    """Return which of INDEX and EXACT is the faster for this owner; None when nothing of theirs is in the space."""
    row = await rows.fetchrow(
        f"""
        WITH most AS MATERIALIZED (
            SELECT greatest({EXACT_ROWS}, ceil(sqrt({BALANCE} * greatest(0, (
                SELECT reltuples FROM pg_class WHERE oid = to_regclass($3)
            )))))::bigint AS number
        )
        SELECT count(*) AS held, (SELECT number FROM most) AS most FROM (
            SELECT FROM embeddings WHERE owner_id = $1 AND space_id = $2 ORDER BY bookmark_id
            LIMIT (SELECT number FROM most)
        ) AS found
        """,
        owner_id,
        space.id,
        index_of(space.id),
    )
    if row is None or not row["held"]:
        return None
    return Way.EXACT if row["held"] < row["most"] else Way.INDEX


def near(space: SpaceRow, vector: str, way: Way, *, where: str = "true", limit: int) -> str:
    """Return a SELECT of `id`, `added_at` and `distance` of the owner's nearest bookmarks outside the trash.

    $1 is the owner, `vector` SQL for a vector of the space, `where` what bookmarks `b` must be like. Distances run from
    0 (the same direction) to 2; none is found where the vector is null.
    """
    distance = f"e.vector::halfvec({space.dimensions:d}) <=> {vector}"
    mine = f"b.owner_id = $1 AND b.deleted_at IS NULL AND {where}"
    known = f"{vector} IS NOT NULL"
    if way is Way.FILTERED:
        return f"""
        SELECT b.id, b.added_at, {distance} AS distance FROM {INDEXED} b
        JOIN embeddings e ON e.bookmark_id = b.id AND e.space_id = {space.id:d}
        WHERE {mine} AND {known} ORDER BY ({distance}) + 0, b.id LIMIT {limit:d}
        """
    # Each bookmark is looked up when its turn comes, so that no more are than it takes to find enough. What stands
    # beside the columns (IS TRUE, + 0) keeps the planner from the other way's index.
    if way is Way.EXACT:
        compared = f"""(
            SELECT e.bookmark_id, ({distance}) + 0 AS distance FROM embeddings e
            WHERE e.owner_id = $1 AND e.space_id = {space.id:d} AND {known} ORDER BY distance, e.bookmark_id
        )"""
    else:
        compared = f"""(
            SELECT e.bookmark_id, {distance} AS distance FROM embeddings e
            WHERE (e.owner_id = $1) IS TRUE AND e.space_id = {space.id:d} AND {known} ORDER BY {distance}
            LIMIT {LOOKED_THROUGH * limit:d}
        )"""
    return f"""
    SELECT b.id, b.added_at, e.distance FROM {compared} AS e
    CROSS JOIN LATERAL (SELECT b.id, b.added_at FROM bookmarks b WHERE b.id = e.bookmark_id AND {mine} LIMIT 1) AS b
    LIMIT {limit:d}
    """


async def neighbours(
    rows: Rows, owner_id: UUID, target: UUID | Sequence[float], limit: int, *, space: SpaceRow | None = None
) -> list[Neighbour]:
    """Return the owner's bookmarks outside the trash that are most like `target`, the most alike first.

    `target` is one of the owner's bookmarks, which is left out itself, or a vector of the space. Nothing comes back for
    a bookmark that is not embedded, or not theirs, and before there is any space. `space` is the active one when left
    out. At most `MAX_NEIGHBOURS`. Raises `BadInput` for a vector that does not fit into the space.
    """
    if isinstance(target, UUID):
        return (await neighbours_of(rows, owner_id, [target], limit, space=space)).get(target, [])
    space = space or await active_space(rows)
    if space is None:
        return []
    limit, vector = min(limit, MAX_NEIGHBOURS), fitted(target, space.dimensions)
    way = await way_for(rows, owner_id, space)
    if way is None:
        return []
    query = Query(owner_id)
    given = vector_given(space, query.bind(vector))

    async def found(way: Way) -> list[Neighbour]:
        sql = f"""
            SELECT id, 1 - distance AS similarity FROM ({near(space, given, way, limit=limit)}) AS found
            ORDER BY distance, id
        """
        return [Neighbour(row["id"], row["similarity"]) for row in await rows.fetch(sql, *query.arguments)]

    first = await found(way)
    return first if way is Way.EXACT or len(first) == limit else await found(Way.EXACT)


async def neighbours_of(
    rows: Rows, owner_id: UUID, keys: Sequence[UUID], limit: int, *, space: SpaceRow | None = None
) -> dict[UUID, list[Neighbour]]:
    """Return what `neighbours` does for each of the owner's bookmarks `keys`; those without any are left out."""
    space = space or await active_space(rows)
    way = None if space is None else await way_for(rows, owner_id, space)
    if space is None or way is None:
        return {}
    limit = min(limit, MAX_NEIGHBOURS)
    found = await _neighbours_of(rows, owner_id, keys, limit, space, way)
    short = [key for key in keys if len(found.get(key, [])) < limit]
    if way is Way.INDEX and short:
        found |= await _neighbours_of(rows, owner_id, short, limit, space, Way.EXACT)
    return found


async def _neighbours_of(
    rows: Rows, owner_id: UUID, keys: Sequence[UUID], limit: int, space: SpaceRow, way: Way
) -> dict[UUID, list[Neighbour]]:
    vector = f"given.vector::halfvec({space.dimensions:d})"
    found: dict[UUID, list[Neighbour]] = {}
    for row in await rows.fetch(
        f"""
        SELECT given.bookmark_id AS of_id, found.id, 1 - found.distance AS similarity FROM embeddings given
        CROSS JOIN LATERAL ({near(space, vector, way, where="b.id <> given.bookmark_id", limit=limit)}) AS found
        WHERE given.bookmark_id = ANY($2::uuid[]) AND given.space_id = {space.id:d} AND given.owner_id = $1
        ORDER BY given.bookmark_id, found.distance, found.id
        """,
        owner_id,
        list(keys),
    ):
        found.setdefault(row["of_id"], []).append(Neighbour(row["id"], row["similarity"]))
    return found


def vector_given(space: SpaceRow, argument: str) -> str:
    """Return SQL for the vector that is the argument `argument`."""
    return f"(SELECT {argument}::real[]::halfvec({space.dimensions:d}))"


def vector_of(space: SpaceRow, argument: str) -> str:
    """Return SQL for the vector of the owner's bookmark whose id is the argument `argument`; null when it has none."""
    return f"""(
        SELECT given.vector::halfvec({space.dimensions:d}) FROM embeddings given
        WHERE given.bookmark_id = {argument} AND given.space_id = {space.id:d} AND given.owner_id = $1
    )"""
