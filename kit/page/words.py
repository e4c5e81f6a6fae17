"""Counting words, guessing how long a text takes to read, and what makes two texts alike."""

import re
from collections import Counter
from hashlib import blake2b, sha256
from itertools import pairwise
from math import ceil
from typing import Final

import numpy as np

from kit.text import fold

WORDS_PER_MINUTE: Final = 238
"""Silent reading of English prose: Brysbaert, “How many words do we read per minute?”, 2019."""

MAX_FEATURES: Final = 20_000
"""So many pairs of words of a text make its fingerprint."""

_BITS: Final = 64
_HALF_WORD: Final = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_CJK: Final = re.compile(f"[{_HALF_WORD}]")
_WORD: Final = re.compile("\\w(?:[\\w'\u2019\\-]*\\w)?")
_TOKEN: Final = re.compile(f"[{_HALF_WORD}]|[^\\W{_HALF_WORD}]+")


def count_words(text: str) -> int:
    """Return how many words a text has. Chinese and Japanese write no spaces: two of their characters are one word."""
    characters = len(_CJK.findall(text))
    return len(_WORD.findall(_CJK.sub(" ", text))) + ceil(characters / 2)


def reading_seconds(words: int) -> int:
    """Return how long so many words take to read, in seconds; at least one for a text that has any."""
    return ceil(words * 60 / WORDS_PER_MINUTE)


def fingerprint(text: str) -> int:
    """Return the SimHash (Charikar 2002) of a text over pairs of neighbouring words, as a signed 64-bit integer.

    A text with a word changed differs in a few bits, another text in about 32. 0 for a text without words.
    """
    tokens = _TOKEN.findall(fold(text))[: MAX_FEATURES + 1]
    if not tokens:
        return 0
    counted = Counter(f"{one} {two}" for one, two in pairwise(tokens)) or Counter(tokens)
    hashes = b"".join(blake2b(pair.encode(), digest_size=_BITS // 8).digest() for pair in counted)
    bits = np.unpackbits(np.frombuffer(hashes, dtype=np.uint8)).reshape(-1, _BITS)
    weights = np.fromiter(counted.values(), dtype=np.float64, count=len(counted))
    ones = (weights @ bits) * 2 > weights.sum()
    return int.from_bytes(np.packbits(ones).tobytes(), "big", signed=True)


def distance(one: int, other: int) -> int:
    """Return in how many of their 64 bits two fingerprints differ."""
    mask: int = 2**_BITS - 1
    return ((one ^ other) & mask).bit_count()


def digest(text: str) -> bytes:
    """Return the SHA-256 of a text, its white space aside."""
    return sha256(" ".join(text.split()).encode()).digest()
