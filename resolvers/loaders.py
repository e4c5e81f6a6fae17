"""Loading many things at once: what the rows of one list ask for one by one is fetched in one statement.

Loaders belong to one operation (resolvers.context) and are made when first used.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from db.unit import Rows
from kit.paging import MAX_PAGE
from resolvers.context import Info, viewer_of
from services.permissions import Viewer

V = TypeVar("V")
Fetch = Callable[[Rows, UUID, Sequence[UUID]], Awaitable[Mapping[UUID, V]]]
"""`(rows, owner, keys)` to what each key stands for."""

MAX_BATCH = 10 * MAX_PAGE
"""Most keys of one statement; more are fetched by several."""


async def load(info: Info, name: str, key: UUID, fetch: Fetch[V]) -> V | None:
    """Return what `key` stands for among the viewer's things, or None, fetched together with the other keys asked for.

    `name` tells this use from others in the same operation: the same name must always come with the same `fetch`.
    """
    loaders = info.context.loaders
    loader: DataLoader[UUID, V | None] | None = loaders.get(name)
    if loader is None:
        loader = loaders[name] = _loader(info, viewer_of(info), fetch)
    return await loader.load(key)


async def load_row(info: Info, name: str, key: UUID, by_ids: Callable[..., Awaitable[Sequence[Any]]]) -> Any:
    """Return the viewer's row with this key, or None; `by_ids(rows, owner, keys)` returns those that exist."""

    async def fetch(rows: Rows, owner_id: UUID, keys: Sequence[UUID]) -> dict[UUID, Any]:
        return {row.id: row for row in await by_ids(rows, owner_id, keys)}

    return await load(info, name, key, fetch)


def _loader(info: Info, viewer: Viewer, fetch: Fetch[V]) -> DataLoader[UUID, V | None]:
    database = info.context.database

    async def batch(keys: list[UUID]) -> list[V | None]:
        found = await fetch(database, viewer.id, keys)
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=batch, max_batch_size=MAX_BATCH)
