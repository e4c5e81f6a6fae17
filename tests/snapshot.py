"""The whole stored graph as plain values, so that a test can say what changed and that nothing else did."""

from typing import Any

from db.unit import Rows

_TABLES = {
    "bookmarks": ("id", "search"),
    "collections": ("id", ""),
    "bookmark_collections": ("collection_id, bookmark_id", ""),
    "tags": ("id", ""),
    "tag_aliases": ("owner_id, alias_key", ""),
    "bookmark_tags": ("tag_id, bookmark_id", ""),
    "events": ("owner_id, seq", ""),
    "idempotency_keys": ("owner_id, key", ""),
}

Snapshot = dict[str, list[dict[str, Any]]]


async def snapshot(rows: Rows) -> Snapshot:
    """Return every row of the graph's tables, in the order of their keys; generated columns are left out."""
    taken: Snapshot = {}
    for table, (order, generated) in _TABLES.items():
        found = await rows.fetch(f"SELECT * FROM {table} ORDER BY {order}")
        taken[table] = [{name: value for name, value in row.items() if name != generated} for row in found]
    return taken


def changed_tables(before: Snapshot, after: Snapshot) -> set[str]:
    """Return the names of the tables that differ."""
    return {table for table in before if before[table] != after[table]}
