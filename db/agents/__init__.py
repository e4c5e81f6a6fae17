"""Tasks: their rows under leases, and how workers come by them."""

from db.agents.claims import CHANNEL, claim, count_due, end_frozen, is_crowded, ring, take_slot
from db.agents.rows import (
    SOURCE,
    WHOLE,
    Lease,
    TaskRow,
    by_id,
    dead,
    finish,
    give_back,
    insert,
    lease_of,
    redirect,
    renew,
    step,
)

__all__ = [
    "CHANNEL",
    "SOURCE",
    "WHOLE",
    "Lease",
    "TaskRow",
    "by_id",
    "claim",
    "count_due",
    "dead",
    "end_frozen",
    "finish",
    "give_back",
    "insert",
    "is_crowded",
    "lease_of",
    "redirect",
    "renew",
    "ring",
    "step",
    "take_slot",
]
