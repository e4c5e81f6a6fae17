"""Whether the audit log is what was written, found out in stretches of bounded size.

Found are entries that were changed, deleted, exchanged or put in between, a tail that was cut off, entries behind the
end, and a beginning that went without being told. Not found is a log that was written anew as a whole by whoever can
write to the database: keep a number and its digest elsewhere, and give them as `expected`.
"""

from dataclasses import dataclass
from typing import Final

from db import audit as rows_of
from db.audit import Head
from db.unit import Rows

STRETCH_ENTRIES: Final = 5_000
NOTHING: Final = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
"""The SHA-256 of nothing, which stands before the first entry."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What was found. `fault` is None where all is well; else one sentence about the first thing that is not.

    `entries` were looked at; the log ends with the number `seq`, whose digest is `digest`.
    """

    entries: int
    seq: int
    digest: bytes
    fault: str | None


async def verify(rows: Rows, *, last: int | None = None, expected: tuple[int, bytes] | None = None) -> Audited:
    """Look at the whole log, or at its `last` entries. `expected` are the number and digest of an entry kept elsewhere.

    Entries that are written meanwhile are not looked at.
    """
    head = await rows_of.head(rows)
    if head is None:
        return Audited(0, 0, NOTHING, None if expected is None else "The log is empty.")
    entries, fault = 0, _fault_of(head)
    if fault is None:
        entries, fault = await _walk(rows, head, last)
    if fault is None and expected is not None and await rows_of.digest_at(rows, expected[0]) != expected[1]:
        fault = f"Entry {expected[0]:,} is not the one whose digest was kept."
    return Audited(entries, head.seq, head.digest, fault)


def _fault_of(head: Head) -> str | None:
    """Return what is wrong with the ends of the log."""
    if head.last_entry < head.seq:
        return f"The newest entries are missing: the log ended with {head.seq:,} and ends with {head.last_entry:,}."
    if head.last_entry > head.seq:
        return f"There are entries behind the end of the log, which is {head.seq:,}."
    if head.cut_seq and head.told_cut != (str(head.cut_seq), head.cut_digest.hex()):
        return f"The beginning of the log, up to {head.cut_seq:,}, was cut off without an entry about it."
    return None


async def _walk(rows: Rows, head: Head, last: int | None) -> tuple[int, str | None]:
    """Return how many entries were looked at, and what is wrong with the first that is not right."""
    seq, digest = await _start(rows, head, last)
    if digest is None:
        return 0, f"Entry {seq:,} is missing."
    looked_at = 0
    while seq < head.seq:
        stretch = await rows_of.check(rows, after=seq, digest=digest, limit=min(STRETCH_ENTRIES, head.seq - seq))
        wrong = [place for place in (stretch.missing, stretch.changed) if place is not None]
        if wrong:
            is_gap = stretch.missing == min(wrong)
            return looked_at, f"Entry {min(wrong):,} {'is missing' if is_gap else 'is not what was written'}."
        if stretch.last_seq is None or stretch.last_digest is None:
            return looked_at, f"Entry {seq + 1:,} is missing."
        seq, digest, looked_at = stretch.last_seq, stretch.last_digest, looked_at + stretch.entries
    return looked_at, None if digest == head.digest else "The last entry is not the one that the log ended with."


async def _start(rows: Rows, head: Head, last: int | None) -> tuple[int, bytes | None]:
    """Return the number and the digest behind which to begin; no digest when that entry is missing."""
    begins = head.cut_seq if last is None else max(head.cut_seq, head.seq - last)
    if begins == head.cut_seq:
        return begins, head.cut_digest
    return begins, await rows_of.digest_at(rows, begins)
