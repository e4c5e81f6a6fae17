"""How a page compares with what it said when it was first read."""

from typing import Final

from services.validation.states import ContentState, Fingerprint, LinkDetail, LinkStatus

SAME_BITS: Final = 3
"""Texts whose SimHash differs in at most so many of 64 bits are the same text with other trimmings (Manku et al.)."""

ALIKE_BITS: Final = 18
"""Beyond so many bits nothing is left of the old text. Two texts of nothing in common differ in about 32."""

MIN_WORDS: Final = 20
"""Below this a SimHash says little: such texts are only the same or not."""

EMPTY_WORDS: Final = 5
_MASK: Final = 2**64 - 1


def distance(one: int, other: int) -> int:
    """Return in how many of 64 bits two SimHashes differ; they may be signed."""
    return ((one ^ other) & _MASK).bit_count()


def is_same_text(one: Fingerprint, other: Fingerprint) -> bool:
    """Tell whether two pages say the same."""
    if one.digest == other.digest:
        return True
    return min(one.words, other.words) >= MIN_WORDS and distance(one.simhash, other.simhash) <= SAME_BITS


def compare(
    saved: Fingerprint | None, now: Fingerprint | None, status: LinkStatus, detail: LinkDetail | None
) -> ContentState:
    """Return what became of a page; UNKNOWN where there is nothing to compare."""
    if status is LinkStatus.PARKED:
        return ContentState.PARKED
    if detail is LinkDetail.EMPTY:
        return ContentState.EMPTIED if saved is not None and saved.words > EMPTY_WORDS else ContentState.UNKNOWN
    if saved is None or now is None:
        return ContentState.UNKNOWN
    return ContentState.UNCHANGED if is_same_text(saved, now) else _difference(saved, now)


def _difference(saved: Fingerprint, now: Fingerprint) -> ContentState:
    if now.words <= EMPTY_WORDS and saved.words >= MIN_WORDS:
        return ContentState.EMPTIED
    if min(saved.words, now.words) < MIN_WORDS or distance(saved.simhash, now.simhash) <= ALIKE_BITS:
        return ContentState.CHANGED
    return ContentState.REPLACED
