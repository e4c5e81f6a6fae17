"""Global ids: giving every row one, and finding a row by it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol
from uuid import UUID

import strawberry

from db.agents import AgentRow, TaskRow
from db.auth import ApiKeyRow, SessionRow
from db.bookmarks import BookmarkRow
from db.categorization import CategoryRow
from db.categorization.suggestions import SuggestionRow
from db.collections import CollectionRow
from db.imports import ImportRow
from db.rules import RuleRow
from db.shapes import Identity, Source
from db.tags import TagRow
from db.users import UserRow
from kit.errors import BadInput
from kit.ids import decode_global_id, encode_global_id
from resolvers import agents, auth, bookmarks, categorization, collections, imports, rules, tags, users
from resolvers.context import Info

MAX_NODES = 100
Finder = Callable[[Info, UUID], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class NodeKind:
    """How rows of one GraphQL type are recognised, found by their key, and printed."""

    row_type: type
    find: Finder
    source: Source


KINDS: dict[str, NodeKind] = {
    "ApiKey": NodeKind(ApiKeyRow, auth.find_key, auth.KEY_SOURCE),
    "Agent": NodeKind(AgentRow, agents.find_agent, agents.AGENT_SOURCE),
    "Bookmark": NodeKind(BookmarkRow, bookmarks.find, bookmarks.SOURCE),
    "Category": NodeKind(CategoryRow, categorization.find_category, categorization.CATEGORY_SOURCE),
    "Collection": NodeKind(CollectionRow, collections.find, collections.SOURCE),
    "Import": NodeKind(ImportRow, imports.find, imports.SOURCE),
    "Rule": NodeKind(RuleRow, rules.find, rules.SOURCE),
    "Suggestion": NodeKind(SuggestionRow, categorization.find, categorization.SOURCE),
    "Tag": NodeKind(TagRow, tags.find, tags.SOURCE),
    "Task": NodeKind(TaskRow, agents.find, agents.SOURCE),
    "User": NodeKind(UserRow, users.find, users.SOURCE),
    "UserSession": NodeKind(SessionRow, auth.find_session, auth.SOURCE),
}


GlobalId = Annotated[strawberry.ID, strawberry.argument(description="The opaque `id` of an object of this server.")]
GlobalIds = Annotated[list[strawberry.ID], strawberry.argument(description="At most 100 opaque ids.")]


class Identified(Protocol):
    """A row with a key."""

    @property
    def id(self) -> UUID:
        """The key inside this server."""
        ...


def identity_of(type_name: str) -> Identity:
    """Return the id of rows shown as `type_name`, as PostgreSQL prints it."""
    return Identity(type_name)


def global_id_of(type_name: str) -> Callable[[Any], strawberry.ID]:
    """Return the resolver that answers `id` for rows shown as `type_name`."""

    def global_id(row: strawberry.Parent[Identified]) -> strawberry.ID:
        return strawberry.ID(encode_global_id(type_name, row.id))

    return global_id


async def node(info: Info, id: GlobalId) -> Any:  # noqa: A002  the Relay specification names the argument
    """Find one object, whatever its type; None when it is not there for the viewer."""
    type_name, key = decode_global_id(id)
    kind = KINDS.get(type_name)
    return None if kind is None else await kind.find(info, key)


async def nodes(info: Info, ids: GlobalIds) -> list[Any]:
    """Find several objects in the order of their ids."""
    if len(ids) > MAX_NODES:
        raise BadInput(f"At most {MAX_NODES} ids at once; these are {len(ids)}.", field=("ids",))
    return list(await asyncio.gather(*(node(info, one) for one in ids)))
