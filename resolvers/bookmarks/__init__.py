"""Bookmarks in the graph."""

from resolvers.bookmarks.changes import (
    create_bookmark,
    delete_bookmarks,
    empty_trash,
    restore_bookmarks,
    update_bookmark,
)
from resolvers.bookmarks.following import (
    FOLLOWED,
    Resume,
    bookmark_changed,
    event_bookmark,
    event_ids,
)
from resolvers.bookmarks.lists import (
    SOURCE,
    TYPE,
    bookmark,
    bookmark_by_url,
    counted_under,
    find,
    list_bookmarks,
    listed_under,
)

__all__ = [
    "FOLLOWED",
    "SOURCE",
    "TYPE",
    "Resume",
    "bookmark",
    "bookmark_by_url",
    "bookmark_changed",
    "counted_under",
    "create_bookmark",
    "delete_bookmarks",
    "empty_trash",
    "event_bookmark",
    "event_ids",
    "find",
    "list_bookmarks",
    "listed_under",
    "restore_bookmarks",
    "update_bookmark",
]
