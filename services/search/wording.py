"""What of a query is searched by meaning: the words that are looked for anywhere. The rest stays a condition."""

from collections.abc import Iterator

from services.search.syntax import All, Any, Is, Node, Not, Stated, Term, Where


def is_meant(node: Node) -> bool:
    """Tell whether a term is text in its own right: no field, no beginning of a word, no address."""
    return isinstance(node, Term) and node.where is Where.ANYWHERE and not node.prefix and "://" not in node.text


def words_meant(node: Node) -> str:
    """Return the words that a query wants, in their order; empty when it is made of conditions only."""
    match node:
        case Term():
            return node.text if is_meant(node) else ""
        case All(parts) | Any(parts):
            return " ".join(words for part in parts if (words := words_meant(part)))
        case _:
            return ""


def remaining(node: Node) -> Node | None:
    """Return what must hold of a bookmark that is found by meaning; None when anything goes.

    A plain word need not be there, a phrase in quotes must. Alternatives with a plain word among them ask nothing.
    """
    match node:
        case Term():
            return None if is_meant(node) and not node.quoted else node
        case Is() | Stated() | Not():
            return node
        case All(parts):
            kept = tuple(rest for part in parts if (rest := remaining(part)) is not None)
            return kept[0] if len(kept) == 1 else All(kept) if kept else None
        case Any(parts):
            rests = tuple(remaining(part) for part in parts)
            kept = tuple(rest for rest in rests if rest is not None)
            return Any(kept) if len(kept) == len(rests) else None


def resembled(node: Node) -> Term | None:
    """Return the term `similar:` by which a query without words is to be ranked, if it has one that must hold."""
    match node:
        case Term(where=Where.SIMILAR):
            return node
        case All(parts):
            return next((found for part in parts if (found := resembled(part)) is not None), None)
        case _:
            return None


def terms_of(node: Node) -> Iterator[Term]:
    """Yield every term of a tree."""
    match node:
        case Term():
            yield node
        case Not(part):
            yield from terms_of(part)
        case All(parts) | Any(parts):
            for part in parts:
                yield from terms_of(part)
        case Is() | Stated():
            pass
