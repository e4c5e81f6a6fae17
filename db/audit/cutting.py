"""Cutting off the beginning of the chain: its head keeps the number and the digest of the last entry that goes."""

from dataclasses import dataclass
from datetime import datetime

from db.unit import Rows, Unit


@dataclass(frozen=True, slots=True)
class Cut:
    """The last entry that goes."""

    seq: int
    digest: bytes
    at: datetime


async def newest_older(rows: Rows, *, than_days: int) -> Cut | None:
    """Return the newest entry of those that are all older than some days and not cut off yet; None without one."""
    row = await rows.fetchrow(
        """
        SELECT seq, digest, at FROM audit_entries
        WHERE seq > (SELECT cut_seq FROM audit_head) AND seq < coalesce(
            (SELECT min(seq) FROM audit_entries WHERE at >= now() - $1 * interval '1 day'),
            (SELECT seq + 1 FROM audit_head)
        )
        ORDER BY seq DESC LIMIT 1
        """,
        than_days,
    )
    return Cut(**row) if row else None


async def cut(unit: Unit, last: Cut) -> None:
    """Let the chain begin behind an entry. PostgreSQL refuses one that is younger than 90 days."""
    await unit.execute("UPDATE audit_head SET cut_seq = $1, cut_digest = $2", last.seq, last.digest)


async def delete_cut(unit: Unit, *, limit: int) -> int:
    """Delete at most `limit` entries that are cut off; return how many went."""
    return await unit.execute(
        """
        DELETE FROM audit_entries WHERE seq IN (
            SELECT seq FROM audit_entries WHERE seq <= (SELECT cut_seq FROM audit_head) ORDER BY seq LIMIT $1
        )
        """,
        limit,
    )
