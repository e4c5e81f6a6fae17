"""What a bookmark must be like, as a tree, and the SQL that says the same.

The text of a query only ever travels as an argument. What is spliced into SQL is made of the constants of this module.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

_HEALTH: Final = "SELECT FROM link_health h WHERE h.bookmark_id = b.id AND h.owner_id = b.owner_id"


class Place(StrEnum):
    """Where words are looked for. The value is the weight that they carry in `bookmarks.search`, see m0001."""

    ANYWHERE = ""
    TITLE = "A"
    ADDRESS = "D"


class State(StrEnum):
    """A state that needs no value."""

    FAVORITE = "b.is_favorite"
    ARCHIVED = "b.is_archived"
    UNREAD = "b.is_unread"
    TAGGED = "EXISTS (SELECT FROM bookmark_tags link WHERE link.bookmark_id = b.id)"
    UNTAGGED = "NOT EXISTS (SELECT FROM bookmark_tags link WHERE link.bookmark_id = b.id)"
    DEAD = f"EXISTS ({_HEALTH} AND h.verdict = 'DEAD')"
    BROKEN = f"EXISTS ({_HEALTH} AND h.verdict IN ('SUSPECT', 'DEAD'))"
    DUPLICATE = f"""EXISTS ({_HEALTH} AND EXISTS (
        SELECT FROM link_health o JOIN bookmarks other ON other.id = o.bookmark_id WHERE o.owner_id = h.owner_id
        AND o.final_key = h.final_key AND o.bookmark_id <> h.bookmark_id AND other.deleted_at IS NULL))"""
    UNCHECKED = f"NOT EXISTS ({_HEALTH})"


class Moment(StrEnum):
    """A time of a bookmark. Empty when it has not come: nothing is before or after it."""

    ADDED = "b.added_at"
    CREATED = "b.created_at"
    UPDATED = "b.updated_at"
    CHECKED = "(SELECT h.checked_at FROM link_health h WHERE h.bookmark_id = b.id)"


@dataclass(frozen=True, slots=True)
class Words:
    """Words in this order side by side; in an address, in any order.

    Each is one word, without white space or punctuation. Other forms of a single English word match too, unless it is
    `exact` or a `prefix`. With `prefix` the last one may go on.
    """

    words: tuple[str, ...]
    place: Place = Place.ANYWHERE
    exact: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tag by its key (kit.text), or one below it; with `prefix` any whose key begins so."""

    key: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Bearing:
    """One of these tags: what `Tagged` becomes when the owner's tags have been looked up."""

    tag_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Resembling:
    """One of the bookmarks most like this one."""

    bookmark_id: UUID


@dataclass(frozen=True, slots=True)
class Among:
    """One of these bookmarks: what `Resembling` becomes when they have been looked up."""

    bookmark_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Hosted:
    """A domain, or one below it; with `prefix` any that begins so."""

    domain: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """A link whose last check saw one of these statuses, or which is believed to be so; UNCHECKED is none of them."""

    statuses: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A link whose last check was answered with an HTTP status from `least` to `most`."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Within:
    """A time at or after `start` and before `end`; None is no bound."""

    moment: Moment
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Never:
    """What must not hold."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class Every:
    """What must all hold."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """Of what one must hold."""

    parts: "tuple[Condition, ...]"


Condition = (
    Words | Tagged | Bearing | Resembling | Among | Hosted | State | Linked | Answered | Within | Never | Every | Some
)


@dataclass(frozen=True, slots=True)
class _Match:
    """The place in a WHERE for “the full-text column matches text query number `number`”."""

    number: int


_Pieces = list[str | _Match]
_BEARING: Final = """EXISTS (
    SELECT FROM bookmark_tags link WHERE link.bookmark_id = b.id AND link.tag_id = ANY ({ids}::uuid[])
)"""


class Compiled:
    """A condition without `Tagged` and `Resembling` as SQL about `bookmarks b`, for one owner.

    arguments  the values of $1 (the owner), $2 …; whoever adds more to the statement uses `bind`
    has_tags   whether it speaks of certain tags
    texts      the text queries (type tsquery), to be computed once: as `m0`, `m1` … of a relation called `q`
    rank       the text query to rank by, or None where no word is looked for

    A statement must use each of its arguments, so say what it will not use: the condition (not `filtered`) or the
    rank (not `ranked`).
    """

    def __init__(self, owner_id: UUID, condition: Condition, *, filtered: bool = True, ranked: bool = True) -> None:
        self.arguments: list[Any] = [owner_id]
        self.texts: list[str] = []
        self.has_tags = False
        self._pieces = self._where(condition) if filtered else []
        self.rank = self._ranked(condition) if ranked else None

    def bind(self, value: Any) -> str:
        """Add an argument and return its placeholder."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    def where(self, *, indexed: bool = True) -> str:
        """Return the condition as SQL; with `indexed=False` so that the full-text index cannot be used."""
        return _spelled(self._pieces, indexed=indexed)

    def also(self, condition: Condition, *, indexed: bool) -> str:
        """Return another condition as `where` does. Call it before `text_relation`, which serves all."""
        return _spelled(self._where(condition), indexed=indexed)

    def text_relation(self) -> str:
        """Return the common table expression `q` that `where` and ranking read from."""
        columns = [f"{text} AS m{number}" for number, text in enumerate(self.texts)]
        if self.rank is not None:
            columns.append(f"{self.rank} AS rank")
        return f"q AS MATERIALIZED (SELECT {', '.join(columns)})" if columns else "q AS (SELECT)"

    def _where(self, condition: Condition) -> _Pieces:
        if _is_text(condition):
            return [self._match(self._text(condition))]
        match condition:
            case Every(parts):
                return self._joined(_text_first(parts, Every), " AND ")
            case Some(parts):
                return self._joined(_text_first(parts, Some), " OR ")
            case Never(part):
                return ["NOT (", *self._where(part), ")"]
            case _:
                return [self._plain(condition)]

    def _plain(self, condition: Condition) -> str:
        match condition:
            case Bearing(tag_ids):
                self.has_tags = True
                return _BEARING.format(ids=self.bind(list(tag_ids)))
            case Among(bookmark_ids):
                return f"b.id = ANY ({self.bind(list(bookmark_ids))}::uuid[])"
            case Hosted(domain, prefix):
                return self._domain(domain, prefix=prefix)
            case State():
                return condition.value
            case _:
                return self._checked(condition)

    def _checked(self, condition: Condition) -> str:
        match condition:
            case Linked(statuses, verdicts):
                column, values = ("status", statuses) if statuses else ("verdict", verdicts)
                return f"EXISTS ({_HEALTH} AND h.{column} = ANY ({self.bind(list(values))}::text[]))"
            case Answered(least, most):
                return f"EXISTS ({_HEALTH} AND h.http_status BETWEEN {self.bind(least)} AND {self.bind(most)})"
            case Within(moment, start, end):
                bounds = [
                    f"{moment.value} {compare} {self.bind(bound)}::timestamptz"
                    for compare, bound in ((">=", start), ("<", end))
                    if bound is not None
                ]
                told = " AND ".join(bounds)
                return f"coalesce({told}, false)" if moment is Moment.CHECKED else f"({told})"
            case _:
                raise TypeError(condition)

    def _joined(self, parts: "tuple[Condition, ...]", operator: str) -> _Pieces:
        pieces: _Pieces = ["("]
        for number, part in enumerate(parts):
            pieces += [operator if number else "", *self._where(part)]
        return [*pieces, ")"]

    def _match(self, text: str) -> _Match:
        self.texts.append(text)
        return _Match(len(self.texts) - 1)

    def _text(self, condition: Condition) -> str:
        """Return the one tsquery that says all of a condition of words: one probe of the index instead of many."""
        match condition:
            case Words():
                return self._tsquery(condition)
            case Never(part):
                return f"(!! {self._text(part)})"
            case Every(parts) | Some(parts):
                operator = " && " if isinstance(condition, Every) else " || "
                return "(" + operator.join(map(self._text, parts)) + ")"
            case _:
                raise TypeError(condition)

    def _tsquery(self, condition: Words) -> str:
        labels = [str(condition.place)] * len(condition.words)
        if condition.prefix:
            labels[-1] = f"*{condition.place}"
        lexemes = [
            f"{_quoted(word)}:{label}" if label else _quoted(word)
            for word, label in zip(condition.words, labels, strict=True)
        ]
        argument = self.bind((" & " if condition.place is Place.ADDRESS else " <-> ").join(lexemes))
        simple = f"to_tsquery('simple'::regconfig, {argument})"
        if condition.exact or condition.prefix or condition.place is Place.ADDRESS or len(condition.words) > 1:
            return simple
        return f"({simple} || to_tsquery('english'::regconfig, {argument}))"

    def _domain(self, domain: str, *, prefix: bool) -> str:
        argument = f"{self.bind(domain)}::text"
        if prefix:
            return f"starts_with(b.domain, {argument})"
        return f"(b.domain = {argument} OR right(b.domain, char_length({argument}) + 1) = '.' || {argument})"

    def _ranked(self, condition: Condition) -> str | None:
        """Return the tsquery of what is wanted, without what is not: a word that must be absent adds nothing."""
        match condition:
            case Words():
                return self._tsquery(condition)
            case Every(parts) | Some(parts):
                ranked = [text for part in parts if (text := self._ranked(part)) is not None]
                operator = " && " if isinstance(condition, Every) else " || "
                return f"({operator.join(ranked)})" if ranked else None
            case _:
                return None


def _spelled(pieces: _Pieces, *, indexed: bool) -> str:
    def spelled(piece: str | _Match) -> str:
        if isinstance(piece, str):
            return piece
        text = f"(SELECT m{piece.number} FROM q)"
        return f"b.search @@ {text}" if indexed else f"ts_match_vq(b.search, {text})"

    return "".join(map(spelled, pieces))


def _quoted(word: str) -> str:
    """Return a word as to_tsquery takes it."""
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def parts_of(condition: Condition) -> Iterator[Condition]:
    """Yield what a condition is made of: everything that is not `Never`, `Every` or `Some`."""
    match condition:
        case Never(part):
            yield from parts_of(part)
        case Every(parts) | Some(parts):
            for part in parts:
                yield from parts_of(part)
        case _:
            yield condition


def tags_in(condition: Condition) -> Iterator[Tagged]:
    """Yield the tags that a condition speaks of."""
    yield from (part for part in parts_of(condition) if isinstance(part, Tagged))


def replaced(condition: Condition, found: Mapping[Any, Condition]) -> Condition:
    """Return the condition with each of its parts that is a key of `found` replaced."""
    match condition:
        case Never(part):
            return Never(replaced(part, found))
        case Every(parts):
            return Every(tuple(replaced(part, found) for part in parts))
        case Some(parts):
            return Some(tuple(replaced(part, found) for part in parts))
        case _:
            return found.get(condition, condition)


def _is_text(condition: Condition) -> bool:
    match condition:
        case Words():
            return True
        case Never(part):
            return _is_text(part)
        case Every(parts) | Some(parts):
            return all(map(_is_text, parts))
        case _:
            return False


def _text_first(parts: "tuple[Condition, ...]", kind: type[Every] | type[Some]) -> "tuple[Condition, ...]":
    """Put all that is pure text into one part, in front."""
    text = tuple(part for part in parts if _is_text(part))
    others = tuple(part for part in parts if not _is_text(part))
    return (kind(text), *others) if text else others
