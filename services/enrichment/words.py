"""Which words of a page the full-text search finds its bookmark by."""

from collections import Counter
from typing import Final

from db.search.words import words_of

MAX_PAGE_WORDS: Final = 100
"""The most frequent words of a page's text. Decision 0018 says what more of them would cost."""

MAX_PAGE_WORDS_BYTES: Final = 8_000
MIN_WORD_CHARS: Final = 3
MAX_WORD_CHARS: Final = 40
_GAP: Final = " a "
"""A word that English leaves out keeps words apart that do not stand side by side, so that no phrase is found."""


def page_words(text: str) -> str:
    """Return the words of a text to be indexed, the most frequent first, each once."""
    counted = Counter(
        word
        for word in words_of(text.casefold())
        if MIN_WORD_CHARS <= len(word) <= MAX_WORD_CHARS and not word.isdigit()
    )
    room, chosen = MAX_PAGE_WORDS_BYTES, []
    for word, _ in counted.most_common(MAX_PAGE_WORDS):
        room -= len(word.encode()) + len(_GAP)
        if room < 0:
            break
        chosen.append(word)
    return _GAP.join(chosen)
