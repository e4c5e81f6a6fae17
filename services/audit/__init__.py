"""What is kept of acts on accounts: who, what, from where, and whether it succeeded (OWASP ASVS 5.0 V16)."""

from services.audit.acts import MAX_TEXT_CHARS, Act, AuditAction, record
from services.audit.failing import refused, tell_repeats
from services.audit.keeping import MIN_KEPT_DAYS, cut_off
from services.audit.lists import KINDS, ORDER, count, oldest_after, page
from services.audit.verifying import NOTHING, Audited, verify

__all__ = [
    "KINDS",
    "MAX_TEXT_CHARS",
    "MIN_KEPT_DAYS",
    "NOTHING",
    "ORDER",
    "Act",
    "AuditAction",
    "Audited",
    "count",
    "cut_off",
    "oldest_after",
    "page",
    "record",
    "refused",
    "tell_repeats",
    "verify",
]
