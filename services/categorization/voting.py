"""What the nearest bookmarks of the same owner say about one: they vote with how near they are.

A label that everything bears says little: votes are damped by how frequent it is in the library (as IDF does).
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Final, Generic, TypeVar
from uuid import UUID

L = TypeVar("L", bound=Hashable)

FLOOR: Final = 0.25
"""Bookmarks that are less similar have no vote."""

SURE: Final = 0.75
"""From this similarity on a neighbour is as good as the same."""

_PRIOR: Final = 0.35
"""Weight of a neighbour of doubt: with few votes nothing is sure."""

_DAMPED: Final = 0.4
"""Share of a vote that frequency can take away."""


@dataclass(frozen=True, slots=True)
class Neighbour(Generic[L]):
    """A bookmark near another: its similarity (-1 to 1, higher is nearer) and the labels that it bears."""

    bookmark_id: UUID
    similarity: float
    labels: frozenset[L]


@dataclass(frozen=True, slots=True)
class Vote:
    """What the neighbours say for one label: how sure (0 to 1), and how many of them bear it."""

    confidence: float
    supporters: int


def vote(neighbours: Sequence[Neighbour[L]], frequency: Mapping[L, int], library_size: int) -> dict[L, Vote]:
    """Return what the neighbours say for each label that they bear.

    `frequency` says how many bookmarks of the library bear a label, `library_size` how many there are with any.
    """
    weights = [(near, _weight(near.similarity)) for near in neighbours]
    total = sum(weight for _, weight in weights)
    if total <= 0:
        return {}
    said: dict[L, Vote] = {}
    for label in {label for near, weight in weights if weight > 0 for label in near.labels}:
        bearing = [weight for near, weight in weights if label in near.labels and weight > 0]
        share = sum(bearing) / (total + _PRIOR)
        nearest = max(near.similarity for near, _ in weights if label in near.labels)
        sure = share * min(1.0, max(0.0, nearest / SURE)) ** 0.5
        said[label] = Vote(bounded(sure * _rarity(frequency.get(label, 1), library_size)), len(bearing))
    return said


def learned(confidence: float, accepted: int, rejected: int) -> float:
    """Return a confidence after the owner's decisions about the same label elsewhere: each rejection weighs on it."""
    return bounded(confidence * ((accepted + 2) / (accepted + rejected + 2)))


def bounded(confidence: float) -> float:
    """Return a confidence from 0 to 1; what is no number is 0."""
    return min(1.0, max(0.0, confidence)) if confidence == confidence else 0.0  # noqa: PLR0124  NaN differs from itself


def best(votes: Mapping[L, float], most: int, *, at_least: float, order: Iterable[L] = ()) -> list[L]:
    """Return at most `most` labels, the surest first, ties in the order of `order`."""
    places = {label: place for place, label in enumerate(order)}
    sure = [label for label, confidence in votes.items() if confidence >= at_least]
    return sorted(sure, key=lambda label: (-votes[label], places.get(label, len(places)), str(label)))[:most]


def _weight(similarity: float) -> float:
    above = (similarity - FLOOR) / (1 - FLOOR)
    return min(1.0, above) ** 2 if above > 0 else 0.0


def _rarity(frequency: int, size: int) -> float:
    """Return 1 for a label that one bookmark bears, less the more there are."""
    if size <= 1:
        return 1.0
    idf = log((size + 1) / (min(max(frequency, 1), size) + 0.5)) / log((size + 1) / 1.5)
    return 1 - _DAMPED * (1 - bounded(idf))
