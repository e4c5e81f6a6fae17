"""Tags: a tree per owner that is also a path.

`bookmark_tags` and `tag_aliases` have keys of two columns, which Piccolo cannot describe; they are used in SQL only.
"""

from piccolo.columns import UUID, Text, Timestamptz
from piccolo.table import Table


class Tag(Table, tablename="tags"):
    """A tag. `path_key` (see kit.text) is unique per owner and always the parent's with one more name behind it."""

    id = UUID(primary_key=True)
    owner_id = UUID()
    parent_id = UUID(null=True)
    name = Text()
    path = Text()
    path_key = Text()
    color = Text(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()
