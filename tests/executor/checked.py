"""Random links: what checks found, and the checks."""

import random
from typing import Any
from uuid import UUID

from services.validation.states import ContentState, LinkDetail, LinkStatus, Verdict
from tests.executor import values

Row = dict[str, Any]
_KEYS = tuple(bytes([number]) * 16 for number in range(9))
"""What addresses are known by: few, so that bookmarks share them."""


def link_health(rng: random.Random, owner: UUID, bookmark: UUID) -> Row:
    """Return how a link fares."""
    return _seen(rng, owner, bookmark) | {
        "url_digest": rng.randbytes(32),
        "permanent_url": values.maybe(rng, values.text(rng)),
        "final_key": values.maybe(rng, rng.choice(_KEYS)),
        "canonical_key": values.maybe(rng, rng.choice(_KEYS)),
        "failures": values.number(rng),
        "next_check_at": values.moment(rng),
        "content_simhash": values.maybe(rng, rng.choice((-(2**63), -1, 0, 7, 2**63 - 1))),
        "content_words": rng.choice((0, 29, 30, 900)),
        "archive_url": values.maybe(rng, values.text(rng)),
    }


def link_check(rng: random.Random, owner: UUID, bookmark: UUID) -> Row:
    """Return one check."""
    return _seen(rng, owner, bookmark) | {"id": values.key(rng), "duration_ms": values.number(rng)}


def _seen(rng: random.Random, owner: UUID, bookmark: UUID) -> Row:
    return {
        "bookmark_id": bookmark,
        "owner_id": owner,
        "status": rng.choice(list(LinkStatus)).value,
        "detail": values.maybe(rng, rng.choice(list(LinkDetail)).value),
        "verdict": rng.choice(list(Verdict)).value,
        "http_status": values.maybe(rng, values.number(rng)),
        "final_url": values.maybe(rng, values.text(rng)),
        "checked_at": values.moment(rng),
        "content_state": rng.choice(list(ContentState)).value,
    }
