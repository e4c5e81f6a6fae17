"""The bookmarks nearest to a vector, among those of one owner.

    INDEX     the index of the space gives vectors by their distance, of all owners, and those of others are passed
              over until enough were found: time in proportion to the whole by the owner's share
    EXACT     the owner's vectors are all compared: time in proportion to how many they are
    FILTERED  the bookmarks that meet a condition are looked up, and theirs are compared

With `n` vectors of the owner among `t` the first two meet where `n * n` is some multiple of `t`, see `EXACT_ROWS` and
`BALANCE`. The index is an approximation: it may pass over a near vector, more often the fewer it finds. What it must
not do is tell of others. Their vectors only take part in how far it looks; what comes out is sorted and cut by the
distance of the owner's own. `python -m benchmarks --only vectors` has the figures.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from uuid import UUID

from db.embedding.spaces import SpaceRow, active_space, index_of
from db.query import Query
from db.unit import Rows
from db.vectors import fitted

EXACT_ROWS: Final = 10_000
"""An owner of fewer vectors is always searched exactly."""

BALANCE: Final = 2_500
"""The owner is searched exactly while the square of their vectors is less than this many times all of the space."""

MAX_NEIGHBOURS: Final = 100


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


async def way_for(rows: Rows, owner_id: UUID, space: SpaceRow) -> Way:
    """Return which of INDEX and EXACT is the faster for this owner."""
    is_small = await rows.fetchval(
        f"""
        WITH most AS MATERIALIZED (
            SELECT greatest({EXACT_ROWS}, ceil(sqrt({BALANCE} * greatest(0, (
                SELECT reltuples FROM pg_class WHERE oid = to_regclass($3)
            )))))::bigint AS number
        )
        SELECT count(*) < (SELECT number FROM most) FROM (
            SELECT FROM embeddings WHERE owner_id = $1 AND space_id = $2 LIMIT (SELECT number FROM most)
        ) AS found
        """,
        owner_id,
        space.id,
        index_of(space.id),
    )
    return Way.EXACT if is_small else Way.INDEX


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
        SELECT b.id, b.added_at, {distance} AS distance FROM bookmarks b
        JOIN embeddings e ON e.bookmark_id = b.id AND e.space_id = {space.id:d}
        WHERE {mine} AND {known} ORDER BY ({distance}) + 0, b.id LIMIT {limit:d}
        """
    # Each bookmark is looked up when its turn comes, so that no more are than it takes to find enough. What stands
    # beside the columns (IS TRUE, + 0) keeps the planner from the other way's index.
    if way is Way.EXACT:
        compared = f"""(
            SELECT e.bookmark_id, {distance} AS distance FROM embeddings e
            WHERE e.owner_id = $1 AND e.space_id = {space.id:d} AND {known} ORDER BY ({distance}) + 0, e.bookmark_id
        )"""
    else:
        compared = f"""(
            SELECT e.bookmark_id, {distance} AS distance FROM embeddings e
            WHERE (e.owner_id = $1) IS TRUE AND e.space_id = {space.id:d} AND {known} ORDER BY {distance}
        )"""
    return f"""
    SELECT b.id, b.added_at, e.distance FROM {compared} AS e
    CROSS JOIN LATERAL (SELECT b.id, b.added_at FROM bookmarks b WHERE b.id = e.bookmark_id AND {mine} LIMIT 1) AS b
    LIMIT {limit:d}
    """


async def neighbours(
    rows: Rows, owner_id: UUID, target: UUID | list[float], limit: int, *, space: SpaceRow | None = None
) -> list[Neighbour]:
    """Return the owner's bookmarks outside the trash that are most like `target`, the most alike first.

    `target` is one of the owner's bookmarks, which is left out itself, or a vector of the space. Nothing comes back for
    a bookmark that is not embedded, or not theirs, and before there is any space. `space` is the active one when left
    out. At most `MAX_NEIGHBOURS`. Raises `BadInput` for a vector that does not fit into the space.
    """
    space = space or await active_space(rows)
    if space is None:
        return []
    way = await way_for(rows, owner_id, space)
    limit = min(limit, MAX_NEIGHBOURS)
    found = await _neighbours(rows, owner_id, target, limit, space, way)
    if way is Way.INDEX and len(found) < limit:
        found = await _neighbours(rows, owner_id, target, limit, space, Way.EXACT)
    return found


async def _neighbours(
    rows: Rows, owner_id: UUID, target: UUID | list[float], limit: int, space: SpaceRow, way: Way
) -> list[Neighbour]:
    query = Query(owner_id)
    others = "true"
    if isinstance(target, UUID):
        key = query.bind(target)
        others, vector = f"b.id <> {key}", vector_of(space, key)
    else:
        vector = vector_given(space, query.bind(fitted(target, space.dimensions)))
    sql = f"""
        SELECT id, 1 - distance AS similarity FROM ({near(space, vector, way, where=others, limit=limit)}) AS found
        ORDER BY distance, id
    """
    return [Neighbour(row["id"], row["similarity"]) for row in await rows.fetch(sql, *query.arguments)]


def vector_given(space: SpaceRow, argument: str) -> str:
    """Return SQL for the vector that is the argument `argument`."""
    return f"(SELECT {argument}::real[]::halfvec({space.dimensions:d}))"


def vector_of(space: SpaceRow, argument: str) -> str:
    """Return SQL for the vector of the owner's bookmark whose id is the argument `argument`; null when it has none."""
    return f"""(
        SELECT given.vector::halfvec({space.dimensions:d}) FROM embeddings given
        WHERE given.bookmark_id = {argument} AND given.space_id = {space.id:d} AND given.owner_id = $1
    )"""
