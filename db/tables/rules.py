"""Rules: what is to be done with bookmarks that a query finds."""

from piccolo.columns import JSONB, UUID, Array, BigInt, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table


class Rule(Table, tablename="rules"):
    """A rule of an owner. `error` says why it is paused; `actions` is the JSON of services.rules."""

    id = UUID(primary_key=True)
    owner_id = UUID()
    name = Text()
    query = Text()
    events = Array(base_column=Text())
    actions = JSONB()
    position = Integer()
    is_enabled = Boolean()
    error = Text(null=True)
    changed_count = BigInt()
    last_run_at = Timestamptz(null=True)
    created_at = Timestamptz()
    updated_at = Timestamptz()
