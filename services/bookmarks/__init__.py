"""Bookmarks: one per address and owner, moved to a trash before they are gone, never changed unawares."""

from services.bookmarks.changing import update
from services.bookmarks.lists import (
    BookmarkOrder,
    by_url,
    count,
    counts_under,
    get,
    page,
    pages_under,
    resolve,
)
from services.bookmarks.saving import BookmarkSource, DuplicatePolicy, Saved, create
from services.bookmarks.trash import delete, empty_trash, purge_old, restore
from services.bookmarks.values import BookmarkChanges

__all__ = [
    "BookmarkChanges",
    "BookmarkOrder",
    "BookmarkSource",
    "DuplicatePolicy",
    "Saved",
    "by_url",
    "count",
    "counts_under",
    "create",
    "delete",
    "empty_trash",
    "get",
    "page",
    "pages_under",
    "purge_old",
    "resolve",
    "restore",
    "update",
]
