"""Reading a query text into its tree, by recursive descent."""

from uuid import UUID

from db.search.words import words_of
from kit.errors import BadInput
from kit.ids import decode_global_id
from kit.text import tag_path
from kit.urls import RefusedUrl, identify
from services.search.lexer import Kind, Token, refuse, tokens_of
from services.search.syntax import (
    MAX_DEPTH,
    MAX_TERMS,
    MAX_WORD_CHARS,
    All,
    Any,
    Is,
    Node,
    Not,
    Span,
    Stated,
    Term,
    Where,
)


def parse(text: str) -> Node:
    """Read a query text.

    Raises `BadInput` and nothing else; it tells the position, what was expected there, and what to try. A word
    without a letter or digit, such as the dash in `Title - Site`, is left out: there is nothing to look for.
    """
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = tokens_of(text)
        self._next = 0
        self._terms = 0

    def query(self) -> Node:
        """Read all of the text."""
        if self._here.kind is Kind.END:
            raise refuse("expected something to look for.", 0, "Type a word, or a field such as `is:unread`.")
        node = self._any(0)
        if self._here.kind is Kind.CLOSE:
            hint = "Remove it, or add `(` in front of what it closes."
            raise refuse("this `)` closes nothing.", self._here.span.start, hint)
        if node is None:
            raise refuse("expected at least one letter or digit.", 0, "Type a word to look for.")
        return node

    @property
    def _here(self) -> Token:
        return self._tokens[self._next]

    def _any(self, depth: int) -> Node | None:
        start = self._here.span.start
        parts = [self._all(depth)]
        while self._here.kind is Kind.OR:
            self._next += 1
            parts.append(self._all(depth))
        kept = _opened(parts, Any)
        return kept[0] if len(kept) == 1 else Any(kept, self._span(start)) if kept else None

    def _all(self, depth: int) -> Node | None:
        start = self._here.span.start
        parts = [self._not(depth)]
        while True:
            if self._here.kind is Kind.AND:
                self._next += 1
            elif self._here.kind not in {Kind.LEAF, Kind.NOT, Kind.OPEN}:
                break
            parts.append(self._not(depth))
        kept = _opened(parts, All)
        return kept[0] if len(kept) == 1 else All(kept, self._span(start)) if kept else None

    def _not(self, depth: int) -> Node | None:
        token = self._here
        if token.kind is not Kind.NOT:
            return self._one(depth)
        self._next += 1
        part = self._not(self._deeper(depth, token))
        if part is None:
            return None
        return part.part if isinstance(part, Not) else Not(part, self._span(token.span.start))

    def _one(self, depth: int) -> Node | None:
        token = self._here
        if token.leaf is not None:
            self._next += 1
            return self._leaf(token.leaf)
        if token.kind is not Kind.OPEN:
            raise self._unexpected(token)
        self._next += 1
        node = self._any(self._deeper(depth, token))
        if self._here.kind is not Kind.CLOSE:
            raise refuse("this `(` is never closed.", token.span.start, "Add `)` where the group ends.")
        self._next += 1
        return node

    def _leaf(self, leaf: Term | Is | Stated) -> Term | Is | Stated | None:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise refuse(f"a query has at most {MAX_TERMS} terms.", leaf.span.start, "Leave some out.")
        if isinstance(leaf, Is | Stated):
            return leaf
        if any(len(word) > MAX_WORD_CHARS for word in words_of(leaf.text)):
            raise refuse(f"a word has at most {MAX_WORD_CHARS} characters.", leaf.span.start)
        if leaf.where is Where.ANYWHERE:
            return leaf if words_of(leaf.text) else None
        _check_value(leaf)
        return leaf

    def _deeper(self, depth: int, token: Token) -> int:
        if depth == MAX_DEPTH:
            raise refuse(f"groups are nested at most {MAX_DEPTH} deep.", token.span.start, "Take some apart.")
        return depth + 1

    def _unexpected(self, token: Token) -> BadInput:
        what = {Kind.END: "the end", Kind.CLOSE: "`)`"}.get(token.kind, f"`{token.kind.name}`")
        hint = ""
        if token.kind in {Kind.AND, Kind.OR}:
            hint = f'To look for the word itself, write "{token.kind.name}" in quotes.'
        return refuse(f"expected a word, a phrase or a field, found {what}.", token.span.start, hint)

    def _span(self, start: int) -> Span:
        return Span(start, self._tokens[self._next - 1].span.end)


def _opened(parts: list[Node | None], kind: type[All] | type[Any]) -> tuple[Node, ...]:
    """Leave out what says nothing, and open groups of the same kind."""
    kept: list[Node] = []
    for part in parts:
        if isinstance(part, kind):
            kept.extend(part.parts)
        elif part is not None:
            kept.append(part)
    return tuple(kept)


def _check_value(term: Term) -> None:
    """Refuse a field's value that nothing could ever match."""
    at = term.span.start
    match term.where:
        case Where.TAG:
            try:
                tag_path(term.text)
            except BadInput as error:
                raise refuse("this cannot be a tag.", at, error.message) from error
        case Where.SIMILAR:
            bookmark_of(term)
        case Where.DOMAIN:
            if not term.prefix and domain_of(term.text) is None:
                raise refuse("this cannot be a domain.", at, "Write it like `domain:example.com`.")
        case _:
            if not words_of(term.text):
                raise refuse("expected at least one letter or digit.", at, f"Write it like `{term.where}:example`.")


def bookmark_of(term: Term) -> UUID:
    """Return the key of the bookmark that `similar:` names. Raises `BadInput` when that is no bookmark's id."""
    if term.prefix:
        raise refuse("expected the whole id of a bookmark.", term.span.start, "Write it without `*`.")
    try:
        return decode_global_id(term.text, expected="Bookmark")[1]
    except BadInput as error:
        hint = f"{error.message} Write the id of a bookmark behind `similar:`, as the field `id` gives it."
        raise refuse("this cannot be a bookmark.", term.span.start, hint) from error


def domain_of(text: str) -> str | None:
    """Return the stored form of a domain that a person wrote, also as part of an address; None when it is none."""
    try:
        return identify(text if "://" in text else f"http://{text}/").domain
    except RefusedUrl:
        return None
