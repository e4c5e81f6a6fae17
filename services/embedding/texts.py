"""The text that stands for a bookmark in a space of vectors, and how it is known again."""

from hashlib import blake2b
from typing import Final

from db.embedding import EmbeddableRow

MAX_PART_CHARS: Final = 2_000
"""So much of a description, of a summary and of notes is embedded."""

_DIGEST_BYTES: Final = 16


def text_of(row: EmbeddableRow, *, with_notes: bool) -> str:
    """Return what is embedded of a bookmark, the most telling first, each part on a line of its own.

    `with_notes` adds the owner's private notes; they must not be part of what is sent to anybody else.
    """
    parts = (
        row.title,
        row.description,
        row.summary,
        " ".join(row.keywords),
        row.tag_words,
        row.notes if with_notes else None,
        row.domain.removeprefix("www."),
        row.page_text,
    )
    return "\n".join(part[:MAX_PART_CHARS] for part in parts if part and not part.isspace())


def digest_of(text: str) -> bytes:
    """Return 16 bytes by which an embedded text is known again: the same text is not embedded twice."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).digest()
