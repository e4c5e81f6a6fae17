"""Tags as rows: a tree that is also a path, its links to bookmarks, and the names that lead to a tag.

Three advisory locks per owner, held until the transaction ends, taken in this order and before any bookmark is locked:
`hold` (shared) by whoever is about to link bookmarks to tags, so that none of those is renamed or removed meanwhile;
`grow` by whoever adds tags, on top of `hold`; `reshape` (excludes `hold`) by whoever renames, merges or deletes.
"""

from db.tags.links import (
    MAX_TAGS_OF_BOOKMARK,
    OF_BOOKMARK,
    labels,
    labels_of,
    lock_bookmarks,
    refresh_labels,
    replace_links,
)
from db.tags.locks import grow, hold, reshape
from db.tags.names import ALIASES, add_aliases, aliased, aliases, delete_aliases
from db.tags.pages import Placed, TagFilter, TagSort, count, page
from db.tags.rows import SOURCE, WHOLE, TagRow
from db.tags.shaping import Place, delete, insert, park, place, redirect, set_color
from db.tags.tree import CHILDREN, PARENT, by_ids, by_keys, families, holds_at_least, subtrees

__all__ = [
    "ALIASES",
    "CHILDREN",
    "MAX_TAGS_OF_BOOKMARK",
    "OF_BOOKMARK",
    "PARENT",
    "SOURCE",
    "WHOLE",
    "Place",
    "Placed",
    "TagFilter",
    "TagRow",
    "TagSort",
    "add_aliases",
    "aliased",
    "aliases",
    "by_ids",
    "by_keys",
    "count",
    "delete",
    "delete_aliases",
    "families",
    "grow",
    "hold",
    "holds_at_least",
    "insert",
    "labels",
    "labels_of",
    "lock_bookmarks",
    "page",
    "park",
    "place",
    "redirect",
    "refresh_labels",
    "replace_links",
    "reshape",
    "set_color",
    "subtrees",
]
