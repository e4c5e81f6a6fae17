"""What happens to bookmarks, as it happens."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Final, cast
from uuid import UUID

import strawberry

from db.bookmarks import BookmarkRow
from resolvers.bookmarks.lists import TYPE, find
from resolvers.context import Info, viewer_of
from resolvers.ids import global_ids
from resolvers.live import SHARED, Following, Quiet, Shared
from services import events
from services.events import BookmarkChange, Happening, Topic

Resume = Annotated[
    str | None, strawberry.argument(description="Begin behind this event's `cursor`; now when left out.")
]


@dataclass(frozen=True, slots=True)
class BookmarkEventRow:
    """One event of `bookmarkChanged`."""

    seq: int
    cursor: str
    resync: bool
    change: BookmarkChange | None
    keys: tuple[UUID, ...]


def bookmark_changed(info: Info, after: Resume = None) -> Following[BookmarkEventRow]:
    """Return what happens to the viewer's bookmarks, as a source of rows."""
    return Following(lambda quiet: _rows(info, after, quiet))


def missed(seq: int) -> BookmarkEventRow:
    """Return the event that tells that others before it, up to number `seq`, were lost."""
    return BookmarkEventRow(seq, events.cursor_of(seq), resync=True, change=None, keys=())


FOLLOWED: Final = {SHARED: Shared(missed)}


async def _rows(info: Info, after: str | None, quiet: Quiet) -> AsyncGenerator[BookmarkEventRow, None]:
    context = info.context
    following = events.follow(
        context.database, context.services.bus, viewer_of(info).id, Topic.BOOKMARK, after=after, on_quiet=quiet
    )
    async with aclosing(cast("AsyncGenerator[Happening, None]", following)) as happenings:
        async for happening in happenings:
            context.loaders.clear()  # what they remember was true at the event before
            yield _event(happening)


def event_ids(event: strawberry.Parent[BookmarkEventRow]) -> list[strawberry.ID]:
    """Return the ids of the bookmarks that an event is about."""
    return global_ids(TYPE, event.keys)


async def event_bookmark(event: strawberry.Parent[BookmarkEventRow], info: Info) -> BookmarkRow | None:
    """Return the one bookmark that an event is about, as it is now."""
    return await find(info, event.keys[0]) if len(event.keys) == 1 else None


def _event(happening: Happening) -> BookmarkEventRow:
    if happening.event is None:
        return missed(events.seq_of(happening.cursor))
    payload = happening.event.payload
    return BookmarkEventRow(
        happening.event.seq,
        happening.cursor,
        resync=bool(payload.get("resync")),
        change=BookmarkChange(payload["change"]),
        keys=tuple(UUID(key) for key in payload["ids"]),
    )
