"""What a query tree asks of a bookmark, in the conditions that the database knows."""

from db.search.conditions import Condition, Every, Hosted, Never, Place, Resembling, Some, State, Tagged, Words
from db.search.words import words_of
from kit.text import tag_path
from kit.urls import url_words
from services.search.facts import condition_of_fact
from services.search.parser import bookmark_of, domain_of
from services.search.syntax import All, Any, Flag, Is, Node, Not, Stated, Term, Where

_STATES = {
    Flag.FAVORITE: State.FAVORITE,
    Flag.ARCHIVED: State.ARCHIVED,
    Flag.UNREAD: State.UNREAD,
    Flag.TAGGED: State.TAGGED,
    Flag.UNTAGGED: State.UNTAGGED,
    Flag.DEAD: State.DEAD,
    Flag.BROKEN: State.BROKEN,
    Flag.DUPLICATE: State.DUPLICATE,
}


def condition_of(node: Node) -> Condition:
    """Return the condition that a tree of `parse` stands for."""
    match node:
        case Term():
            return _term(node)
        case Is(flag):
            return _STATES[flag]
        case Stated(fact, value):
            return condition_of_fact(fact, value)
        case Not(part):
            return Never(condition_of(part))
        case All(parts):
            return Every(tuple(condition_of(part) for part in parts))
        case Any(parts):
            return Some(tuple(condition_of(part) for part in parts))


def _term(term: Term) -> Condition:
    if term.where is Where.URL or (term.where is Where.ANYWHERE and "://" in term.text and not term.quoted):
        return _address(term)
    match term.where:
        case Where.TAG:
            below = "/" if term.prefix and term.text.endswith("/") else ""
            return Tagged(tag_path(term.text).key + below, prefix=term.prefix)
        case Where.DOMAIN:
            return Hosted(term.text.lower() if term.prefix else domain_of(term.text) or term.text, prefix=term.prefix)
        case Where.SIMILAR:
            return Resembling(bookmark_of(term))
        case Where.TITLE:
            return Words(words_of(term.text), Place.TITLE, exact=term.quoted, prefix=term.prefix)
        case _:
            return Words(words_of(term.text), exact=term.quoted, prefix=term.prefix)


def _address(term: Term) -> Words:
    """Look for the words that the index has of an address: no scheme, no `www`, escapes read."""
    spoken = tuple(url_words(term.text).split()) if "://" in term.text else ()
    return Words(spoken or words_of(term.text), Place.ADDRESS, prefix=term.prefix)
