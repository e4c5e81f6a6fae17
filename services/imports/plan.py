"""Decides the fate of rows: pure, from what the file says and what is there.

A `Target` is a bookmark as the rows of one chunk leave it: a new one, or one that is there with what is to change.
Rows of one key meet the same target, so a file that repeats an address is united as it is read.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.imports.frames import Row
from services.imports.options import ImportOptions, OnDuplicate

MAX_LINKS = 100
"""Most tags, and most collections, that a bookmark gets by import."""


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "CREATED"
    MERGED = "MERGED"
    SKIPPED = "SKIPPED"
    ERROR = "ERROR"


class Reason(StrEnum):
    """Why a row was not simply created. The first four are of the file's address, the others of what is there."""

    EMPTY = "EMPTY"
    TOO_LONG = "TOO_LONG"
    INVALID_URL = "INVALID_URL"
    UNSUPPORTED_SCHEME = "UNSUPPORTED_SCHEME"
    ALREADY_SAVED = "ALREADY_SAVED"
    DUPLICATE_IN_FILE = "DUPLICATE_IN_FILE"
    IN_TRASH = "IN_TRASH"
    RESTORED = "RESTORED"


@dataclass(frozen=True, slots=True)
class Existing:
    """A bookmark that is there, with the ids of its tags and collections."""

    id: UUID
    title: str
    description: str | None
    notes: str | None
    favicon_url: str | None
    is_favorite: bool
    is_archived: bool
    deleted_at: datetime | None
    version: int
    tag_ids: frozenset[UUID]
    collection_ids: frozenset[UUID]


@dataclass(slots=True)
class Fate:
    """What became of one row. `undo` says how to take it back: old values, added ids; None when nothing changed.

    It also tells which version of the bookmark the row's chunk `found`, and which `version` it left.
    """

    row: Row
    outcome: Outcome
    reason: Reason | None
    target: "Target | None" = None
    undo: dict[str, Any] | None = None


@dataclass(slots=True)
class Target:
    """A bookmark in the making: `existing` is None for a new one, made of `row`. `changes` are columns to set.

    `counts_up` says whether writing the changes makes a new version of the bookmark.
    """

    id: UUID
    existing: Existing | None
    row: Row
    counts_up: bool = True
    changes: dict[str, Any] = field(default_factory=dict)
    tags: dict[UUID, None] = field(default_factory=dict)
    collections: dict[UUID, None] = field(default_factory=dict)
    restored: bool = False

    def value(self, name: str) -> Any:
        """Return what a text column holds now."""
        if self.changes and name in self.changes:
            return self.changes[name]
        return getattr(self.existing, name) if self.existing else _told(self.row, name)

    @property
    def is_changed(self) -> bool:
        """Whether an existing bookmark is to be written."""
        return bool(self.changes or self.tags or self.collections or self.restored)


def refusal(row: Row) -> Fate:
    """Return the fate of a row that cannot become a bookmark."""
    reason = Reason(row.problem or Reason.INVALID_URL)
    skipped = reason is Reason.UNSUPPORTED_SCHEME
    return Fate(row, Outcome.SKIPPED if skipped else Outcome.ERROR, reason)


def create(key: UUID, row: Row, tags: list[UUID], collections: list[UUID]) -> tuple[Target, Fate]:
    """Return the new bookmark `key` that a row makes, and the row's fate."""
    target = Target(key, None, row, tags=dict.fromkeys(tags[:MAX_LINKS]), collections=dict.fromkeys(collections))
    return target, Fate(row, Outcome.CREATED, None, target)


def meet(
    target: Target,
    row: Row,
    tags: list[UUID],
    collections: list[UUID],
    *,
    options: ImportOptions,
    first: Outcome | None,
) -> Fate:
    """Return the fate of a row whose bookmark is there already, and note in `target` what is to change.

    `first` is the outcome of the first row of the file with this address, None when this is the first: what a file
    says twice is united, whatever the policy, where the bookmark comes from this import.
    """
    ours = first is Outcome.CREATED
    repeated = first is not None
    existing = target.existing
    in_trash = existing is not None and existing.deleted_at is not None and not target.restored
    if in_trash and not options.restore_trashed:
        return Fate(row, Outcome.SKIPPED, Reason.IN_TRASH, target)
    was_changed = target.is_changed
    undo: dict[str, Any] = {}
    if in_trash and existing is not None and existing.deleted_at is not None:
        target.restored = True
        undo["deleted_at"] = existing.deleted_at.isoformat()
    if ours or options.on_duplicate is not OnDuplicate.SKIP:
        replaces = options.on_duplicate is OnDuplicate.UPDATE and not repeated
        undo |= _unite(target, row, tags, collections, replaces=replaces)
    reason = Reason.DUPLICATE_IN_FILE if repeated else Reason.RESTORED if in_trash else Reason.ALREADY_SAVED
    if not undo and not ours:
        return Fate(row, Outcome.SKIPPED, reason, target)
    if existing is not None and first in {Outcome.CREATED, Outcome.MERGED} and not was_changed:
        target.counts_up = False  # an earlier chunk has counted its version up: one change, as its undo is one
    if undo and existing is not None:
        undo |= {"found": existing.version, "version": existing.version + (1 if target.counts_up else 0)}
    return Fate(row, Outcome.MERGED, reason, target, None if ours else undo)


def _unite(target: Target, row: Row, tags: list[UUID], collections: list[UUID], *, replaces: bool) -> dict[str, Any]:
    """Fill what is empty (with `replaces` also what differs), add tags and collections; return how to undo that."""
    undo: dict[str, Any] = {}
    fields = {}
    for name in ("title", "description", "notes", "favicon_url"):
        new, old = _told(row, name), target.value(name)
        if new and new != old and (replaces or not old):
            target.changes[name] = new
            fields[name] = old
    if fields:
        undo["fields"] = fields
    had_tags = target.existing.tag_ids if target.existing else frozenset()
    had_collections = target.existing.collection_ids if target.existing else frozenset()
    if added := _added(tags, target.tags, had_tags):
        undo["tags"] = [str(key) for key in added]
    if added := _added(collections, target.collections, had_collections):
        undo["collections"] = [str(key) for key in added]
    return undo


def _added(wanted: list[UUID], coming: dict[UUID, None], there: frozenset[UUID]) -> list[UUID]:
    """Add to `coming` those of `wanted` that are new, as far as there is room; return them."""
    added = [key for key in dict.fromkeys(wanted) if key not in coming and key not in there]
    added = added[: max(0, MAX_LINKS - len(coming) - len(there))]
    coming.update(dict.fromkeys(added))
    return added


def _told(row: Row, name: str) -> Any:
    return row.icon_url if name == "favicon_url" else getattr(row, name)
