"""Collections as rows: a tree per owner, and which bookmarks lie where.

Two advisory locks per owner, held until the transaction ends and taken before any bookmark is locked: `hold` (shared)
by whoever is about to put bookmarks into collections, `reshape` (excludes it) by whoever changes the tree.
"""

from db.collections.links import (
    MAX_COLLECTIONS_OF_BOOKMARK,
    add_links,
    fullest,
    linked_bookmarks,
    of_bookmarks,
    remove_links,
    replace_links,
)
from db.collections.locks import hold, reshape
from db.collections.pages import CollectionFilter, CollectionSort, Placed, SortValue, count, page
from db.collections.rows import CollectionDraft, CollectionRow
from db.collections.tree import (
    arrange,
    by_ids,
    children,
    delete,
    family,
    holds_at_least,
    insert,
    lineage,
    subtree,
    update,
)

__all__ = [
    "MAX_COLLECTIONS_OF_BOOKMARK",
    "CollectionDraft",
    "CollectionFilter",
    "CollectionRow",
    "CollectionSort",
    "Placed",
    "SortValue",
    "add_links",
    "arrange",
    "by_ids",
    "children",
    "count",
    "delete",
    "family",
    "fullest",
    "hold",
    "holds_at_least",
    "insert",
    "lineage",
    "linked_bookmarks",
    "of_bookmarks",
    "page",
    "remove_links",
    "replace_links",
    "reshape",
    "subtree",
    "update",
]
