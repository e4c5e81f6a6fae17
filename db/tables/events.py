"""The outbox's counters. `events` itself has a key of two columns, which Piccolo cannot describe."""

from piccolo.columns import UUID, BigInt
from piccolo.table import Table


class EventCounter(Table, tablename="event_counters"):
    """The last number given to an owner's events, and the last that retention removed."""

    owner_id = UUID(primary_key=True)
    seq = BigInt()
    pruned_seq = BigInt()
