"""Who did what to accounts, as a chain of digests. `audit_repeats` has a key of four columns, beyond Piccolo."""

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Bytea, Text, Timestamptz
from piccolo.table import Table


class AuditEntry(Table, tablename="audit_entries"):
    """One act, sealed by the digest of itself and all before it. Never changed, never deleted."""

    seq = BigInt(primary_key=True)
    at = Timestamptz()
    action = Text()
    succeeded = Boolean()
    actor_id = UUID(null=True)
    actor = Text()
    subject_id = UUID(null=True)
    network_address = Text()
    user_agent = Text()
    details = JSONB()
    digest = Bytea()


class AuditHead(Table, tablename="audit_head"):
    """Where the chain ends, and up to where its beginning was cut off: one row."""

    id = Boolean(primary_key=True)
    seq = BigInt()
    digest = Bytea()
    cut_seq = BigInt()
    cut_digest = Bytea()
