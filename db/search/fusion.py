"""Ranking by words, by meaning, or by both.

By meaning the bookmarks nearest to a vector are ranked, at most `NEAREST`, and only those that are more than a little
like it: any two texts are somewhat near each other, and what is left of a library after its best hits is noise. By both
(hybrid) the two rankings are fused by the reciprocal of a bookmark's places in them (Cormack, Clarke, Büttcher 2009,
“Reciprocal rank fusion outperforms Condorcet and individual rank learning methods”): distances and text ranks cannot be
compared, places can.
"""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from db.embedding import LEAST_SHARE, LEAST_SIMILARITY, SpaceRow, Way, near, vector_given, vector_of
from db.search.conditions import Compiled, Condition

NEAREST: Final = 100
"""Most bookmarks that are found by meaning."""

RANK_CONSTANT: Final = 60
"""The constant k of the fusion: a place counts k / (k + place). The higher, the less the first places stand out."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Where to look by meaning.

    `target` is a vector of the space, or one of the owner's bookmarks, which is left out itself. `where` is what a
    bookmark must be like besides. `is_alone` means that words do not rank: they are part of `where` or not there.
    """

    space: SpaceRow
    way: Way
    target: tuple[float, ...] | UUID
    where: Condition | None = None
    is_alone: bool = False

    def surer(self) -> "Aim | None":
        """Return the same without the index of the space, which may find too few; None when it is without already."""
        return replace(self, way=Way.EXACT if self.where is None else Way.FILTERED) if self.way is Way.INDEX else None


def nearest(compiled: Compiled, aim: Aim) -> str:
    """Return the common table expressions `compared`, the nearest of all, and `near`, those of them that count.

    `near` has id, time of adding, similarity (0 to 1) and place (from 1). Call it before `compiled.text_relation`.
    """
    where = "true" if aim.where is None else compiled.also(aim.where, indexed=aim.way is Way.FILTERED)
    if isinstance(aim.target, UUID):
        key = compiled.bind(aim.target)
        where, vector = f"{where} AND b.id <> {key}", vector_of(aim.space, key)
    else:
        vector = vector_given(aim.space, compiled.bind(list(aim.target)))
    return f"""compared AS MATERIALIZED ({near(aim.space, vector, aim.way, where=where, limit=NEAREST)}
    ), near AS (
        SELECT id, added_at, least(1, 1 - distance) AS similarity,
            row_number() OVER (ORDER BY distance, added_at DESC, id DESC) AS place
        FROM compared WHERE 1 - distance >= greatest({LEAST_SIMILARITY}, {LEAST_SHARE} * (
            SELECT 1 - min(distance) FROM compared
        ))
    )"""


FUSED: Final = f"""
    SELECT id, added_at, sum({RANK_CONSTANT}::float8 / ({RANK_CONSTANT} + place)) / 2 AS score
    FROM (SELECT id, added_at, place FROM by_words UNION ALL SELECT id, added_at, place FROM near) AS places
    GROUP BY id, added_at
"""
"""The fusion of `by_words` and `near`, which have places from 1: scores between 0 and 1, above 0.5 only for both."""
