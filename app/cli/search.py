"""`graphmark search`."""

from typing import Any

import click
from rich.console import Console
from rich.text import Text

from app.cli.support import print_json, run_with_services
from db.search.queries import FoundRows
from kit.ids import encode_global_id
from kit.paging import MAX_PAGE, page_request
from resolvers.context import Services
from services.auth import viewer_by_email
from services.search import find
from services.search.find import Query, SearchMode

Found = tuple[Query, FoundRows]


@click.command()
@click.argument("query")
@click.option("--user", "email", required=True, help="Whose bookmarks: the address they sign in with.")
@click.option("--first", default=20, show_default=True, type=click.IntRange(1, MAX_PAGE), help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def search(*, query: str, email: str, first: int, as_json: bool) -> None:
    """Search somebody's bookmarks, best first. QUERY is as in the API: words, "phrases", -not, OR, #tag, is:unread."""

    async def work(services: Services) -> Found:
        database = services.database
        viewer = await viewer_by_email(database, email)
        wanted = await find.understand(database, viewer, query, SearchMode.HYBRID, services.meaning)
        request = page_request(wanted.order, find.KINDS, first=first)
        return wanted, await find.page(database, viewer, wanted, request)

    wanted, found = run_with_services("search", work)
    if as_json:
        print_json(_as_json(wanted, found, first))
    else:
        _print(found, first)


def _as_json(wanted: Query, found: FoundRows, first: int) -> dict[str, Any]:
    return {
        "totalCount": found.matches,
        "isTotalCountCapped": found.is_capped,
        "queryExplanation": find.explanation(wanted, is_capped=found.is_capped),
        "nodes": [
            {
                "id": encode_global_id("Bookmark", hit.bookmark.id),
                "url": hit.bookmark.url,
                "title": hit.bookmark.title,
                "score": hit.score,
                "addedAt": hit.bookmark.added_at.isoformat(),
            }
            for hit in found.hits[:first]
        ],
    }


def _print(found: FoundRows, first: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for hit in found.hits[:first]:
        console.print(Text(hit.bookmark.title or hit.bookmark.url, style="bold"))
        console.print(Text(f"  {hit.bookmark.url}", style="dim"))
    many = "more than " if found.is_capped else ""
    click.echo(f"{many}{found.matches:,} found", err=True)
