"""The wall clock. Leases and expiry are decided by the database's clock; this one stamps what people see."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)
