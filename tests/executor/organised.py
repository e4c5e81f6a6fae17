"""Random tags and collections: trees, equal positions, unused ones, and links, a few of them across accounts."""

import random
from typing import Any
from uuid import UUID

from kit.text import fold
from tests.executor import values

Row = dict[str, Any]
_ASTRAY = 0.02
"""Share of links that cross accounts. Nothing writes such a link; should one ever exist, no answer may follow it."""


def tags(rng: random.Random, owner: UUID, count: int) -> tuple[list[Row], list[Row]]:
    """Return tags in a tree of any depth, and aliases."""
    rows: list[Row] = []
    seen: set[str] = set()
    for number in range(count):
        parent = rng.choice(rows) if rows and rng.random() < 0.5 else None
        name = (values.text(rng).replace("/", "") or "t") + rng.choice(("", str(number)))
        path = name if parent is None else f"{parent['path']}/{name}"
        key = fold(path)
        if not name.strip() or key in seen or len(path) > 500:
            continue
        seen.add(key)
        rows.append(
            {
                "id": values.key(rng),
                "owner_id": owner,
                "parent_id": None if parent is None else parent["id"],
                "name": name,
                "path": path,
                "path_key": key,
                "color": values.maybe(rng, values.color(rng)),
                "created_at": values.moment(rng),
            }
        )
    return rows, [_alias(rng, owner, number, rng.choice(rows)["id"]) for number in range(count // 2)]


def _alias(rng: random.Random, owner: UUID, number: int, tag: UUID) -> Row:
    alias = f"Alias {number}{values.text(rng)}"
    return {"owner_id": owner, "alias_key": fold(alias), "alias": alias, "tag_id": tag}


def collections(rng: random.Random, owner: UUID, count: int) -> list[Row]:
    """Return collections in a tree; many share their position among siblings."""
    rows: list[Row] = []
    for _ in range(count):
        parent = rng.choice(rows)["id"] if rows and rng.random() < 0.6 else None
        rows.append(
            {
                "id": values.key(rng),
                "owner_id": owner,
                "parent_id": parent,
                "name": values.text(rng),
                "slug": values.text(rng),
                "description": values.maybe(rng, values.text(rng)),
                "color": values.maybe(rng, values.color(rng)),
                "icon": values.maybe(rng, values.text(rng, 1)),
                "is_smart": rng.random() < 0.2,
                "query": values.maybe(rng, values.text(rng)),
                "position": rng.choice((0, 0, 1, 2, -1, 2**31 - 1)),
                "created_at": values.moment(rng),
                "updated_at": values.moment(rng),
            }
        )
    return rows


def links(tables: dict[str, list[Row]], rng: random.Random) -> None:
    """Add links between bookmarks and what they lie in; a tag in five and a collection in five stay unused."""
    for table, home in (("tags", "tag_id"), ("collections", "collection_id")):
        stray = _lead_astray(rng, tables[table])
        homes = [row for row in tables[table] if rng.random() < 0.8 and row is not stray]
        made: list[Row] = []
        for bookmark in tables["bookmarks"]:
            own = [row for row in homes if row["owner_id"] == bookmark["owner_id"]]
            chosen = rng.sample(own, min(len(own), rng.choice((0, 0, 1, 2, 5))))
            if rng.random() < _ASTRAY:
                chosen += [row for row in rng.sample(homes, 1) if row not in chosen]
            made += [
                {home: row["id"], "bookmark_id": bookmark["id"], "owner_id": bookmark["owner_id"]} for row in chosen
            ]
        if table == "collections":
            made = [row | {"added_at": values.moment(rng)} for row in made]
        tables["bookmark_tags" if table == "tags" else "bookmark_collections"] = made


def _lead_astray(rng: random.Random, rows: list[Row]) -> Row:
    """Put one row without others below it below somebody else's, and return it.

    It stays unused: were its parent deleted, it would go as well, and nothing could tell the bookmarks that bear it.
    """
    parents = {row["parent_id"] for row in rows}
    stray = rng.choice([row for row in rows if row["id"] not in parents])
    stranger = next(row for row in rows if row["owner_id"] != stray["owner_id"])
    stray["parent_id"] = stranger["id"]
    return stray
