"""The words that searching uses."""

from db.search.suggestions import SuggestionKind
from resolvers.inputs.enums import described
from services.search.find import SearchMode, SnippetField

__all__ = ["SearchMode", "SnippetField", "SuggestionKind"]

described(
    SearchMode,
    "How to search.",
    FULL_TEXT="By the words of title, description, notes, address and tags.",
    VECTOR="By meaning: the at most 100 bookmarks that are most like the words of the query and meet its conditions.",
    HYBRID="Both, fused by their places. What VECTOR and HYBRID cannot do by meaning they do by words, and say so in"
    " `queryExplanation`: before anything is embedded, or where the model does not answer.",
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
