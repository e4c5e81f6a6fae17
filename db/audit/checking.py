"""Whether the chain is what was written: each entry is sealed anew by PostgreSQL and compared, a stretch at a time."""

from dataclasses import dataclass

from db.audit.chain import SEALED
from db.unit import Rows

_COLUMNS = ("seq", "at", "action", "succeeded", "actor_id", "actor", "subject_id", "network_address", "user_agent")
_AGAIN = SEALED.format(previous="previous", details="details", **{name: name for name in _COLUMNS})
_CHECK = f"""
WITH stretch AS (
    SELECT entries.*, lag(digest, 1, $2) OVER in_order AS previous, $1 + row_number() OVER in_order AS place
    FROM (SELECT * FROM audit_entries WHERE seq > $1 ORDER BY seq LIMIT $3) AS entries WINDOW in_order AS (ORDER BY seq)
)
SELECT count(*) AS entries, max(seq) AS last_seq,
    (SELECT digest FROM stretch ORDER BY seq DESC LIMIT 1) AS last_digest,
    min(place) FILTER (WHERE seq <> place) AS missing,
    min(seq) FILTER (WHERE seq = place AND digest <> {_AGAIN}) AS changed
FROM stretch
"""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends, what the log holds behind that end, and up to where its beginning was cut off.

    `told_cut` are the number and the digest (hex) that the latest entry about a cut tells, None without one.
    """

    seq: int
    digest: bytes
    last_entry: int
    cut_seq: int
    cut_digest: bytes
    told_cut: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was found in some entries that follow each other.

    `missing` is the first number without its entry, `changed` the first entry that is not what was sealed; None
    where all is well. Behind one of the two nothing else is told.
    """

    entries: int
    last_seq: int | None
    last_digest: bytes | None
    missing: int | None
    changed: int | None


async def head(rows: Rows) -> Head | None:
    """Return the end of the chain, as of one moment; None when nothing was ever written."""
    row = await rows.fetchrow(
        """
        SELECT head.seq, head.digest, cut_seq, cut_digest,
            coalesce((SELECT max(seq) FROM audit_entries), 0) AS last_entry,
            (SELECT details FROM audit_entries WHERE action = 'AUDIT_CUT' ORDER BY seq DESC LIMIT 1) AS told
        FROM (SELECT) AS always LEFT JOIN audit_head AS head ON true
        """
    )
    assert row is not None  # noqa: S101  the outer join gives one row
    if row["seq"] is None and not row["last_entry"]:
        return None
    told = row["told"]
    return Head(
        seq=row["seq"] or 0,
        digest=row["digest"] or b"",
        last_entry=row["last_entry"],
        cut_seq=row["cut_seq"] or 0,
        cut_digest=row["cut_digest"] or b"",
        told_cut=None if told is None else (str(told.get("upTo")), str(told.get("digest"))),
    )


async def check(rows: Rows, *, after: int, digest: bytes, limit: int) -> Stretch:
    """Seal at most `limit` entries behind the number `after`, whose digest was `digest`, anew, and compare."""
    row = await rows.fetchrow(_CHECK, after, digest, limit)
    assert row is not None  # noqa: S101  an aggregate gives one row
    return Stretch(**row)


async def digest_at(rows: Rows, seq: int) -> bytes | None:
    """Return the digest of an entry; None when there is no such entry."""
    digest: bytes | None = await rows.fetchval("SELECT digest FROM audit_entries WHERE seq = $1", seq)
    return digest
