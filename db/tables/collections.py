"""Collections: a tree per owner, many-to-many with bookmarks.

The link table `bookmark_collections` has a key of two columns, which Piccolo cannot describe; it is used in SQL only.
"""

from piccolo.columns import UUID, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table


class Collection(Table, tablename="collections"):
    """A folder of bookmarks. `position` orders the children of one parent; ties are broken by the id."""

    id = UUID(primary_key=True)
    owner_id = UUID()
    parent_id = UUID(null=True)
    name = Text()
    slug = Text()
    description = Text(null=True)
    color = Text(null=True)
    icon = Text(null=True)
    is_smart = Boolean()
    query = Text(null=True)
    position = Integer()
    created_at = Timestamptz()
    updated_at = Timestamptz()
