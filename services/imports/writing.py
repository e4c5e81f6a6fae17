"""Writing one chunk of rows: all of it in the caller's transaction, with a fixed number of statements.

Locks are taken in one order by everybody: the owner's imports, tags, collections, bookmarks, the task, the events.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db import imports as rows_of
from db.imports import chunks
from db.tags import TagRow, labels
from db.unit import Unit
from kit.ids import new_ids
from services import rules
from services.events import MAX_IDS_IN_EVENT, BookmarkChange, EventDraft, Topic
from services.imports import plan
from services.imports.frames import Row
from services.imports.labels import tag_names, tags_of
from services.imports.options import ImportOptions
from services.imports.places import Places
from services.imports.plan import Existing, Fate, Outcome, Target
from services.imports.room import Room
from services.permissions import Viewer
from services.rules import RuleEvent


@dataclass(slots=True)
class Run:
    """What one worker remembers of an import between its chunks."""

    import_id: UUID
    owner_id: UUID
    options: ImportOptions
    created_at: datetime
    places: Places
    room: Room


@dataclass(frozen=True, slots=True)
class Written:
    """What a chunk did: rows by outcome, and the events that tell of its bookmarks."""

    counts: Counter[Outcome]
    events: list[EventDraft]


async def write_chunk(unit: Unit, run: Run, rows: Sequence[Row], *, total: int | None) -> Written:
    """Write `rows`, which follow the last chunk's, and move the import's cursor behind them.

    Raises `Raced` when somebody else changed what the chunk rests on: then the whole transaction is to run again, and
    `Conflict` when the account is full.
    """
    await chunks.lock_owner(unit, run.owner_id)
    names = [tag_names(row, run.places.folders, run.options) if row.key is not None else [] for row in rows]
    tags = await _settle_tags(unit, run, {name for some in names for name in some})
    viewer = Viewer(id=run.owner_id)
    ready = await rules.prepare(unit, viewer, RuleEvent.IMPORTED)
    if run.options.folders_as_collections:
        await run.places.settle(unit, {row.folder for row in rows if row.key is not None})
    elif run.places.root is not None:
        await run.places.settle(unit, ())
    targets = await _there(unit, run, rows)
    labels = [[tags[name].id for name in some if name in tags] for some in names]
    fates = await _decide(unit, run, rows, labels, targets)
    made = [fate.target for fate in fates if fate.outcome is Outcome.CREATED and fate.target is not None]
    changed = [target for target in targets.values() if target.existing is not None and target.is_changed]
    await run.room.check(unit, len(made))
    await _create(unit, run, made, {tag.id: tag for tag in tags.values()})
    await rules.run(unit, viewer, ready, [target.id for target in made], count_up=False)
    await _change(unit, run, changed)
    await chunks.copy(unit, "import_rows", chunks.FATE_COLUMNS, [_record(run, fate) for fate in fates])
    counts = Counter(fate.outcome for fate in fates)
    await rows_of.advance(
        unit,
        run.import_id,
        next_row=rows[-1].row + 1,
        created=counts[Outcome.CREATED],
        merged=counts[Outcome.MERGED],
        skipped=counts[Outcome.SKIPPED],
        errors=counts[Outcome.ERROR],
        total=total,
    )
    return Written(counts, _events(made, changed))


async def _settle_tags(unit: Unit, run: Run, names: set[str]) -> dict[str, TagRow]:
    """Return the tags that the chunk needs by their paths, and remember which of them are new."""
    if not names:
        return {}
    started = await chunks.moment(unit)
    tags = await tags_of(unit, run.owner_id, names)
    if any(tag.created_at == started for tag in tags.values()):
        await chunks.remember_objects(unit, run.import_id, "TAG", await chunks.tags_made_now(unit, run.owner_id))
    return tags


async def _there(unit: Unit, run: Run, rows: Sequence[Row]) -> dict[bytes, Target]:
    """Return the bookmarks that are there already, by URL key."""
    keys = {row.key: row for row in reversed(rows) if row.key is not None}
    targets = {}
    for found in await chunks.existing(unit, run.owner_id, list(keys)):
        values = dict(found)
        key = values.pop("url_key")
        values |= {name: frozenset(values[name]) for name in ("tag_ids", "collection_ids")}
        existing = Existing(**values)
        targets[key] = Target(existing.id, existing, keys[key])
    return targets


async def _decide(
    unit: Unit, run: Run, rows: Sequence[Row], labels: Sequence[list[UUID]], targets: dict[bytes, Target]
) -> list[Fate]:
    """Give every row its fate; `targets` gains the new bookmarks."""
    first_here = rows[0].row
    earlier = await rows_of.outcomes_of(
        unit, run.import_id, [row.first_row for row in rows if row.first_row < first_here]
    )
    outcomes = {number: Outcome(outcome) for number, (outcome, _) in earlier.items()}
    fates = []
    keys = iter(new_ids(len(rows)))
    for row, tag_ids in zip(rows, labels, strict=True):
        fate = _fate(run, row, tag_ids, targets, outcomes, keys)
        outcomes.setdefault(row.row, fate.outcome)
        fates.append(fate)
    return fates


def _fate(
    run: Run,
    row: Row,
    tag_ids: list[UUID],
    targets: dict[bytes, Target],
    outcomes: dict[int, Outcome],
    keys: Iterator[UUID],
) -> Fate:
    if row.key is None:
        return plan.refusal(row)
    home = run.places.of(row.folder) if run.options.folders_as_collections else run.places.root
    collection_ids = [] if home is None else [home]
    target = targets.get(row.key)
    if target is None:
        targets[row.key], fate = plan.create(next(keys), row, tag_ids, collection_ids)
        return fate
    first = outcomes.get(row.first_row) if row.first_row < row.row else None
    return plan.meet(target, row, tag_ids, collection_ids, options=run.options, first=first)


async def _create(unit: Unit, run: Run, made: Sequence[Target], tags: dict[UUID, TagRow]) -> None:
    ordered = sorted(made, key=lambda target: target.row.key or b"")
    borne = {tuple(target.tags) for target in ordered}
    labelled = {keys: labels([tags[key] for key in keys]) for keys in borne}
    await chunks.copy(
        unit,
        "bookmarks",
        chunks.BOOKMARK_COLUMNS,
        [_bookmark(run, target, labelled[tuple(target.tags)]) for target in ordered],
    )
    await chunks.copy(
        unit,
        "bookmark_tags",
        ("bookmark_id", "tag_id", "owner_id"),
        [(one.id, key, run.owner_id) for one in ordered for key in one.tags],
    )
    await chunks.copy(
        unit,
        "bookmark_collections",
        ("bookmark_id", "collection_id", "owner_id"),
        [(one.id, key, run.owner_id) for one in ordered for key in one.collections],
    )


def _bookmark(run: Run, target: Target, labelled: tuple[str, Any]) -> tuple[Any, ...]:
    row, changes = target.row, target.changes
    title, description, notes, icon_url = row.title, row.description, row.notes, row.icon_url
    if changes:  # a later row of the chunk had what this one lacked
        title, description = changes.get("title", title), changes.get("description", description)
        notes, icon_url = changes.get("notes", notes), changes.get("favicon_url", icon_url)
    return (
        target.id,
        run.owner_id,
        row.url,
        row.canonical_url,
        row.key,
        row.key_version,
        row.domain,
        title,
        description,
        notes,
        row.is_favorite,
        row.is_unread or run.options.mark_unread,
        row.is_private,
        icon_url,
        "IMPORT",
        row.added_at or run.created_at,
        row.url_words,
        *labelled,
    )


async def _change(unit: Unit, run: Run, changed: Sequence[Target]) -> None:
    """Write what rows added to bookmarks that were there."""
    if not changed:
        return
    versions = {one.id: one.existing.version for one in changed if one.existing is not None}
    await chunks.lock_unchanged(unit, versions)
    await chunks.add_links(
        unit,
        run.owner_id,
        tags=[(one.id, key) for one in changed for key in one.tags],
        collections=[(one.id, key) for one in changed for key in one.collections],
    )
    for counts_up in (True, False):
        some = [one for one in changed if one.counts_up is counts_up]
        if some:
            values = [(one.id, one.changes | {"restored": one.restored}) for one in some]
            await chunks.change_bookmarks(unit, run.owner_id, values, count_up=counts_up)


def _record(run: Run, fate: Fate) -> tuple[Any, ...]:
    row = fate.row
    key = fate.target.id if fate.target is not None else None
    return (run.import_id, row.row, row.url, row.title, fate.outcome.value, fate.reason, key, fate.undo)


def _events(made: Sequence[Target], changed: Sequence[Target]) -> list[EventDraft]:
    ids = [str(target.id) for target in (*made, *changed)]
    return [
        EventDraft(
            Topic.BOOKMARK,
            None,
            {"change": BookmarkChange.IMPORTED.value, "ids": ids[start : start + MAX_IDS_IN_EVENT]},
        )
        for start in range(0, len(ids), MAX_IDS_IN_EVENT)
    ]
