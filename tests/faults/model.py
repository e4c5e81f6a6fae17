"""A generated bookmark file, what must become of it, and the comparison with what did."""

import random
from dataclasses import dataclass, field

from db.unit import Database
from tests.instep import assert_in_step

FOLDERS = 12
TAGS = 30


@dataclass
class Model:
    """A file of `rows` rows made from `seed`, some of them repeated, some broken; and the library that it makes."""

    seed: int
    rows: int
    text: str = ""
    library: dict[str, tuple[str, frozenset[str], frozenset[str]]] = field(default_factory=dict)
    created: int = 0
    merged: int = 0
    errors: int = 0

    def __post_init__(self) -> None:
        """Make the file."""
        chance = random.Random(self.seed)
        lines = ["<!DOCTYPE NETSCAPE-Bookmark-file-1>", "<DL><p>"]
        written = 0
        for folder in range(FOLDERS):
            lines += [f"<DT><H3>Folder {folder}</H3>", "<DL><p>"]
            until = self.rows * (folder + 1) // FOLDERS
            for number in range(written, until):
                lines.append(self._row(chance, number, f"Folder {folder}"))
            written = until
            lines.append("</DL><p>")
        self.text = "\n".join([*lines, "</DL><p>", ""])

    def _row(self, chance: random.Random, number: int, folder: str) -> str:
        kind = chance.random()
        if kind < 0.02 or not number:
            self.errors += 1
            return f'<DT><A HREF="https://">Broken {number}</A>'
        repeated = bool(self.library) and kind < 0.1
        url = chance.choice(list(self.library)) if repeated else f"https://example.org/{self.seed}/{number}"
        tags = frozenset(f"tag{chance.randrange(TAGS)}" for _ in range(3))
        title, had, homes = self.library.get(url, (f"Title {number}", frozenset(), frozenset()))
        self.library[url] = (title, had | tags, homes | {folder})
        self.created += not repeated
        self.merged += repeated
        return f'<DT><A HREF="{url}" TAGS="{",".join(sorted(tags))}">Title {number}</A>'

    async def check(self, database: Database) -> None:
        """Assert that the library is exactly that of the model, and that every row met its fate once."""
        found = await database.fetch(
            """
            SELECT b.url, b.title,
                ARRAY(SELECT t.path FROM bookmark_tags l JOIN tags t ON t.id = l.tag_id
                    WHERE l.bookmark_id = b.id) AS tags,
                ARRAY(SELECT c.name FROM bookmark_collections l JOIN collections c ON c.id = l.collection_id
                    WHERE l.bookmark_id = b.id) AS homes
            FROM bookmarks b
            """
        )
        made = {row["url"]: (row["title"], frozenset(row["tags"]), frozenset(row["homes"])) for row in found}
        assert len(found) == len(made)
        assert made == self.library
        await assert_in_step(database)
        assert await database.fetchval("SELECT count(*) FROM collections") == FOLDERS
        counts = await database.fetchrow("SELECT total, created, merged, skipped, errors, next_row FROM imports")
        assert counts is not None
        assert dict(counts) == {
            "total": self.rows,
            "created": self.created,
            "merged": self.merged,
            "skipped": 0,
            "errors": self.errors,
            "next_row": self.rows + 1,
        }
        assert await database.fetchval("SELECT array_agg(row ORDER BY row) FROM import_rows") == list(
            range(1, self.rows + 1)
        )
        told = await database.fetchval(
            """
            SELECT count(*) FROM events, jsonb_array_elements_text(payload -> 'ids') AS id
            WHERE topic = 'bookmark.changed' AND payload ->> 'change' = 'IMPORTED'
            """
        )
        assert told >= self.created
