"""What bookmarks repeat of their tags is what the tags say, whatever happened."""

from db.unit import Rows

# Written out, not taken from db.tags: it is the expectation. The same text as a list prints without the kept column.
OUT_OF_STEP = """
SELECT b.id, b.tag_words, b.tag_list::text FROM bookmarks b
WHERE b.tag_words <> coalesce((
    SELECT string_agg(replace(t.path, '/', ' '), ' ' ORDER BY t.path_key COLLATE "C")
    FROM bookmark_tags link JOIN tags t ON t.id = link.tag_id WHERE link.bookmark_id = b.id), '')
OR b.tag_list::text <> array_to_json(ARRAY(
    SELECT row_to_json(shown) FROM (
        SELECT encode(('Tag:' || t.id)::bytea, 'base64') AS id, t.name
        FROM bookmark_tags link JOIN tags t ON t.id = link.tag_id AND t.owner_id = b.owner_id
        WHERE link.bookmark_id = b.id ORDER BY t.path_key COLLATE "C" LIMIT 100
    ) AS shown))::text
"""
"""A statement that finds the bookmarks of which that is not true."""


async def assert_in_step(rows: Rows) -> None:
    """Assert that of every bookmark of the database."""
    assert [dict(row) for row in await rows.fetch(OUT_OF_STEP)] == []
