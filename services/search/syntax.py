"""The tree that a query text is read into, and the text that a tree is printed as.

    query  = any ; any = all { "OR" all } ; all = not { ["AND"] not } ; not = { "NOT" | "-" } one
    one    = "(" any ")" | field value | "is:" flag | fact value | "#" value | value
    value  = word | word "*" | '"' phrase '"'

Trees are normal: a group in a group of its own kind is opened, a group of one is that one, NOT NOT cancels out.
"""

from dataclasses import dataclass, field
from enum import StrEnum

MAX_QUERY_CHARS = 1_000
MAX_TERMS = 50
"""Most words, phrases, fields and flags of one query."""

MAX_DEPTH = 10
"""Deepest nesting of parentheses and negations."""

MAX_WORD_CHARS = 500
"""Longest single word: PostgreSQL keeps none of more than 2,046 bytes, and a character has up to four."""


class Where(StrEnum):
    """Which part of a bookmark a term is looked for in. The value is the field's name in a query."""

    ANYWHERE = ""
    TITLE = "title"
    URL = "url"
    DOMAIN = "domain"
    TAG = "tag"
    SIMILAR = "similar"


class Flag(StrEnum):
    """What `is:` knows."""

    FAVORITE = "favorite"
    ARCHIVED = "archived"
    UNREAD = "unread"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    DEAD = "dead"
    BROKEN = "broken"
    DUPLICATE = "duplicate"


class Fact(StrEnum):
    """What fields whose value is no text are about. The value is the field's name in a query."""

    STATUS = "status"
    VERDICT = "verdict"
    ADDED = "added"
    CREATED = "created"
    UPDATED = "updated"
    CHECKED = "checked"


@dataclass(frozen=True, slots=True)
class Span:
    """Where in the query text something stands: from `start` up to but without `end`, in characters from 0."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase.

    With `prefix` longer words count too. With `quoted` other forms of an English word do not; only its stem, which
    the index holds beside it, cannot be told from it.
    """

    text: str
    where: Where = Where.ANYWHERE
    prefix: bool = False
    quoted: bool = False
    span: Span = field(default=Span(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Is:
    """A state that a bookmark is in."""

    flag: Flag
    span: Span = field(default=Span(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Stated:
    """A fact and its value in the form that services.search.facts gives it: `404`, `dead`, `>2026-01-31`, `<7d`."""

    fact: Fact
    value: str
    span: Span = field(default=Span(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be so. Never around another `Not`."""

    part: "Node"
    span: Span = field(default=Span(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class All:
    """Two or more of which each must be so; none is an `All`."""

    parts: "tuple[Node, ...]"
    span: Span = field(default=Span(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Any:
    """Two or more of which one must be so; none is an `Any`."""

    parts: "tuple[Node, ...]"
    span: Span = field(default=Span(0, 0), compare=False)


Node = Term | Is | Stated | Not | All | Any


_FACTS = {
    Fact.STATUS: "the link status",
    Fact.VERDICT: "the verdict on the link",
    Fact.ADDED: "the time of adding",
    Fact.CREATED: "the time of creation",
    Fact.UPDATED: "the time of the last change",
    Fact.CHECKED: "the time of the last link check",
}


def printed(node: Node) -> str:
    """Return a query text that reads as `node`; reading and printing it again gives the same text."""
    match node:
        case Term():
            return _field(node) + _value(node)
        case Is(flag):
            return f"is:{flag.value}"
        case Stated(fact, value):
            return f"{fact.value}:{value}"
        case Not(part):
            return f"-{_grouped(part, All | Any)}"
        case All(parts):
            return " ".join(_grouped(part, Any) for part in parts)
        case Any(parts):
            return " OR ".join(printed(part) for part in parts)


def explained(node: Node) -> str:
    """Return in words how a query was understood."""
    match node:
        case Term():
            return _explained_term(node)
        case Is(flag):
            return flag.value
        case Stated(fact, value):
            return f"{_FACTS[fact]} {value}"
        case Not(part):
            inner = explained(part)
            return f"not ({inner})" if isinstance(part, All | Any) else f"not {inner}"
        case All(parts):
            return " and ".join(f"({explained(part)})" if isinstance(part, Any) else explained(part) for part in parts)
        case Any(parts):
            return " or ".join(f"({explained(part)})" if isinstance(part, All) else explained(part) for part in parts)


def _grouped(node: Node, groups: object) -> str:
    text = printed(node)
    return f"({text})" if isinstance(node, groups) else text  # type: ignore[arg-type]  # a union of classes is one


def _field(term: Term) -> str:
    if term.where is Where.TAG:
        return "#"
    return f"{term.where.value}:" if term.where is not Where.ANYWHERE else ""


def _value(term: Term) -> str:
    if term.quoted:
        return '"' + term.text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return term.text + ("*" if term.prefix else "")


def _explained_term(term: Term) -> str:
    text = f"“{term.text}”"
    beginning = "beginning with " if term.prefix else ""
    match term.where:
        case Where.TAG:
            return f"a tag {beginning}{text}" if term.prefix else f"the tag {text} or one below it"
        case Where.DOMAIN:
            return f"a domain {beginning}{text}" if term.prefix else f"the domain {text}"
        case Where.SIMILAR:
            return f"similar to the bookmark {text}"
        case Where.URL:
            return f"{beginning}{text} in the address"
        case Where.TITLE:
            return f"{_kind(term)}{beginning}{text} in the title"
        case Where.ANYWHERE:
            return f"{_kind(term)}{beginning}{text}"


def _kind(term: Term) -> str:
    return "the phrase " if term.quoted else ""
