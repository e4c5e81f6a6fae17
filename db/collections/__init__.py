"""Collections as rows: a tree per owner, and which bookmarks lie where.

Two advisory locks per owner, held until the transaction ends and taken before any bookmark is locked: `hold` (shared)
by whoever is about to put bookmarks into collections, `reshape` (excludes it) by whoever changes the tree.
"""

from db.collections.links import (
    MAX_COLLECTIONS_OF_BOOKMARK,
    OF_BOOKMARK,
    add_links,
    fullest,
    linked_bookmarks,
    remove_links,
    replace_links,
)
from db.collections.locks import hold, reshape
from db.collections.pages import CollectionFilter, CollectionSort, Placed, SortValue, count, page
from db.collections.rows import SOURCE, WHOLE, CollectionDraft, CollectionRow
from db.collections.tree import (
    CHILDREN,
    PARENT,
    arrange,
    by_ids,
    delete,
    family,
    holds_at_least,
    insert,
    lineage,
    subtree,
    update,
)

__all__ = [
    "CHILDREN",
    "MAX_COLLECTIONS_OF_BOOKMARK",
    "OF_BOOKMARK",
    "PARENT",
    "SOURCE",
    "WHOLE",
    "CollectionDraft",
    "CollectionFilter",
    "CollectionRow",
    "CollectionSort",
    "Placed",
    "SortValue",
    "add_links",
    "arrange",
    "by_ids",
    "count",
    "delete",
    "family",
    "fullest",
    "hold",
    "holds_at_least",
    "insert",
    "lineage",
    "linked_bookmarks",
    "page",
    "remove_links",
    "replace_links",
    "reshape",
    "subtree",
    "update",
]
