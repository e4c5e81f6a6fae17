"""What became of every row of an import."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.unit import Rows

# The first page begins beyond one end too: with "$3 IS NULL OR" a plan for any values reads all rows before the place.
_MAX_ROW = 2**31 - 1


@dataclass(frozen=True, slots=True)
class FateRow:
    """The fate of one row. `reason` says why it was not simply created; `bookmark_id` may be gone by now."""

    row: int
    url: str
    title: str
    outcome: str
    reason: str | None
    bookmark_id: UUID | None


async def fates_page(
    rows: Rows, import_id: UUID, *, outcomes: Sequence[str] | None, position: int | None, backward: bool, limit: int
) -> list[FateRow]:
    """Return at most `limit` fates beyond `position` in the order of the file; against it when `backward`.

    The caller has checked whose import it is.
    """
    compare, direction = ("<", "DESC") if backward else (">", "ASC")
    found = await rows.fetch(
        f"""
        SELECT row, url, title, outcome, reason, bookmark_id FROM import_rows
        WHERE import_id = $1 AND ($2::text[] IS NULL OR outcome = ANY($2)) AND row {compare} $3::bigint
        ORDER BY row {direction} LIMIT $4
        """,
        import_id,
        None if outcomes is None else list(outcomes),
        position if position is not None else _MAX_ROW if backward else 0,
        limit,
    )
    return [FateRow(**row) for row in found]


async def count_fates(rows: Rows, import_id: UUID, *, outcomes: Sequence[str] | None) -> int:
    """Return how many rows met one of these fates, or any."""
    return int(
        await rows.fetchval(
            "SELECT count(*) FROM import_rows WHERE import_id = $1 AND ($2::text[] IS NULL OR outcome = ANY($2))",
            import_id,
            None if outcomes is None else list(outcomes),
        )
    )


async def outcomes_of(rows: Rows, import_id: UUID, numbers: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """Return outcome and reason of some rows, by row number."""
    found = await rows.fetch(
        "SELECT row, outcome, reason FROM import_rows WHERE import_id = $1 AND row = ANY($2)", import_id, list(numbers)
    )
    return {row["row"]: (row["outcome"], row["reason"]) for row in found}
