"""What the pages of bookmarks say."""

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Bytea, Text, Timestamptz
from piccolo.table import Table


class Page(Table, tablename="pages"):
    """A page as it was last read. `written` has what was put into the bookmark's own columns then."""

    bookmark_id = UUID(primary_key=True)
    owner_id = UUID()
    url = Text()
    content_type = Text()
    said = JSONB()
    written = JSONB()
    text = Text()
    digest = Bytea(null=True)
    fingerprint = BigInt(null=True)
    etag = Text(null=True)
    last_modified = Text(null=True)
    is_rendered = Boolean()
    fetched_at = Timestamptz()
