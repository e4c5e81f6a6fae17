"""Tags: found by any spelling or alias, made with all levels above them, renamed and merged with all below."""

from services.tags.lists import count, order_kinds, order_name, page
from services.tags.merging import merge
from services.tags.names import create, ensure, families, get, named, search_keys
from services.tags.shaping import TagChanges, delete, update

__all__ = [
    "TagChanges",
    "count",
    "create",
    "delete",
    "ensure",
    "families",
    "get",
    "merge",
    "named",
    "order_kinds",
    "order_name",
    "page",
    "search_keys",
    "update",
]
