"""Pictures of pages."""

from piccolo.columns import UUID, Bytea, Integer, Timestamptz
from piccolo.table import Table


class Screenshot(Table, tablename="screenshots"):
    """How a page looked: a PNG, its size in pixels, and when it was taken."""

    bookmark_id = UUID(primary_key=True)
    owner_id = UUID()
    png = Bytea()
    width = Integer()
    height = Integer()
    sha256 = Bytea()
    taken_at = Timestamptz()
