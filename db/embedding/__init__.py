"""Embedding as rows: spaces of vectors, the vectors of bookmarks, and which of them lie nearest."""

from db.embedding.nearest import (
    LEAST_SHARE,
    LEAST_SIMILARITY,
    MAX_NEIGHBOURS,
    Neighbour,
    Way,
    near,
    neighbours,
    neighbours_of,
    vector_given,
    vector_of,
    way_for,
)
from db.embedding.rows import EmbeddableRow, NewEmbedding, confirm, covers, embeddable, lacking, put
from db.embedding.spaces import (
    SpaceRow,
    activate,
    active_space,
    all_spaces,
    make_space,
    remove_some,
    space_named,
)

__all__ = [
    "LEAST_SHARE",
    "LEAST_SIMILARITY",
    "MAX_NEIGHBOURS",
    "EmbeddableRow",
    "Neighbour",
    "NewEmbedding",
    "SpaceRow",
    "Way",
    "activate",
    "active_space",
    "all_spaces",
    "confirm",
    "covers",
    "embeddable",
    "lacking",
    "make_space",
    "near",
    "neighbours",
    "neighbours_of",
    "put",
    "remove_some",
    "space_named",
    "vector_given",
    "vector_of",
    "way_for",
]
