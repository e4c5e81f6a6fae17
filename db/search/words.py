"""What a word is, for stored texts and queries alike."""

import re
from typing import Final

WORD_BREAKS: Final = (
    "!-/:-@\\[-`{-~\u00a0-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7\u2000-\u200a\u2010-\u2029"
    "\u202f-\u205f\u3000-\u3003\u3008-\u3011\u3014-\u301f\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
"""Characters at which a word ends, besides white space: the inside of a bracket, read alike by PostgreSQL and `re`.

The generated column `bookmarks.search` is cut at the same ones (m0001); a test holds the two together.
"""

_BREAK: Final = re.compile(f"[{WORD_BREAKS}\\s]+")


def words_of(text: str) -> tuple[str, ...]:
    """Cut `text` into words at white space and punctuation: `node.js` is two."""
    return tuple(word for word in _BREAK.split(text) if word)
