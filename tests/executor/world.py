"""A small world of random rows: three accounts that share nothing but the tables, and a few links that should not be.

Rows are written as they lie in the tables, past the services: columns hold everything that they may hold, also what
the API would have refused or normalised.
"""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from db.tags import refresh_labels
from db.unit import Database, Unit
from services.permissions import Role, Viewer
from tests.executor import values
from tests.executor.checked import link_check, link_health
from tests.executor.organised import collections, links, tags
from tests.executor.paged import page, screenshot
from tests.executor.proposed import categories, rules, suggestions
from tests.executor.worked import imports, tasks

Row = dict[str, Any]
SIZES = (130, 40, 15)
"""How many bookmarks each account has; the first has more than the largest page holds."""


@dataclass
class World:
    """What was made. `keys` are by type name and account, `words` are values worth asking for, by their column."""

    viewers: list[Viewer]
    keys: dict[str, list[list[UUID]]] = field(default_factory=lambda: defaultdict(list))
    words: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def remember(self, rows: Iterable[Row], **columns: str) -> None:
        """Keep values of columns: `word=column`."""
        for row in rows:
            for word, column in columns.items():
                if row[column] is not None:
                    self.words[word].append(row[column])


async def populate(database: Database, rng: random.Random) -> World:
    """Fill an empty database. The same `rng` makes the same rows, ids included."""
    people = [_user(rng, index) for index in range(len(SIZES))]
    world = World([Viewer(id=row["id"], role=Role(row["role"])) for row in people])
    world.keys["User"] = [[row["id"]] for row in people]
    tables: dict[str, list[Row]] = defaultdict(list)
    tables["users"] = people
    for viewer, size in zip(world.viewers, SIZES, strict=True):
        _account(tables, world, rng, viewer.id, size)
    links(tables, rng)
    async with database.unit() as unit:
        for table, rows in tables.items():
            await _insert(unit, table, rows)
    for viewer, keys in zip(world.viewers, world.keys["Bookmark"], strict=True):
        async with database.unit() as unit:
            await refresh_labels(unit, viewer.id, keys)
    await database.execute("ANALYZE")
    return world


def _account(tables: dict[str, list[Row]], world: World, rng: random.Random, owner: UUID, size: int) -> None:
    kinds = categories(rng, owner, 5)
    saved = [_bookmark(rng, owner, number) | {"category_id": _one_of(rng, kinds)} for number in range(size)]
    made, aliases = tags(rng, owner, size // 3)
    placed = collections(rng, owner, size // 4)
    work = tasks(rng, owner, 2 + size // 8)
    known = [row["id"] for row in saved]
    proposed = suggestions(rng, owner, saved, {"TAG": made, "COLLECTION": placed, "CATEGORY": kinds})
    jobs, fates = imports(rng, owner, work, [*known, *(key for keys in world.keys["Bookmark"] for key in keys)])
    for table, kind, rows in (
        ("categories", "Category", kinds),
        ("bookmarks", "Bookmark", saved),
        ("collections", "Collection", placed),
        ("tags", "Tag", made),
        ("suggestions", "Suggestion", proposed),
        ("rules", "Rule", rules(rng, owner, 4, placed)),
        ("a2a_tasks", "Task", work),
        ("imports", "Import", jobs),
    ):
        tables[table] += rows
        world.keys[kind].append([row["id"] for row in rows])
    tables["tag_aliases"] += aliases
    tables["link_health"] += [link_health(rng, owner, row["id"]) for row in saved if rng.random() < 0.7]
    tables["link_checks"] += [link_check(rng, owner, row["id"]) for row in saved for _ in range(rng.choice((0, 0, 3)))]
    tables["pages"] += [page(rng, owner, row["id"]) for row in saved if rng.random() < 0.7]
    tables["screenshots"] += [screenshot(rng, owner, row["id"]) for row in saved if rng.random() < 0.5]
    tables["import_rows"] += fates
    world.remember(saved, url="url", title="title", domain="domain", moment="added_at")
    world.remember(made, path="path", tag="name")
    world.remember(aliases, path="alias")
    world.remember(placed, name="name")


def _one_of(rng: random.Random, rows: list[Row]) -> UUID | None:
    return cast("UUID | None", values.maybe(rng, rng.choice(rows)["id"]))


def _user(rng: random.Random, index: int) -> Row:
    email = f"{('ada', 'bob', 'root')[index]}{values.text(rng)}@example.org"
    return {
        "id": values.key(rng),
        "email": email,
        "email_key": f"{index}{email.casefold()}",
        "name": values.text(rng),
        "role": "ADMIN" if index == len(SIZES) - 1 else "USER",
        "last_login_at": values.maybe(rng, values.moment(rng)),
        "created_at": values.moment(rng),
        "updated_at": values.moment(rng),
    }


def _bookmark(rng: random.Random, owner: UUID, number: int) -> Row:
    domain = rng.choice(("example.org", "rust-lang.org", "xn--bcher-kva.example", "127.0.0.1", values.text(rng, 1)))
    url = f"https://{domain}/{number}{rng.choice(('', '?q=1&b=%20', '#' + values.text(rng)))}"
    odd = {name: values.maybe(rng, values.text(rng)) for name in _NULLABLE_TEXTS}
    return {
        "id": values.key(rng),
        "owner_id": owner,
        "url": url,
        "canonical_url": url.casefold(),
        "url_key": rng.randbytes(16),
        "url_key_version": 1,
        "domain": domain,
        "title": rng.choice((values.text(rng), "Long " * 21 + values.text(rng), "")),
        **odd,
        "is_favorite": rng.random() < 0.3,
        "is_archived": rng.random() < 0.3,
        "is_unread": rng.random() < 0.5,
        "published_at": values.maybe(rng, values.moment(rng)),
        "word_count": values.maybe(rng, values.number(rng)),
        "reading_time_seconds": values.maybe(rng, values.number(rng)),
        "keywords": [values.text(rng) for _ in range(rng.choice((0, 0, 1, 3)))],
        "source": rng.choice(("MANUAL", "IMPORT", "API")),
        "added_at": values.moment(rng),
        "created_at": values.moment(rng),
        "updated_at": values.moment(rng),
        "deleted_at": values.moment(rng) if rng.random() < 0.2 else None,
        "version": rng.choice((1, 2, 2**31 - 10_000)),
        "url_words": domain,
    }


_NULLABLE_TEXTS = (
    "description",
    "notes",
    "favicon_url",
    "image_url",
    "language",
    "author",
    "site_name",
    "summary",
)


async def _insert(unit: Unit, table: str, rows: list[Row]) -> None:
    names = list(rows[0])
    records = [tuple(row[name] for name in names) for row in rows]
    await unit.connection.copy_records_to_table(table, records=records, columns=names)
