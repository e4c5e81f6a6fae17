"""Cutting a query text into tokens. Every token knows where it stands, so that an error can say so."""

import difflib
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from kit.errors import BadInput
from services.search.facts import normal_value
from services.search.syntax import MAX_QUERY_CHARS, Fact, Flag, Is, Span, Stated, Term, Where

FIELD: Final = ("query",)
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_SPACE: Final = re.compile(r"\s+")
_WORD: Final = re.compile(r'[^\s()"\u201c\u201d]+')
_FIELD_NAME: Final = re.compile(r"([A-Za-z]+):")
_PLAIN_QUOTE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_CURLY_QUOTE: Final = re.compile(r"[\u201c\u201d]([^\u201c\u201d]*)[\u201c\u201d]")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_FIELDS: Final = {where.value: where for where in Where if where is not Where.ANYWHERE}
_LATER: Final = frozenset(
    {
        *("in", "has", "lang", "source", "type", "words", "reading"),
    }
)
_FACTS: Final = {fact.value: fact for fact in Fact}
_EXAMPLES: Final = {"is": "unread", "status": "404", "verdict": "dead"} | dict.fromkeys(
    ("added", "created", "updated", "checked"), "<7d"
)
_KEYWORDS: Final = {"AND", "OR", "NOT"}


class Kind(Enum):
    """What a token is."""

    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    LEAF = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token. `leaf` is set exactly if `kind` is LEAF."""

    kind: Kind
    span: Span
    leaf: Term | Is | Stated | None = None


def refuse(message: str, position: int, hint: str = "") -> BadInput:
    """Return the error for a fault at `position` (characters from 0; the sentence counts from 1)."""
    text = f"At character {position + 1} of the query: {message}"
    return BadInput(f"{text} {hint}".rstrip(), field=FIELD, position=position)


def tokens_of(text: str) -> list[Token]:
    """Cut `text` into tokens, END last.

    Raises `BadInput` with its position for a text that is too long or no text, a quote without its end, a field
    without a value, an unknown flag or value, and a field that cannot be searched yet.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise refuse(
            f"a query has at most {MAX_QUERY_CHARS:,} characters; this one has {len(text):,}.", MAX_QUERY_CHARS
        )
    unstorable = _UNSTORABLE.search(text)
    if unstorable:
        raise refuse("a NUL character or half of a surrogate pair cannot be searched for.", unstorable.start())
    tokens: list[Token] = []
    position = _skip_space(text, 0)
    while position < len(text):
        token = _token(text, position)
        tokens.append(token)
        position = _skip_space(text, token.span.end)
    tokens.append(Token(Kind.END, Span(len(text), len(text))))
    return tokens


def _skip_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _token(text: str, start: int) -> Token:
    char = text[start]
    if char in "()":
        return Token(Kind.OPEN if char == "(" else Kind.CLOSE, Span(start, start + 1))
    if char in '"\u201c\u201d':
        return _leaf(text, start, start, Where.ANYWHERE)
    if char == "-" and start + 1 < len(text) and not (text[start + 1].isspace() or text[start + 1] == ")"):
        return Token(Kind.NOT, Span(start, start + 1))
    if char == "#" and _has_value(text, start + 1):
        return _leaf(text, start, start + 1, Where.TAG)
    word = _word(text, start)
    if word in _KEYWORDS:
        return Token(Kind[word], Span(start, start + len(word)))
    named = _FIELD_NAME.match(word)
    return (named and _field(text, start, named)) or _leaf(text, start, start, Where.ANYWHERE)


def _field(text: str, start: int, named: re.Match[str]) -> Token | None:
    """Return the token of `name:value`, or None when the name is no field, and so the whole is text."""
    name, behind = named[1].lower(), start + named.end()
    if name in _LATER:
        whole = _word(text, start)
        hint = f'Put it in quotes to look for the text: "{whole}".'
        raise refuse(f"`{name}:` cannot be searched yet.", start, hint)
    if name != "is" and name not in _FIELDS and name not in _FACTS:
        return None
    if not _has_value(text, behind):
        example = f"{name}:{_EXAMPLES.get(name, 'example')}"
        hint = f"Write it without a space, like `{example}`."
        raise refuse(f"expected a value right behind `{name}:`.", behind, hint)
    if name == "is":
        return _flag(text, start, behind)
    if name in _FACTS:
        return _stated(text, start, behind, _FACTS[name])
    return _leaf(text, start, behind, _FIELDS[name])


def _flag(text: str, start: int, behind: int) -> Token:
    value, end, _ = _value(text, behind)
    try:
        flag = Flag(value.lower())
    except ValueError:
        close = difflib.get_close_matches(value.lower(), [flag.value for flag in Flag], n=1)
        hint = f"Did you mean `is:{close[0]}`?" if close else ""
        raise refuse(f"expected one of {', '.join(Flag)} behind `is:`.", behind, hint) from None
    span = Span(start, end)
    return Token(Kind.LEAF, span, Is(flag, span))


def _stated(text: str, start: int, behind: int, fact: Fact) -> Token:
    value, end, _ = _value(text, behind)
    try:
        normal = normal_value(fact, value)
    except ValueError as error:
        raise refuse(str(error), behind) from None
    span = Span(start, end)
    return Token(Kind.LEAF, span, Stated(fact, normal, span))


def _leaf(text: str, start: int, behind: int, where: Where) -> Token:
    value, end, quoted = _value(text, behind)
    prefix = False
    if not quoted and value.endswith("*"):
        value, prefix = value.rstrip("*"), True
        if not value:
            hint = "Write the beginning of a word in front of it, like `exam*`."
            raise refuse("expected letters in front of `*`.", end - 1, hint)
    span = Span(start, end)
    return Token(Kind.LEAF, span, Term(value, where, prefix, quoted, span))


def _has_value(text: str, position: int) -> bool:
    return position < len(text) and not (text[position].isspace() or text[position] in "()")


def _value(text: str, start: int) -> tuple[str, int, bool]:
    """Return a word or phrase, where it ends, and whether it was quoted."""
    if text[start] not in '"\u201c\u201d':
        word = _word(text, start)
        return word, start + len(word), False
    plain = text[start] == '"'
    quote = (_PLAIN_QUOTE if plain else _CURLY_QUOTE).match(text, start)
    if quote is None:
        raise refuse("this quotation mark is never closed.", start, 'Add another `"` where the phrase ends.')
    return (_ESCAPED.sub(r"\1", quote[1]) if plain else quote[1]), quote.end(), True


def _word(text: str, start: int) -> str:
    word = _WORD.match(text, start)
    return word[0] if word else ""
