"""Spaces of vectors, and the vectors of bookmarks."""

from piccolo.columns import UUID, Boolean, Bytea, Integer, Text, Timestamptz
from piccolo.table import Table

from db.vectors import HalfVec


class EmbeddingSpace(Table, tablename="embedding_spaces"):
    """Where vectors can be compared: one model, one length. Searches go to the one that `is_active`."""

    id = Integer(primary_key=True)
    name = Text()
    model = Text()
    dimensions = Integer()
    is_active = Boolean()
    created_at = Timestamptz()


class Embedding(Table, tablename="embeddings"):
    """A bookmark in a space. The primary key is (bookmark_id, space_id); `digest` tells which text was embedded.

    `embedded_at` is when that text was read.
    """

    bookmark_id = UUID(primary_key=True)
    space_id = Integer()
    owner_id = UUID()
    vector = HalfVec()
    digest = Bytea()
    embedded_at = Timestamptz()
