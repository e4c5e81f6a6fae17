"""A page of a list at any depth against its first page."""

from functools import partial
from typing import Final

from benchmarks.harness import Findings, Goal, Options, take_turns
from benchmarks.lab import Lab, Library
from db.bookmarks import BookmarkFilter
from kit.paging import PageRequest
from services import bookmarks
from services.bookmarks import BookmarkOrder

PAGE: Final = 50
DEPTHS: Final = (0.01, 0.5, 0.99)


async def run(lab: Lab, options: Options) -> Findings:
    """Measure the service's list of the newest bookmarks, as the GraphQL field asks it."""
    findings = Findings("pages")
    library = await lab.library(options.huge)
    for depth in DEPTHS:
        offset = int(library.size * depth)
        position = await library.database.fetchrow(
            """
            SELECT added_at, id FROM bookmarks WHERE owner_id = $1 AND deleted_at IS NULL
            ORDER BY added_at DESC, id DESC OFFSET $2 LIMIT 1
            """,
            library.viewer.id,
            offset,
        )
        assert position is not None
        works = {
            "first": partial(_page, library, None),
            "deep": partial(_page, library, (position["added_at"], position["id"])),
        }
        measured = await take_turns(works, rounds=options.rounds, seed=options.seed)
        name = f"{PAGE} bookmarks after row {offset:,} of {library.size:,}"
        findings.against(name, measured["deep"], "the first page", measured["first"], Goal(2))
    return findings


async def _page(library: Library, position: tuple[object, ...] | None) -> None:
    request = PageRequest(limit=PAGE, backward=False, position=position)  # type: ignore[arg-type]  # read from the row
    order = BookmarkOrder()
    wanted = await bookmarks.resolve(library.database, library.viewer, BookmarkFilter(), order)
    rows = await bookmarks.page(library.database, library.viewer, wanted, order, request)
    assert len(rows) >= PAGE
