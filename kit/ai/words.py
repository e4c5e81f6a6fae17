"""Cutting text into words and sentences, in any language, without a model."""

# ruff: noqa: RUF001  signs of other scripts are what this is about

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from kit.ai.stopwords import STOPWORDS

MAX_SENTENCES: Final = 60
"""How many sentences of a text are looked at, from its beginning: what a page is about stands there."""

_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3005"
_CJK: Final = f"\u3040-\u30ff\uac00-\ud7af{_HAN}"
_SPACED: Final = rf"[^\W_{_CJK}]+(?:['’.+#-][^\W_{_CJK}]+)*(?:\+\+|\#)?"
_WORD: Final = re.compile(rf"[{_CJK}]|{_SPACED}")
_TERM: Final = re.compile(rf"[{_CJK}]+|{_SPACED}")
# Hiragana is grammar and is cut at, like punctuation; Han, Katakana and Hangul are what words are written in.
_PIECE: Final = re.compile(rf"[{_HAN}]+|[\u30a0-\u30ff]+|[\uac00-\ud7af]+|{_SPACED}|[\u3040-\u309f]+|[^\s\w]+")
_HIRAGANA: Final = re.compile("[\u3040-\u309f]")
_ONLY_HAN: Final = re.compile(rf"[{_HAN}]")
_RUN: Final = re.compile(rf"[{_CJK}]")
# After a full stop, also one inside quotes, unless the next letter is a small one; after a wide one; at a line break.
_SENTENCE_END: Final = re.compile(
    r"(?:(?<=[.!?…؟।])|(?<=[.!?…؟।][\"'”’»)\]]))[^\S\n]+(?![a-zß-öø-ÿа-я])|(?<=[。！？])|\n+"
)
_ABBREVIATION: Final = re.compile(
    r"(?:^|\s)(?:\w|\w\.\w|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|No|Nr|bzw|ca|Co|Inc|Ltd|Jr|Fig|e\.g|i\.e)\.$"
)
_SAMPLE_WORDS: Final = 400
_MIN_HITS: Final = 3
_STEMMED_CHARS: Final = 4
_PAIR: Final = 2


def words_of(text: str) -> list[str]:
    """Return the words of `text` case folded, in order. A character of Chinese, Japanese or Korean is a word."""
    return _WORD.findall(text.casefold())


def terms_of(text: str) -> list[str]:
    """Return the words of `text` case folded, for comparing them: a run of CJK characters as its overlapping pairs."""
    found: list[str] = []
    for term in _TERM.findall(text.casefold()):
        if len(term) > _PAIR and is_cjk(term):
            found.extend(term[at : at + _PAIR] for at in range(len(term) - 1))
        else:
            found.append(term)
    return found


def pieces_of(text: str) -> list[str]:
    """Return words as they are written and, between them, what separates phrases: punctuation and Hiragana."""
    return _PIECE.findall(text)


def is_word(piece: str) -> bool:
    """Tell a word from what separates words."""
    return piece[:1].isalnum() and not _HIRAGANA.match(piece)


def is_cjk(piece: str) -> bool:
    """Tell whether a word is written without spaces around it."""
    return _RUN.match(piece) is not None


def is_han(piece: str) -> bool:
    """Tell Chinese characters, which are written without spaces and without a change of script between words."""
    return _ONLY_HAN.match(piece) is not None


def stopwords_of(words: Sequence[str], language: str | None) -> frozenset[str]:
    """Return the words that mean nothing in the language of `words`: as told by its code (`de`, `pt-BR`), or guessed.

    English ones are always among them, because pages of every language carry some.
    """
    code = (language or "").partition("-")[0].lower()
    if code not in STOPWORDS:
        seen = Counter(words[:_SAMPLE_WORDS])
        hits = {name: sum(seen[word] for word in known if word in seen) for name, known in STOPWORDS.items()}
        code = max(hits, key=lambda name: hits[name])
        if hits[code] < _MIN_HITS:
            code = "en"
    return STOPWORDS[code] | STOPWORDS["en"]


def sentences_of(text: str) -> list[str]:
    """Return the first `MAX_SENTENCES` sentences of `text`, each on one line. A line break ends a sentence."""
    found: list[str] = []
    open_one = ""
    for part in _SENTENCE_END.split(text):
        line = " ".join(part.split())
        if not line:
            continue
        open_one = f"{open_one} {line}" if open_one else line
        if _ABBREVIATION.search(open_one):
            continue
        found.append(open_one)
        open_one = ""
        if len(found) == MAX_SENTENCES:
            return found
    return [*found, open_one] if open_one else found


def stem_of(word: str) -> str:
    """Return a folded word without the `s` of a plural. Rough, but the same on both sides of a comparison."""
    return word.removesuffix("s") if len(word) > _STEMMED_CHARS else word
