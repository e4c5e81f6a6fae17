"""Recording what happened, and following it from a cursor without gap or repetition."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from db import events as rows_of
from db.events import EventRow
from db.unit import Database, Unit
from kit.bus import Bus
from kit.paging import decode_cursor, encode_cursor

_ORDER = "event"
_BATCH = 100
_LOOK_ANYWAY_SECONDS = 15.0
MAX_IDS_IN_EVENT = 1_000


class Topic(StrEnum):
    """What subscriptions follow."""

    BOOKMARK = "bookmark.changed"
    IMPORT = "import.progress"
    TASK = "task.updated"
    AGENT = "agent.status"


class BookmarkChange(StrEnum):
    """What happened to bookmarks. A purge is for ever; a deletion only moves into the trash."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    RESTORED = "RESTORED"
    PURGED = "PURGED"
    IMPORTED = "IMPORTED"


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event before it has its number. `payload` must be JSON; keep it small, ids instead of rows."""

    topic: Topic
    subject_id: UUID | None
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Happening:
    """What a follower is given: an event and the cursor behind it, or the word that events were lost to retention.

    With `resync` true there is no event: whoever follows must read the present state, and continues from `cursor`.
    """

    cursor: str
    event: EventRow | None
    resync: bool = False


def cursor_of(seq: int) -> str:
    """Return the opaque cursor that stands behind event `seq`."""
    return encode_cursor(_ORDER, (seq,))


async def record(unit: Unit, owner_id: UUID, drafts: Sequence[EventDraft]) -> None:
    """Write `drafts` with the change that they tell of. Call it last in the transaction (see db.events)."""
    await record_all(unit, [(owner_id, draft) for draft in drafts])


async def record_all(unit: Unit, drafts: Sequence[tuple[UUID, EventDraft]]) -> None:
    """Do as `record` for several owners at once: after it no events of anybody else may follow in the transaction."""
    if drafts:
        await rows_of.append(
            unit,
            [owner_id for owner_id, _ in drafts],
            [draft.topic.value for _, draft in drafts],
            [draft.subject_id for _, draft in drafts],
            [draft.payload for _, draft in drafts],
        )


async def record_bookmarks(unit: Unit, owner_id: UUID, change: BookmarkChange, bookmark_ids: Sequence[UUID]) -> None:
    """Write that `change` happened to these bookmarks; nothing when there are none. Last in the transaction.

    The payload is `{"change", "ids"}`. Of more than 1,000 bookmarks none is named: `ids` is empty and `resync` true,
    which tells readers to read afresh, as they must after a gap.
    """
    if bookmark_ids:
        await record(unit, owner_id, [bookmark_draft(change, bookmark_ids)])


def bookmark_draft(change: BookmarkChange, bookmark_ids: Sequence[UUID]) -> EventDraft:
    """Return the event that `record_bookmarks` writes, for whoever records it together with others."""
    payload: dict[str, Any] = {"change": change.value, "ids": [str(key) for key in bookmark_ids]}
    if len(bookmark_ids) > MAX_IDS_IN_EVENT:
        payload = {"change": change.value, "ids": [], "resync": True}
    return EventDraft(Topic.BOOKMARK, bookmark_ids[0] if len(bookmark_ids) == 1 else None, payload)


async def follow(
    database: Database,
    bus: Bus,
    owner_id: UUID,
    topic: Topic,
    *,
    subject_id: UUID | None = None,
    after: str | None = None,
    on_quiet: Callable[[int], Awaitable[bool]] | None = None,
) -> AsyncIterator[Happening]:
    """Yield what happens from now on, or from behind the cursor `after`, until `on_quiet` says that it is enough.

    Each event once and in order, also across reconnects and restarts. Memory is bounded: at most 100 events are read
    ahead, and nothing is read while the consumer is busy. `on_quiet` is told the number up to which everything has
    been yielded, whenever there is no more for now. Raises `BadInput` when `after` is not a cursor.
    """
    seq = None if after is None else seq_of(after)
    async with bus.reader(rows_of.CHANNEL, str(owner_id)) as ring:
        if seq is None:
            _, seq = await rows_of.horizon(database, owner_id)
        while True:
            page = await rows_of.page(database, owner_id, topic, seq, subject_id=subject_id, limit=_BATCH)
            if not page.pruned <= seq <= page.latest:  # retention overtook this reader, or the cursor is of elsewhere
                seq = page.latest
                yield Happening(cursor_of(seq), None, resync=True)
                continue
            for event in page.events:
                seq = event.seq
                yield Happening(cursor_of(seq), event)
            if len(page.events) < _BATCH:
                seq = page.latest
                if on_quiet is not None and await on_quiet(seq):
                    return
                await ring.wait(_LOOK_ANYWAY_SECONDS)


def seq_of(cursor: str) -> int:
    """Return the number of the event that a cursor stands behind. Raises `BadInput` when it is not a cursor."""
    (seq,) = decode_cursor(_ORDER, cursor, (int,))
    return int(str(seq))
