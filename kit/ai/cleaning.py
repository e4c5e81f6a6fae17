"""Making the text of a model safe to show and to keep: it may have been talked into anything by the page it read."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from kit.ai.extracts import shortened
from kit.ai.provider import (
    MAX_DESCRIPTION_CHARS,
    MAX_KEYWORDS,
    MAX_SUMMARY_CHARS,
    MAX_TAGS,
    Choice,
    Choices,
    Description,
    Vocabulary,
)
from kit.errors import BadInput
from kit.text import MAX_TAG_NAME_CHARS, fold, one_line, tag_path

MAX_REASON_CHARS: Final = 200
MAX_NEW_TAG_CHARS: Final = 50
"""Longest tag that a model may invent; the owner's own may be longer."""

_MAX_NEW_TAG_WORDS: Final = 4
_MAX_RAW_CHARS: Final = 20_000
_TAG: Final = re.compile(r"<[a-zA-Z/!?][^<>]*(?:>|$)")
_LINK: Final = re.compile(r"!?\[([^\][]*)\]\([^()]*\)")
_ADDRESS: Final = re.compile(
    r"\S*:/{2,}\S*|\bwww\.\S*|\b(?:javascript|data|vbscript|mailto|tel|file):\S+", re.IGNORECASE
)
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")  # noqa: RUF001  wide signs end sentences too
_JOINERS: Final = frozenset("\u200c\u200d")  # invisible, but they belong to the spelling of several scripts
_TAG_PUNCTUATION: Final = re.compile(r"[.!?:;](?:\s|$)|[{}\[\]<>`|\\\"]")
_ORDER: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instruction|prompt|rule|schema|previous|above|everything)"
    r"|\b(?:system|developer) (?:prompt|message|instruction)"
    r"|\byou (?:are now|must now|must output|should output|will now)\b"
    r"|\b(?:as an ai|language model|jailbreak|prompt injection)\b"
    r"|\b(?:new|previous|prior|above|following|these) instructions?\b"
    r"|^(?:assistant|system|user)\s*:"
    r"|\b(?:ignorier|vergiss|ignore[rz]|oublie|olvida|ignora)\w*\b.{0,40}\b(?:anweisung|instru|befehl|istruz)",
    re.IGNORECASE,
)


class Named(NamedTuple):
    """A proposal as a model wrote it."""

    name: str
    confidence: float
    reason: str


def plain(text: str) -> str:
    """Return one line without markup, addresses, controls and invisible signs. Doing it twice changes nothing."""
    text = text[:_MAX_RAW_CHARS]
    while True:  # each round is shorter, or the last
        line = one_line(unicodedata.normalize("NFC", "".join(map(_visible, text))))
        line = one_line(_ADDRESS.sub("", _TAG.sub("", _LINK.sub(r"\1", line))))
        if line == text:
            return line
        text = line


def _visible(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Cf":
        return char if char in _JOINERS else ""
    return "" if kind in {"Cs", "Co", "Cn"} else " " if kind == "Cc" else char


def is_order(text: str) -> bool:
    """Tell whether a text reads like an instruction to a model and not like a word about a page."""
    return _ORDER.search(text) is not None


def told(text: str, max_chars: int) -> str:
    """Return the sentences of a model's text that are about the page, cleaned and shortened to `max_chars`."""
    kept = [sentence for sentence in _SENTENCE.split(plain(text)) if not is_order(sentence)]
    return shortened(" ".join(kept), max_chars)


def clean_description(description: str, summary: str, keywords: Sequence[str]) -> Description:
    """Bring a model's description within its bounds. What is left of it may be empty."""
    kept: dict[str, str] = {}
    for word in keywords[: 3 * MAX_KEYWORDS]:
        name = new_name(word)
        if name is not None:
            kept.setdefault(fold(name), name)
    return Description(
        told(description, MAX_DESCRIPTION_CHARS),
        told(summary, MAX_SUMMARY_CHARS),
        tuple(list(kept.values())[:MAX_KEYWORDS]),
    )


def clean_choices(
    tags: Sequence[Named], category: Named | None, collection: Named | None, vocabulary: Vocabulary
) -> Choices:
    """Keep what the vocabulary knows, in its spelling, and new tags that look like tags."""
    known = _spellings(vocabulary.tags)
    chosen: dict[str, Choice] = {}
    for one in tags[: 3 * MAX_TAGS]:
        name = known.get(fold(plain(one.name))) or new_name(one.name)
        if name is not None:
            chosen.setdefault(fold(name), _choice(name, one))
    best = sorted(chosen.values(), key=lambda choice: -choice.confidence)[:MAX_TAGS]
    return Choices(tuple(best), _closed(category, vocabulary.categories), _closed(collection, vocabulary.collections))


def new_name(text: str) -> str | None:
    """Return a tag that a model invented as one level of at most 50 characters and 4 words, or None if it is none."""
    name = plain(text).lstrip("#").strip().replace("/", "-")
    if len(name) > MAX_NEW_TAG_CHARS or len(name.split()) > _MAX_NEW_TAG_WORDS:
        return None
    if not any(map(str.isalnum, name)) or _TAG_PUNCTUATION.search(name) or is_order(name):
        return None
    try:
        return tag_path(name).path
    except BadInput:
        return None


def _spellings(paths: Sequence[str]) -> Mapping[str, str]:
    """Return the owner's tags by how a model may write them: the whole path, or its last name where only one has it."""
    last: dict[str, str | None] = {}
    for path in paths:
        name = fold(path.rpartition("/")[2])
        last[name] = path if name not in last else None
    return {name: path for name, path in last.items() if path} | {fold(path): path for path in paths}


def _closed(one: Named | None, names: Sequence[str]) -> Choice | None:
    """Return a proposal only if its name is one of `names`."""
    if one is None:
        return None
    name = {fold(name): name for name in names}.get(fold(plain(one.name)[:MAX_TAG_NAME_CHARS]))
    return None if name is None else _choice(name, one)


def _choice(name: str, one: Named) -> Choice:
    sure = min(1.0, max(0.0, one.confidence)) if math.isfinite(one.confidence) else 0.0
    return Choice(name, round(sure, 3), told(one.reason, MAX_REASON_CHARS) or "The model proposes it.")
