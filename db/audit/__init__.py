"""The audit log as rows: a chain in which each entry's digest covers the entry and the digest before it."""

from db.audit.chain import AuditDraft, append
from db.audit.checking import Head, Stretch, check, digest_at, head
from db.audit.cutting import Cut, cut, delete_cut, newest_older
from db.audit.pages import AuditFilter, AuditRow, count, page
from db.audit.repeats import Repeat, note_repeat, take_repeats

__all__ = [
    "AuditDraft",
    "AuditFilter",
    "AuditRow",
    "Cut",
    "Head",
    "Repeat",
    "Stretch",
    "append",
    "check",
    "count",
    "cut",
    "delete_cut",
    "digest_at",
    "head",
    "newest_older",
    "note_repeat",
    "page",
    "take_repeats",
]
