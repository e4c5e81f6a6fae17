"""Failures that repeat within a minute: the first is written, the others are counted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from db.unit import Unit

NOBODY: Final = UUID(int=0)
"""In place of an account where there is none."""

# A network that would be one too many in a minute is counted under no name.
_NOTE = """
INSERT INTO audit_repeats AS seen (minute, action, subject_id, network, times)
SELECT date_trunc('minute', now()), $1, $2, CASE WHEN n >= $4 AND NOT is_known THEN '' ELSE $3 END, 1
FROM (
    SELECT count(*) AS n, coalesce(bool_or(network = $3), false) AS is_known FROM audit_repeats
    WHERE minute = date_trunc('minute', now()) AND action = $1 AND subject_id = $2
) AS minute
ON CONFLICT (minute, action, subject_id, network) DO UPDATE SET times = seen.times + 1 RETURNING times
"""


@dataclass(frozen=True, slots=True)
class Repeat:
    """How often something failed in a minute, the first time included. `subject_id` may be None."""

    minute: datetime
    action: str
    subject_id: UUID | None
    network: str
    times: int


async def note_repeat(unit: Unit, action: str, subject_id: UUID | None, network: str, *, most_networks: int) -> int:
    """Count a failure and return how many there were in this minute, this one included."""
    return int(await unit.fetchval(_NOTE, action, subject_id or NOBODY, network, most_networks))


async def take_repeats(unit: Unit, *, limit: int) -> list[Repeat]:
    """Take the counts of at most `limit` failures out of minutes that have passed, the oldest first."""
    rows = await unit.fetch(
        """
        DELETE FROM audit_repeats WHERE (minute, action, subject_id, network) IN (
            SELECT minute, action, subject_id, network FROM audit_repeats WHERE minute < date_trunc('minute', now())
            ORDER BY minute LIMIT $1 FOR UPDATE SKIP LOCKED
        ) RETURNING minute, action, nullif(subject_id, $2) AS subject_id, network, times
        """,
        limit,
        NOBODY,
    )
    return sorted((Repeat(**row) for row in rows), key=lambda repeat: repeat.minute)
