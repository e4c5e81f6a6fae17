"""Random categories, proposals of every kind in every state, and rules."""

import random
from typing import Any
from uuid import UUID

from db.categorization.suggestions import ProposalSource, ProposalStatus
from services.rules import RuleEvent
from tests.executor import values

Row = dict[str, Any]


def categories(rng: random.Random, owner: UUID, count: int) -> list[Row]:
    """Return categories; some share their place in the list."""
    return [
        {
            "id": values.key(rng),
            "owner_id": owner,
            "key": f"{number}{values.text(rng)}",
            "name": (values.text(rng) or "c")[:100],
            "color": values.maybe(rng, values.color(rng)),
            "position": rng.choice((1, number)),
            "created_at": values.moment(rng),
        }
        for number in range(count)
    ]


def suggestions(rng: random.Random, owner: UUID, saved: list[Row], targets: dict[str, list[Row]]) -> list[Row]:
    """Return proposals for bookmarks; a tag may be new, a few bookmarks have more than are shown."""
    return [
        _suggestion(rng, owner, bookmark["id"], number, targets)
        for bookmark in saved
        for number in range(rng.choice((0, 0, 1, 3, 3, 25 if rng.random() < 0.1 else 2)))
    ]


def rules(rng: random.Random, owner: UUID, count: int, places: list[Row]) -> list[Row]:
    """Return rules; some share their position, some name collections that are there or are gone."""
    return [
        {
            "id": values.key(rng),
            "owner_id": owner,
            "name": (values.text(rng) or "r")[:200],
            "query": values.text(rng)[:1_000],
            "events": [event.value for event in rng.sample(list(RuleEvent), rng.randint(0, 3))],
            "actions": {
                "addTags": [values.text(rng)],
                "addCollectionIds": [str(rng.choice(places)["id"]), str(values.key(rng))],
                "isFavorite": rng.choice((None, True, False)),
            },
            "position": rng.choice((0, number)),
            "is_enabled": rng.random() < 0.5,
            "error": values.maybe(rng, values.text(rng)),
            "changed_count": rng.randint(0, 900),
            "last_run_at": values.maybe(rng, values.moment(rng)),
            "created_at": values.moment(rng),
            "updated_at": values.moment(rng),
        }
        for number in range(count)
    ]


def _suggestion(rng: random.Random, owner: UUID, bookmark: UUID, number: int, targets: dict[str, list[Row]]) -> Row:
    kind = rng.choice(("TAG", "TAG", "COLLECTION", "CATEGORY"))
    target = rng.choice(targets[kind])["id"]
    status = rng.choice([one.value for one in ProposalStatus])
    return {
        "id": values.key(rng),
        "owner_id": owner,
        "bookmark_id": bookmark,
        "kind": kind,
        "key": f"{number}{values.text(rng, 1)}",
        "name": values.text(rng),
        "tag_id": values.maybe(rng, target) if kind == "TAG" else None,
        "collection_id": target if kind == "COLLECTION" else None,
        "category_id": target if kind == "CATEGORY" else None,
        "confidence": rng.choice(values.REALS),
        "reason": values.text(rng),
        "source": rng.choice([one.value for one in ProposalSource]),
        "status": status,
        "created_at": values.moment(rng),
        "updated_at": values.moment(rng),
        "decided_at": values.maybe(rng, values.moment(rng)),
    }
