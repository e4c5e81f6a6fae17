"""Bookmarks as rows: lists read by keyset, changes guarded by the unique key (owner_id, url_key)."""

from db.bookmarks.conditions import BookmarkFilter, Home
from db.bookmarks.lookup import by_ids, by_url_key, holds_at_least, lock, lock_by_url_key
from db.bookmarks.pages import BookmarkSort, Placed, Slice, count, count_under, counts_under, page, pages_under
from db.bookmarks.rows import COLUMNS, SOURCE, WHOLE, BookmarkDraft, BookmarkRow
from db.bookmarks.trash import purge, purge_trash, set_trashed, trashed_ids
from db.bookmarks.writes import insert, touch, update

__all__ = [
    "COLUMNS",
    "SOURCE",
    "WHOLE",
    "BookmarkDraft",
    "BookmarkFilter",
    "BookmarkRow",
    "BookmarkSort",
    "Home",
    "Placed",
    "Slice",
    "by_ids",
    "by_url_key",
    "count",
    "count_under",
    "counts_under",
    "holds_at_least",
    "insert",
    "lock",
    "lock_by_url_key",
    "page",
    "pages_under",
    "purge",
    "purge_trash",
    "set_trashed",
    "touch",
    "trashed_ids",
    "update",
]
