"""Random changes between the questions: what tables repeat of each other has to be in step after every one of them."""

import random
from collections.abc import Callable
from typing import Any

from kit.ids import encode_global_id
from tests.executor import values
from tests.executor.operations import Case
from tests.executor.world import World

_SHOWN = "id title tags { id name } collections { id name }"
CHECK = " ".join(
    f"""{{ bookmarks(first: 25) {{ nodes {{ {_SHOWN} }} }}
    trash: bookmarks(first: 25, filter: {{inTrash: true}}) {{ nodes {{ tags {{ id name }} }} }}
    plain: bookmarks(first: 25) {{ nodes {{ tags {{ name id }} tagged: tags {{ id name path }} }} }}
    tags(first: 25) {{ nodes {{ path bookmarkCount aliases }} }} }}""".split()
)
"""Asks for what the changes touch, in the spelling that lists use most and in others."""
_BOOKMARK = f"bookmark {{ {_SHOWN} }} userErrors {{ code }}"
_TAG = "tag { id name path bookmarkCount } userErrors { code }"


class Writes:
    """Draws changes for one account: mostly of its own things, now and then of somebody else's."""

    def __init__(self, rng: random.Random, world: World, asker: int) -> None:
        self._rng = rng
        self._world = world
        self._asker = asker

    def draw(self) -> Case:
        """Return a mutation."""
        name, selection, make = self._rng.choice(self._kinds())
        given = f"{name[0].upper()}{name[1:]}Input"
        query = f"mutation($input: {given}!) {{ {name}(input: $input) {{ {selection} }} }}"
        return Case(query, {"input": make()}, self._asker)

    def _kinds(self) -> list[tuple[str, str, Callable[[], dict[str, Any]]]]:
        rng, one, some = self._rng, self._one, self._some
        url = f"https://example.org/{rng.getrandbits(40)}"
        return [
            ("createBookmark", _BOOKMARK, lambda: {"url": url, "title": values.text(rng), "tags": self._names()}),
            ("updateBookmark", _BOOKMARK, lambda: {"id": one("Bookmark"), "tags": self._names()}),
            ("updateBookmark", _BOOKMARK, lambda: {"id": one("Bookmark"), "collectionIds": some("Collection")}),
            ("deleteBookmarks", "deletedIds userErrors { code }", lambda: {"ids": some("Bookmark")}),
            ("restoreBookmarks", f"bookmarks {{ {_SHOWN} }}", lambda: {"ids": some("Bookmark")}),
            ("createTag", _TAG, lambda: {"name": self._names()[0]}),
            ("updateTag", _TAG, lambda: {"id": one("Tag"), "name": values.text(rng)}),
            ("updateTag", _TAG, lambda: {"id": one("Tag"), "parentId": rng.choice((None, one("Tag")))}),
            ("mergeTags", _TAG, lambda: {"sourceIds": some("Tag"), "targetId": one("Tag")}),
            ("deleteTags", "deletedIds userErrors { code }", lambda: {"ids": [one("Tag")]}),
            ("updateCollection", "collection { id name }", lambda: {"id": one("Collection"), "name": values.text(rng)}),
            (
                "addToCollection",
                "changedBookmarkIds",
                lambda: {"collectionId": one("Collection"), "bookmarkIds": some("Bookmark")},
            ),
        ]

    def _one(self, kind: str) -> str:
        account = self._asker if self._rng.random() < 0.95 else self._rng.randrange(len(self._world.viewers))
        return encode_global_id(kind, self._rng.choice(self._world.keys[kind][account]))

    def _some(self, kind: str) -> list[str]:
        return [self._one(kind) for _ in range(self._rng.randint(1, 3))]

    def _names(self) -> list[str]:
        known = self._world.words["path"]
        return [self._rng.choice((self._rng.choice(known), values.text(self._rng))) for _ in range(3)]
