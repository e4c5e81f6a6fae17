"""Made-up bookmarks: the same for the same seed, as varied as promised, readable as a bookmark file."""

import io
from collections import Counter
from pathlib import Path

from app.samples import MAX_FOLDER_DEPTH, samples, write_netscape
from app.seeding import fill
from db.unit import Database
from services.imports.netscape import NetscapeReader
from tests.make import Maker


def test_the_same_seed_makes_the_same_bookmarks() -> None:
    assert list(samples(300, seed=4)) == list(samples(300, seed=4))
    assert list(samples(300, seed=4)) != list(samples(300, seed=5))
    assert list(samples(100, seed=4)) == list(samples(300, seed=4))[:100]


def test_words_addresses_and_folders_are_as_varied_as_in_life() -> None:
    made = list(samples(10_000))
    assert len({sample.url for sample in made}) == 10_000
    assert max(len(sample.folder) for sample in made) == MAX_FOLDER_DEPTH
    assert 1_000 < sum(not sample.title.isascii() for sample in made) < 1_400
    assert 3_000 < sum(sample.description is not None for sample in made) < 4_000
    words = Counter(word for sample in made for word in set(sample.title.lower().split()))
    assert words["guide"] > 1_500
    assert sum(number == 1 for number in words.values()) > 1_000


def test_a_file_has_duplicates_and_bad_entries_and_every_folder(tmp_path: Path) -> None:
    out = io.StringIO()
    write_netscape(10_000, out)
    path = tmp_path / "bookmarks.html"
    path.write_text(out.getvalue(), encoding="utf-8")
    reader = NetscapeReader(path)
    items = list(reader)
    assert len(items) == 10_000
    bad = [item for item in items if item.problem is not None]
    assert 8 <= len(bad) <= 35
    urls = Counter(item.url for item in items if item.problem is None)
    assert 200 < sum(number - 1 for number in urls.values()) < 400
    made = list(samples(10_000))
    assert [item.title for item in items] == [" ".join(sample.title.split()) for sample in made]
    assert [tuple(key.name for key in item.folders) for item in items] == [sample.folder for sample in made]
    assert [item.tags for item in items] == [sample.tags for sample in made]


async def test_filling_twice_adds_nothing_the_second_time(database: Database, make: Maker) -> None:
    viewer = await make.viewer()
    told: list[int] = []
    assert await fill(database, viewer.id, 2_500, progress=told.append) == 2_500
    assert told == [2_000, 2_500]
    assert await fill(database, viewer.id, 2_600) == 100
    made = list(samples(2_600))
    counts = await database.fetchrow(
        """
        SELECT (SELECT count(*) FROM bookmarks WHERE owner_id = $1) AS bookmarks,
            (SELECT count(*) FROM bookmark_tags) AS bookmark_tags,
            (SELECT count(*) FROM bookmark_collections) AS placed,
            (SELECT count(*) FROM tags WHERE owner_id = $1) AS tags,
            (SELECT count(*) FROM collections WHERE owner_id = $1) AS collections
        """,
        viewer.id,
    )
    assert counts is not None
    levels = {"/".join(tag.split("/")[:depth]) for sample in made for tag in sample.tags for depth in (1, 2)}
    folders = {sample.folder[:depth] for sample in made for depth in range(1, len(sample.folder) + 1)}
    assert dict(counts) == {
        "bookmarks": 2_600,
        "bookmark_tags": sum(len(sample.tags) for sample in made),
        "placed": 2_600,
        "tags": len(levels),
        "collections": len(folders),
    }
