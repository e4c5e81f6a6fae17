"""The words that searching uses."""

from db.search.suggestions import SuggestionKind
from resolvers.inputs.enums import described
from services.search.find import SearchMode, SnippetField

__all__ = ["SearchMode", "SnippetField", "SuggestionKind"]

described(
    SearchMode,
    "How to search.",
    FULL_TEXT="By the words of title, description, notes, address and tags.",
    VECTOR="By meaning. Refused with BAD_USER_INPUT where `serverInfo` lists no capability `vector_search`.",
    HYBRID="The best that this server can do: both where it can, else FULL_TEXT.",
)
described(
    SnippetField,
    "The field that a snippet was taken from.",
    TITLE="The title, whole.",
    DESCRIPTION="The description, at most some 35 words around what was found.",
    NOTES="The notes, at most some 35 words around what was found.",
)
described(
    SuggestionKind,
    "What a suggestion is.",
    name="SearchSuggestionKind",
    TAG="A tag; `text` is its path.",
    COLLECTION="A collection; `text` is its name.",
    DOMAIN="The domain of some bookmark.",
    TITLE="The title of one of the 2,000 newest bookmarks.",
)
