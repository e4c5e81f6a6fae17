"""Vectors as PostgreSQL keeps them: the column type, and what a vector must be like to be stored or searched with.

A vector travels as `real[]`, which every connection understands without being taught, and is cast where it is used:
`$2::real[]::halfvec(256)`.
"""

import math
from collections.abc import Sequence
from typing import Final

from pgvector import HalfVector
from piccolo.columns import Column

from kit.errors import BadInput

MAX_DIMENSIONS: Final = 4_000
"""Most numbers of a vector that an HNSW index takes."""

_LEAST_LENGTH: Final = 1e-6


class HalfVec(Column):
    """A column of vectors of any length, each number in 16 bits."""

    @property
    def column_type(self) -> str:
        """The type's name in PostgreSQL."""
        return "HALFVEC"


def fitted(values: Sequence[float], dimensions: int) -> list[float]:
    """Return a vector as it is stored: of unit length, its numbers rounded to 16 bits.

    Raises `BadInput` when it has not `dimensions` numbers, when one of them is not finite, and when all are zero: it
    would point nowhere.
    """
    if len(values) != dimensions:
        raise BadInput(f"A vector of this space has {dimensions:,} numbers; this one has {len(values):,}.")
    length = math.hypot(*values)
    if not math.isfinite(length):
        raise BadInput("A vector holds finite numbers only.")
    if length < _LEAST_LENGTH:
        raise BadInput("A vector of zeros points nowhere.")
    return HalfVector([value / length for value in values]).to_list()
