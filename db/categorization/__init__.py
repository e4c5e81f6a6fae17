"""Categorization as rows: categories, proposals, what an owner lets the agents do, and putting things on bookmarks."""

from db.categorization.applying import Pair, add_collections, add_tags, remove_links, set_category
from db.categorization.categories import OF_BOOKMARK, SOURCE, WHOLE, CategoryRow
from db.categorization.settings import AgentSettingsRow

__all__ = [
    "OF_BOOKMARK",
    "SOURCE",
    "WHOLE",
    "AgentSettingsRow",
    "CategoryRow",
    "Pair",
    "add_collections",
    "add_tags",
    "remove_links",
    "set_category",
]
