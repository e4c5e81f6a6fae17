"""Adding to the chain.

Writing takes the head of the chain and keeps it until the transaction ends, so entries become visible in their order
and none is ever missing. Write last in a transaction: everybody else's entries wait meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.unit import Unit


@dataclass(frozen=True, slots=True)
class AuditDraft:
    """An act before it has its place. `actor` is how the one who acted is shown; `details` never hold a secret."""

    action: str
    succeeded: bool
    actor_id: UUID | None
    actor: str
    subject_id: UUID | None
    network_address: str
    user_agent: str
    details: Mapping[str, Any]


# What a digest covers: the digest before, and the text of a JSON array. jsonb prints a value always in the same way.
SEALED = """sha256({previous} || convert_to(jsonb_build_array(
    {seq}, extract(epoch FROM {at}), {action}, {succeeded}, {actor_id}, {actor}, {subject_id},
    {network_address}, {user_agent}, {details}
)::text, 'UTF8'))"""

_DRAFT = {
    "at": "now()",
    "action": "$1::text",
    "succeeded": "$2::boolean",
    "actor_id": "$3::uuid",
    "actor": "$4::text",
    "subject_id": "$5::uuid",
    "network_address": "$6::text",
    "user_agent": "$7::text",
    "details": "$8::jsonb",
}
_FIRST = SEALED.format(previous="sha256('')", seq="1", **_DRAFT)
_NEXT = SEALED.format(previous="head.digest", seq="head.seq + 1", **_DRAFT)
_APPEND = f"""
WITH head AS (
    INSERT INTO audit_head AS head (seq, digest) SELECT 1, {_FIRST}
    ON CONFLICT (id) DO UPDATE SET seq = head.seq + 1, digest = {_NEXT}
    RETURNING head.seq, head.digest
)
INSERT INTO audit_entries (
    seq, at, action, succeeded, actor_id, actor, subject_id, network_address, user_agent, details, digest
)
SELECT head.seq, now(), $1, $2, $3, $4, $5, $6, $7, $8, head.digest FROM head RETURNING seq
"""


async def append(unit: Unit, draft: AuditDraft) -> int:
    """Write an entry at the end of the chain and return its number, from 1 on without gaps."""
    return int(
        await unit.fetchval(
            _APPEND,
            draft.action,
            draft.succeeded,
            draft.actor_id,
            draft.actor,
            draft.subject_id,
            draft.network_address,
            draft.user_agent,
            dict(draft.details),
        )
    )
