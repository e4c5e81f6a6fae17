"""What an import takes is what everybody may give."""

from services.bookmarks import values
from services.imports import items


def test_texts_are_cut_where_the_api_refuses_them() -> None:
    assert items.MAX_TITLE_CHARS == values.MAX_TITLE_CHARS
    assert items.MAX_DESCRIPTION_CHARS == values.MAX_DESCRIPTION_CHARS
