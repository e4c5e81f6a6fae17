"""What whoever acts for an account may do with each table. A new table gets its line here, or the build fails."""

from dataclasses import dataclass
from typing import Final

ROLE: Final = "graphmark_tenant"
"""Who may only see the rows of one account. It cannot log in; connections change to it."""

SETTING: Final = "graphmark.owner"
"""The setting of a session that holds the account, a UUID."""

SCHEMA: Final = "graphmark_wall"
"""What belongs to the wall: `acting_owner()`, and the views that `ROLE` reads in place of those of `public`."""

ACTING: Final = f"(SELECT {SCHEMA}.acting_owner())"
"""SQL for the account. A subselect, so that it is computed once for each statement and not for each row."""

IS: Final = f"OPERATOR({SCHEMA}.===)"
"""How policies compare a row's account with it: equality of which the planner knows nothing.

With the ordinary one it might read all rows of an account, where a statement joins them by their keys, because it takes
accounts for small. So it plans as it would without policies, and looks at each row that comes out. Of these it expects
that nearly all are the account's.
"""


@dataclass(frozen=True, slots=True)
class Own:
    """A table whose rows name their account in `column`; it may do everything with its own.

    It may not read the columns in `hidden`, and change nothing unless `is_writable`. Rows that it writes may only refer
    to rows of its own, as far as `refers` says, as `(column, table)`.
    """

    column: str = "owner_id"
    hidden: tuple[str, ...] = ()
    is_writable: bool = True
    refers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Through:
    """A table whose rows belong to whom the row of `table` belongs that they refer to by `column`.

    Each row costs a look at that table. A table of which one statement reads thousands has an owner of its own.
    """

    column: str
    table: str


@dataclass(frozen=True, slots=True)
class Shared:
    """A table that everybody may read and nobody change, and why nothing in it is anybody's."""

    reason: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A table that nobody who acts for an account has any right to, and why it needs none."""

    reason: str


Access = Own | Through | Shared | Closed
_OF_TASK: Final = Through("task_id", "a2a_tasks")
_OF_IMPORT: Final = Through("import_id", "imports")

TABLES: Final[dict[str, Access]] = {
    "a2a_task_items": _OF_TASK,
    "a2a_task_messages": _OF_TASK,
    "a2a_task_results": Own(),
    "a2a_task_steps": _OF_TASK,
    "a2a_tasks": Own(),
    "agent_registrations": Shared("which agents there are, the same for everybody"),
    "agent_settings": Own(),
    "ai_calls": Own(),
    "ai_months": Own(),
    "api_keys": Closed("credentials: only sign-in compares them"),
    "audit_entries": Closed("who did what to accounts, of all accounts: kept and shown by the system"),
    "audit_head": Closed("the end of the same chain"),
    "audit_repeats": Closed("what of the same chain is counted and not repeated"),
    "bookmark_collections": Own(refers=(("bookmark_id", "bookmarks"), ("collection_id", "collections"))),
    "bookmark_tags": Own(refers=(("bookmark_id", "bookmarks"), ("tag_id", "tags"))),
    "bookmarks": Own(),
    "categories": Own(),
    "collections": Own(),
    "embedding_spaces": Shared("which models made vectors, the same for everybody"),
    "embeddings": Own(),
    "event_counters": Own(),
    "events": Own(),
    "failed_tries": Closed("who guesses, of all accounts and networks"),
    "fetch_results": Closed("what addresses answered, kept by workers for an hour without saying for whom"),
    "hosts": Closed("how workers pace their requests to each server"),
    "identities": Closed("who signs in from elsewhere: asked before it is known whose account it is"),
    "idempotency_keys": Own(),
    "import_objects": _OF_IMPORT,
    "import_rows": _OF_IMPORT,
    "imports": Own(),
    "known_devices": Closed("from which devices accounts signed in: for notices"),
    "known_networks": Closed("from where accounts signed in: asked before anybody is"),
    "link_checks": Own(),
    "link_health": Own(),
    "login_challenges": Closed("credentials: only sign-in compares them"),
    "mail_messages": Closed("what waits to be sent, with links that open accounts"),
    "mail_requests": Closed("who wants a new password, before it is known whether there is such an account"),
    "migration": Closed("which migrations ran"),
    "one_time_tokens": Closed("credentials: only sign-in compares them"),
    "pages": Own(),
    "periodic_runs": Closed("when the scheduler last ran"),
    "rate_limits": Closed("what is counted of everybody before they are let in"),
    "recovery_codes": Closed("credentials: only sign-in compares them"),
    "rules": Own(),
    "screenshots": Own(),
    "session_tokens": Closed("credentials: only sign-in compares them"),
    "sessions": Closed("credentials: only sign-in compares them"),
    "suggestions": Own(),
    "tag_aliases": Own(),
    "tags": Own(),
    "totp_factors": Closed("credentials: only sign-in compares them"),
    "transfers": Closed("whose bookmarks go to whom: administrators say, workers do"),
    "trusted_devices": Closed("credentials: only sign-in compares them"),
    "uploads": Own(),
    "user_quotas": Own("user_id", is_writable=False),
    "users": Own("id", hidden=("password_hash",), is_writable=False),
}
"""Every table, in the order of the alphabet."""

INDEXED: Final = "bookmarks_by_index"
"""`bookmarks` for conditions that an index is to answer although PostgreSQL does not call them leakproof.

Row-level security has all other conditions wait until a row is known to be the account's, so full-text search would
read every bookmark of the account. In `public` this is a view of all bookmarks, which `ROLE` has no right to; in
`SCHEMA`, which comes first for `ROLE`, one of the account's. Statements that read it name the owner. See decision 0028.
"""
