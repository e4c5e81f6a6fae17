"""Which of many candidates are proposed: never what a bookmark has, never what was rejected, and only a few."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from db.categorization.suggestions import ProposalKind, ProposalSource
from services.categorization.normal import leaf
from services.categorization.voting import bounded, learned

MOST: Final[Mapping[ProposalKind, int]] = {
    ProposalKind.TAG: 5,
    ProposalKind.COLLECTION: 1,
    ProposalKind.CATEGORY: 1,
}
LEAST: Final[Mapping[ProposalKind, float]] = {
    ProposalKind.TAG: 0.2,
    ProposalKind.COLLECTION: 0.3,
    ProposalKind.CATEGORY: 0.15,
}
"""Below this confidence nothing is worth asking a person about."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be proposed. `key` is the normal form of a tag, the id of a collection, the key of a category.

    `target_id` is the tag, collection or category; None for a tag that the owner does not have.
    """

    kind: ProposalKind
    key: str
    name: str
    confidence: float
    reason: str
    source: ProposalSource
    target_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Has:
    """What a bookmark has already: normal forms of its tags, ids of its collections, whether it has a category."""

    tags: frozenset[str] = frozenset()
    collections: frozenset[str] = frozenset()
    is_categorized: bool = False

    def covers(self, candidate: Candidate) -> bool:
        """Tell whether a candidate would say nothing new: a tag covers those above it, and new ones of its name."""
        match candidate.kind:
            case ProposalKind.TAG:
                is_there = any(f"{tag}/".startswith(f"{candidate.key}/") for tag in self.tags)
                return is_there or (_is_new(candidate) and candidate.key in map(leaf, self.tags))
            case ProposalKind.COLLECTION:
                return candidate.key in self.collections
            case ProposalKind.CATEGORY:
                return self.is_categorized


def chosen(
    candidates: Iterable[Candidate],
    has: Has,
    *,
    rejected: Collection[tuple[str, str]] = (),
    verdicts: Mapping[tuple[str, str], tuple[int, int]] | None = None,
    propose_new_tags: bool = True,
) -> list[Candidate]:
    """Return what is proposed: at most 5 tags, 1 collection and 1 category, each the surest, once.

    `rejected` are `(kind, key)` that the owner has refused for this bookmark; `verdicts` say how often each was
    accepted and rejected elsewhere. Of two candidates for the same the surer is taken, of equal ones the first.
    """
    surest: dict[tuple[ProposalKind, str], Candidate] = {}
    for one in candidates:
        place = (one.kind, one.key)
        if has.covers(one) or (one.kind.value, one.key) in rejected or (_is_new(one) and not propose_new_tags):
            continue
        accepted, refused = (verdicts or {}).get((one.kind.value, one.key), (0, 0))
        weighed = replace(one, confidence=learned(bounded(one.confidence), accepted, refused))
        if place not in surest or weighed.confidence > surest[place].confidence:
            surest[place] = weighed
    kept: list[Candidate] = []
    for kind in ProposalKind:
        some = [one for one in surest.values() if one.kind is kind and one.confidence >= LEAST[kind]]
        kept += sorted(some, key=lambda one: (-one.confidence, one.key))[: MOST[kind]]
    return kept


def _is_new(candidate: Candidate) -> bool:
    return candidate.kind is ProposalKind.TAG and candidate.target_id is None
