"""Categories, proposals of how to sort bookmarks, and what an owner lets the agents do."""

from piccolo.columns import UUID, Boolean, DoublePrecision, Integer, Text, Timestamptz
from piccolo.table import Table


class Category(Table, tablename="categories"):
    """One of the owner's categories. `key` says which of the taxonomy it is, and is unique per owner."""

    id = UUID(primary_key=True)
    owner_id = UUID()
    key = Text()
    name = Text()
    color = Text(null=True)
    position = Integer()
    created_at = Timestamptz()


class Suggestion(Table, tablename="suggestions"):
    """A proposal for one bookmark; (bookmark_id, kind, key) is unique, so that a decision counts for ever."""

    id = UUID(primary_key=True)
    owner_id = UUID()
    bookmark_id = UUID()
    kind = Text()
    key = Text()
    name = Text()
    tag_id = UUID(null=True)
    collection_id = UUID(null=True)
    category_id = UUID(null=True)
    rule_id = UUID(null=True)
    confidence = DoublePrecision()
    reason = Text()
    source = Text()
    status = Text()
    created_at = Timestamptz()
    updated_at = Timestamptz()
    decided_at = Timestamptz(null=True)


class AgentSettings(Table, tablename="agent_settings"):
    """What an owner lets the agents do; without a row everything is as the columns' defaults say."""

    owner_id = UUID(primary_key=True)
    auto_apply_above = DoublePrecision(null=True)
    propose_new_tags = Boolean()
    ask_provider = Boolean()
    recheck_links = Boolean()
    updated_at = Timestamptz()
