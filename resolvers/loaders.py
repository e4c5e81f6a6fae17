"""Loading many things at once: what the rows of one list ask for one by one is fetched in one statement.

Loaders belong to one operation (resolvers.context) and are made when first used.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.shapes import Several, Shape, Source, by_keys, related
from db.unit import Rows
from kit.paging import MAX_PAGE
from resolvers.context import Info, viewer_of
from services.permissions import Viewer

V = TypeVar("V")
Fetch = Callable[[Rows, UUID, Sequence[UUID]], Awaitable[Mapping[UUID, V]]]
"""`(rows, owner, keys)` to what each key stands for."""

MAX_BATCH = 10 * MAX_PAGE
"""Most keys of one statement; more are fetched by several."""


async def load(info: Info, name: Hashable, key: UUID, fetch: Fetch[V]) -> V | None:
    """Return what `key` stands for among the viewer's things, or None, fetched together with the other keys asked for.

    `name` tells this use from others in the same operation: the same name must always come with the same `fetch`.
    """
    loaders = info.context.loaders
    loader: DataLoader[UUID, V | None] | None = loaders.get(name)
    if loader is None:
        loader = loaders[name] = _loader(info, viewer_of(info), fetch)
    # Shielded: who waits may be cancelled because a sibling failed, but others wait for the same answer.
    return await asyncio.shield(loader.load(key))


async def load_row(info: Info, source: Source, key: UUID, shape: Shape[V]) -> V | None:
    """Return the viewer's row of `source` with this key, or None."""

    async def fetch(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> dict[UUID, V]:
        return dict(await by_keys(rows, source, owner_id, keys, shape))

    return await load(info, (source.table, shape), key, fetch)


async def load_related(info: Info, relation: Several, key: UUID, shape: Shape[V]) -> list[V]:
    """Return the rows that belong to the viewer's row with this key."""

    async def fetch(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> dict[UUID, list[V]]:
        return await related(rows, relation, owner_id, keys, shape)

    return await load(info, (relation, shape), key, fetch) or []


def _loader(info: Info, viewer: Viewer, fetch: Fetch[V]) -> DataLoader[UUID, V | None]:
    database = info.context.database

    async def batch(keys: list[UUID]) -> list[V | None]:
        found = await fetch(database, viewer.id, keys)
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=batch, max_batch_size=MAX_BATCH)
