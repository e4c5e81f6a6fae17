"""Proposing tags, a category and a collection without a model: words in common, and nearness of static vectors.

Confidences are honest in their order and rough in their size: a name that stands in a page's title is nearly sure,
one that is only near in meaning is a guess.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from kit.ai.extracts import Read, read
from kit.ai.provider import MAX_TAGS, Choice, Choices, PageText, Vocabulary
from kit.ai.vectors import Matrix, Vectors
from kit.ai.words import stem_of, terms_of
from kit.urls.words import url_words

MAX_NAMES: Final = 5_000
"""How many names of one kind are looked at, the first ones."""

_REMEMBERED: Final = 8  # vocabularies whose vectors are kept: 1 KB a name
_IN_TITLE, _IN_ADDRESS, _IN_KEYWORDS, _OFTEN, _ONCE = 0.9, 0.8, 0.75, 0.6, 0.3
_OFTEN_TIMES: Final = 3
_NEAR_FROM, _NEAR_TO, _NEAR_MOST = 0.25, 0.65, 0.6
_LEAST_TAG, _LEAST_COLLECTION, _LEAST_CATEGORY = 0.35, 0.5, 0.15
_NEW_TAGS: Final = 3
_NEW_TAG: Final = 0.45
_NEW_TAG_WORDS: Final = 2
_HINTS_ENOUGH: Final = 3.0


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of one kind: the stems of each, the stems of its hints, a vector each, and who has a stem."""

    names: tuple[str, ...]
    own: tuple[frozenset[str], ...]
    hints: tuple[frozenset[str], ...]
    vectors: Matrix
    having: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Places:
    """The stems of a page: the weight of the best place where each stands, how often, and as which word."""

    weights: Mapping[str, float]
    counts: Mapping[str, int]
    words: Mapping[str, str]


class Sorter:
    """Proposes how to sort pages. Remembers the vectors of the vocabularies that it saw last. One call at a time."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._seen: dict[object, _Names] = {}

    def choose(self, page: PageText, vocabulary: Vocabulary) -> Choices:
        """Propose at most 5 tags, one category and one collection."""
        found = read(page, self._vectors)
        places = _places(page, found)
        tags = self._names(vocabulary.tags, {})
        known = [choice for choice in _ranked(tags, places, found) if choice.confidence >= _LEAST_TAG][:MAX_TAGS]
        collections = _ranked(self._names(vocabulary.collections, {}), places, found)[:1]
        return Choices(
            tags=tuple((known + _new_tags(found, tags, places))[:MAX_TAGS]),
            category=_category(self._names(vocabulary.categories, vocabulary.hints), places, found),
            collection=next((one for one in collections if one.confidence >= _LEAST_COLLECTION), None),
        )

    def _names(self, names: tuple[str, ...], hints: Mapping[str, str]) -> _Names:
        key = (names, tuple(hints.get(name, "") for name in names) if hints else ())
        kept = self._seen.pop(key, None) or _prepared(names[:MAX_NAMES], hints, self._vectors)
        self._seen[key] = kept  # last in the order of use
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return kept


def _prepared(names: tuple[str, ...], hints: Mapping[str, str], vectors: Vectors) -> _Names:
    own = tuple(frozenset(map(stem_of, terms_of(name.rpartition("/")[2] if not hints else name))) for name in names)
    hinted = tuple(frozenset(map(stem_of, terms_of(hints.get(name, "")))) for name in names)
    having: dict[str, list[int]] = {}
    for at, (first, second) in enumerate(zip(own, hinted, strict=True)):
        for stem in first | second:
            having.setdefault(stem, []).append(at)
    told = [f"{name.replace('/', ' ')} {hints.get(name, '')}" for name in names]
    return _Names(names, own, hinted, vectors.embed(told), {stem: tuple(ats) for stem, ats in having.items()})


def _places(page: PageText, found: Read) -> _Places:
    counts = Counter(stem_of(word) for word in found.words if word not in found.stopwords)
    weights = {stem: _OFTEN if count >= _OFTEN_TIMES else _ONCE for stem, count in counts.items()}
    for text, weight in (
        (" ".join(found.keywords), _IN_KEYWORDS),
        (url_words(page.url), _IN_ADDRESS),
        (page.title, _IN_TITLE),
    ):
        weights |= {stem_of(word): weight for word in terms_of(text) if word not in found.stopwords}
    return _Places(weights, counts, {stem_of(word): word for word in reversed(found.words)})


def _hits(names: _Names, places: _Places) -> dict[int, set[str]]:
    """Return which stems of which names stand in the page."""
    hits: dict[int, set[str]] = {}
    for stem in places.weights:
        for at in names.having.get(stem, ()):
            hits.setdefault(at, set()).add(stem)
    return hits


def _ranked(names: _Names, places: _Places, found: Read) -> list[Choice]:
    """Return names with any confidence, best first. A name's words must all be there to count."""
    near = names.vectors @ found.vector
    hits = _hits(names, places)
    choices = []
    for at in sorted({*hits, *np.flatnonzero(near > _NEAR_FROM).tolist()}):
        own = names.own[at]
        is_told = bool(own) and own <= hits.get(at, set())
        told = min(places.weights[stem] for stem in own) if is_told else 0.0
        meant = _nearness(float(near[at]))
        confidence = told + (1 - told) * meant / 2 if is_told else meant
        choices.append(Choice(names.names[at], round(confidence, 3), _reason(names.names[at], told, float(near[at]))))
    return sorted(choices, key=lambda choice: (-choice.confidence, choice.name))


def _nearness(similarity: float) -> float:
    """Turn the cosine of two static vectors into a confidence: a guess at best."""
    return _NEAR_MOST * min(1.0, max(0.0, (similarity - _NEAR_FROM) / (_NEAR_TO - _NEAR_FROM)))


def _reason(name: str, told: float, similarity: float) -> str:
    where = {
        _IN_TITLE: "stands in the title",
        _IN_ADDRESS: "stands in the address",
        _IN_KEYWORDS: "is among the page's keywords",
        _OFTEN: "comes back in the text",
        _ONCE: "is mentioned in the text",
    }.get(told)
    shown = name.rpartition("/")[2]
    return f"“{shown}” {where}." if where else f"The page is near to “{shown}” in meaning ({similarity:.2f})."


def _new_tags(found: Read, tags: _Names, places: _Places) -> list[Choice]:
    """Propose keywords that no tag has yet and that come back or stand in the title, below any tag found there."""
    known = {stem for stems in tags.own for stem in stems if stem in places.weights}
    fresh = []
    for word in found.keywords:
        stems = {stem_of(part) for part in terms_of(word)}
        told = min((places.counts.get(stem, 0) for stem in stems), default=0)
        if len(word.split()) <= _NEW_TAG_WORDS and not stems <= known and told > 1:
            fresh.append(word.casefold())
    return [
        Choice(word, round(_NEW_TAG - 0.05 * place, 3), f"“{word}” is among the page's keywords, and no tag yet.")
        for place, word in enumerate(fresh[:_NEW_TAGS])
    ]


def _category(names: _Names, places: _Places, found: Read) -> Choice | None:
    """Return the category whose own words and hints are told most, helped by nearness; surer with a clear lead."""
    if not names.names:
        return None
    near = np.maximum(names.vectors @ found.vector, 0.0)
    hits = _hits(names, places)
    scores = [
        _told(names, at, hits.get(at, set()), places) + (1 - _told(names, at, hits.get(at, set()), places)) * float(one)
        for at, one in enumerate(near)
    ]
    order = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
    best = order[0]
    second = scores[order[1]] if len(order) > 1 else 0.0
    lead = (scores[best] - second) / scores[best] if scores[best] > 0 else 0.0
    confidence = round(min(0.95, scores[best] * (0.6 + 0.8 * lead)), 3)
    if confidence < _LEAST_CATEGORY:
        return None
    words = sorted(hits.get(best, ()), key=lambda stem: (-places.weights[stem], -places.counts.get(stem, 0), stem))[:3]
    told = ", ".join(f"“{places.words.get(stem, stem)}”" for stem in words)
    reason = f"The page speaks of {told}." if told else f"The page is near to it in meaning ({float(near[best]):.2f})."
    return Choice(names.names[best], confidence, reason)


def _told(names: _Names, at: int, stems: set[str], places: _Places) -> float:
    """Return how much of a category is told, from 0 to 1: own words count double, three good hints are enough."""
    total = sum(places.weights[stem] * (2.0 if stem in names.own[at] else 1.0) for stem in stems)
    return min(1.0, total / _HINTS_ENOUGH) * 0.9
