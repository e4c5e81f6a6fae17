"""Random pages: what was read behind bookmarks, and pictures of it."""

import random
from typing import Any
from uuid import UUID

from tests.executor import values

Row = dict[str, Any]


def page(rng: random.Random, owner: UUID, bookmark: UUID) -> Row:
    """Return what a page said."""
    return {
        "bookmark_id": bookmark,
        "owner_id": owner,
        "url": values.text(rng),
        "content_type": rng.choice(("text/html", "", values.text(rng))),
        "text": rng.choice(("", values.text(rng), f"Long\n{values.text(rng)} " * 50)),
        "is_rendered": rng.random() < 0.3,
        "fetched_at": values.moment(rng),
    }


def screenshot(rng: random.Random, owner: UUID, bookmark: UUID) -> Row:
    """Return a picture."""
    return {
        "bookmark_id": bookmark,
        "owner_id": owner,
        "png": rng.randbytes(rng.choice((1, 100))),
        "width": rng.choice((1, 1280)),
        "height": rng.choice((1, 800)),
        "sha256": rng.randbytes(32),
        "taken_at": values.moment(rng),
    }
