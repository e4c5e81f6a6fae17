"""Categories and proposals in the graph."""

from typing import Annotated, Any, cast
from uuid import UUID

import strawberry

from db import categorization as category_rows
from db.bookmarks import BookmarkRow
from db.categorization import AgentSettingsRow, CategoryRow
from db.categorization import settings as setting_rows
from db.categorization import suggestions as rows
from db.categorization.suggestions import SuggestionRow
from db.collections import CollectionRow
from db.tags import TagRow
from db.unit import Unit
from db.users import UserRow
from kit.errors import BadInput
from kit.ids import decode_keys
from kit.paging import page_request
from resolvers import bookmarks, collections, tags
from resolvers.context import Info, viewer_of
from resolvers.ids import optional_key
from resolvers.inputs.categorization import (
    AcceptSuggestionsInput,
    RejectSuggestionsInput,
    SuggestionFilter,
    UpdateAgentSettingsInput,
)
from resolvers.loaders import load_related, load_row
from resolvers.mutation import Payload, change, item_errors
from resolvers.paging import After, Before, ConnectionRows, First, Last, connection
from resolvers.shaped import shape_of
from services import categorization
from services.categorization import AgentSettingsChanges, categories, lists, settings

TYPE = "Suggestion"
CATEGORY_TYPE = "Category"
SETTINGS_TYPE = "AgentSettings"
SETTINGS, SETTINGS_OF_USER = setting_rows.SOURCE, setting_rows.OF_USER
SOURCE, CATEGORY_SOURCE = rows.SOURCE, category_rows.SOURCE
TAG, COLLECTION, CATEGORY = rows.TAG, rows.COLLECTION, rows.CATEGORY
OF_BOOKMARK, CATEGORY_OF_BOOKMARK = rows.OF_A_BOOKMARK, category_rows.OF_BOOKMARK
Filter = Annotated[SuggestionFilter | None, strawberry.argument(description="Which proposals; all when left out.")]
Accept = Annotated[AcceptSuggestionsInput, strawberry.argument(description="What to accept.")]
Reject = Annotated[RejectSuggestionsInput, strawberry.argument(description="What to reject.")]
Update = Annotated[UpdateAgentSettingsInput, strawberry.argument(description="What to change.")]


async def list_categories(info: Info) -> list[CategoryRow]:
    """Return the viewer's categories, which are made when somebody first looks."""
    viewer, database, shape = viewer_of(info), info.context.database, shape_of(info, CATEGORY_TYPE, category_rows.WHOLE)
    found = await categories.listed(database, viewer, shape)
    if found:
        return found
    async with database.unit() as unit:
        await categories.ensure(unit, viewer.id)
    return await categories.listed(database, viewer, shape)


async def list_suggestions(
    info: Info,
    *,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter: Filter = None,  # noqa: A002  the name of the API
) -> ConnectionRows[SuggestionRow]:
    """Return what is proposed for the viewer's bookmarks."""
    viewer, database, wanted = viewer_of(info), info.context.database, _filter(filter)
    request = page_request(lists.ORDER, lists.KINDS, first=first, after=after, last=last, before=before)
    placed = await lists.page(database, viewer, wanted, request, shape_of(info, TYPE, rows.WHOLE))
    return connection(request, lists.ORDER, placed, lambda: lists.count(database, viewer, wanted))


async def find(info: Info, key: UUID) -> SuggestionRow | None:
    """Return one proposal of the viewer."""
    return await load_row(info, rows.SOURCE, key, shape_of(info, TYPE, rows.WHOLE))


async def find_category(info: Info, key: UUID) -> CategoryRow | None:
    """Return one category of the viewer."""
    return await load_row(info, category_rows.SOURCE, key, shape_of(info, CATEGORY_TYPE, category_rows.WHOLE))


async def of_bookmark(row: strawberry.Parent[BookmarkRow], info: Info) -> list[SuggestionRow]:
    """Return what is proposed for a bookmark."""
    return await load_related(info, rows.OF_A_BOOKMARK, row.id, shape_of(info, TYPE, rows.WHOLE))


async def category_of_bookmark(row: strawberry.Parent[BookmarkRow], info: Info) -> CategoryRow | None:
    """Return the category of a bookmark."""
    return None if row.category_id is None else await find_category(info, row.category_id)


async def bookmark_of(row: strawberry.Parent[SuggestionRow], info: Info) -> BookmarkRow | None:
    """Return the bookmark that a proposal is for."""
    return await bookmarks.find(info, row.bookmark_id)


async def tag_of(row: strawberry.Parent[SuggestionRow], info: Info) -> TagRow | None:
    """Return the tag that is proposed."""
    return None if row.tag_id is None else await tags.find(info, row.tag_id)


async def collection_of(row: strawberry.Parent[SuggestionRow], info: Info) -> CollectionRow | None:
    """Return the collection that is proposed."""
    return None if row.collection_id is None else await collections.find(info, row.collection_id)


async def category_of(row: strawberry.Parent[SuggestionRow], info: Info) -> CategoryRow | None:
    """Return the category that is proposed."""
    return None if row.category_id is None else await find_category(info, row.category_id)


async def agent_settings(row: strawberry.Parent[UserRow], info: Info) -> AgentSettingsRow | None:
    """Return what the viewer lets the agents do; None for somebody else."""
    return await load_row(info, setting_rows.SOURCE, row.id, shape_of(info, SETTINGS_TYPE, setting_rows.WHOLE))


async def accept_suggestions(info: Info, input: Accept) -> Payload:  # noqa: A002  the name of the API
    """Do what is proposed."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        if (input.ids is None) == (input.above is None):
            raise BadInput("Give either `ids` or `above`.", field=("input", "ids"))
        if input.above is not None:
            done = await categorization.accept_above(
                unit, viewer, input.above, _filter(input.filter, "input", "filter")
            )
        else:
            if input.filter is not None:
                raise BadInput("`filter` goes with `above`.", field=("input", "filter"))
            keys = decode_keys(input.ids or (), TYPE, field=("input", "ids"))
            done = await categorization.accept(unit, viewer, keys)
        errors = item_errors(done.missing, "ids")
        return Payload(suggestions=done.suggestions, remaining_count=done.remaining, user_errors=errors)

    return await change(info, work)


async def reject_suggestions(info: Info, input: Reject) -> Payload:  # noqa: A002  the name of the API
    """Refuse proposals for ever."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        done = await categorization.reject(unit, viewer, decode_keys(input.ids, TYPE, field=("input", "ids")))
        return Payload(suggestions=done.suggestions, user_errors=item_errors(done.missing, "ids"))

    return await change(info, work)


async def update_agent_settings(info: Info, input: Update) -> Payload:  # noqa: A002  the name of the API
    """Change what the agents may do by themselves."""
    viewer = viewer_of(info)

    async def work(unit: Unit) -> Payload:
        return Payload(agent_settings=await settings.change(unit, viewer, _changed(input)))

    return await change(info, work)


def _filter(given: SuggestionFilter | None, *path: str) -> rows.SuggestionFilter:
    if given is None:
        return rows.SuggestionFilter()
    return rows.SuggestionFilter(
        status=given.status,
        kind=given.kind,
        source=given.source,
        bookmark_id=optional_key(given.bookmark_id, "Bookmark", (*(path or ("filter",)), "bookmarkId")),
        min_confidence=given.min_confidence,
    )


def _changed(new: UpdateAgentSettingsInput) -> AgentSettingsChanges:
    changes: dict[str, Any] = {}
    if new.auto_apply_above is not None:
        changes["auto_apply_above"] = new.auto_apply_above.value
    for name in ("propose_new_tags", "ask_provider", "recheck_links"):
        if getattr(new, name) is not None:
            changes[name] = getattr(new, name)
    return cast("AgentSettingsChanges", changes)
