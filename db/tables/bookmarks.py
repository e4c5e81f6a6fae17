"""Bookmarks, one per owner and URL key. The generated column `search` is left out: queries never select it."""

from piccolo.columns import JSON, UUID, Array, Boolean, Bytea, Integer, SmallInt, Text, Timestamptz
from piccolo.table import Table


class Bookmark(Table, tablename="bookmarks"):
    """A saved address. `tag_words` and `tag_list` repeat its tags, for the full-text index and for lists.

    db.tags.links keeps both in step. `page_words` are words of its page, for the same index; db.enrichment writes them.
    """

    id = UUID(primary_key=True)
    owner_id = UUID()
    url = Text()
    canonical_url = Text()
    url_key = Bytea()
    url_key_version = SmallInt()
    domain = Text()
    title = Text()
    description = Text(null=True)
    notes = Text(null=True)
    is_favorite = Boolean()
    is_archived = Boolean()
    is_unread = Boolean()
    is_private = Boolean()
    favicon_url = Text(null=True)
    image_url = Text(null=True)
    language = Text(null=True)
    author = Text(null=True)
    site_name = Text(null=True)
    published_at = Timestamptz(null=True)
    word_count = Integer(null=True)
    reading_time_seconds = Integer(null=True)
    summary = Text(null=True)
    keywords = Array(base_column=Text())
    source = Text()
    added_at = Timestamptz()
    created_at = Timestamptz()
    updated_at = Timestamptz()
    deleted_at = Timestamptz(null=True)
    version = Integer()
    url_words = Text()
    tag_words = Text()
    page_words = Text()
    tag_list = JSON()
    category_id = UUID(null=True)
