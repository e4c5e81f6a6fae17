"""The servers: Graphmark itself, the peers, and the floor."""

import sys
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any, Final
from uuid import UUID

from benchmarks.peers.node import package_version, script
from benchmarks.peers.servers import Listed, Request, Server, Subscription
from kit.ids import decode_global_id
from services.events import seq_of

GRAPHMARK: Final = "Graphmark"
MERCURIUS: Final = "mercurius"
YOGA: Final = "graphql-yoga"
POSTGRAPHILE: Final = "PostGraphile"
STOCK: Final = "stock Strawberry"
FLOOR: Final = "bare ASGI"
FLOOR_KEPT: Final = "bare ASGI, kept tags"
FLOOR_LOOP: Final = "bare ASGI, one loop"
LITESTAR: Final = "bare Litestar"

PAGE: Final = 50
SCALARS: Final = "id url title description notes domain isFavorite isArchived isUnread addedAt updatedAt version"
TAGS: Final = "tags { id name }"
COLOURED_TAGS: Final = "tags { id name color }"
COLLECTIONS: Final = "collections { id name }"
EVENTS: Final = "subscription Follow { bookmarkChanged { cursor resync change bookmarkIds } }"
SOCKETS_ALLOWED: Final = 2_000  # the fan-out opens all of its sockets as one account
KEPT: Final = Request(path="/kept")
"""What the floor answers with the tags that Graphmark keeps in each bookmark."""


def our_list(tags: str) -> str:
    """Return the list query in Graphmark's words."""
    return f"query List($first: Int!) {{ bookmarks(first: $first) {{ nodes {{ {SCALARS} {tags} {COLLECTIONS} }} }} }}"


def their_list(tags: str, field: str) -> str:
    """Return the list query for the schemas that were written for the comparison."""
    return f"query List($first: Int!) {{ {field}(first: $first) {{ {SCALARS} {tags} {COLLECTIONS} }} }}"


def postgraphile_list(tag: str) -> str:
    """Return the list query for the schema that PostGraphile makes of the tables; `tag` is what is asked of a tag."""
    return f"""
query List($first: Int!, $owner: UUID!) {{
  allBookmarks(first: $first, orderBy: [ADDED_AT_DESC, ROW_ID_DESC], condition: {{ownerId: $owner, deletedAt: null}}) {{
    nodes {{
      rowId url title description notes domain isFavorite isArchived isUnread addedAt updatedAt version
      tags: bookmarkTagsByBookmarkId {{ nodes {{ tagByTagId {{ {tag} }} }} }}
      collections: bookmarkCollectionsByBookmarkId {{ nodes {{ collectionByCollectionId {{ rowId name }} }} }}
    }}
  }}
}}
"""


PLENTY: Final = 100_000_000
RATES: Final = (
    *("RATE_OPERATIONS_PER_ACCOUNT_MINUTE", "RATE_OPERATIONS_PER_NETWORK_MINUTE", "RATE_WRITES_PER_ACCOUNT_MINUTE"),
    *("PASSWORD_FAILURES_PER_ACCOUNT", "SIGN_IN_FAILURES_PER_NETWORK"),
)
"""Limits in a time: kept, but at numbers that a benchmark does not reach."""


def graphmark(dsn: str, token: str, data_dir: str) -> Server:
    """Return Graphmark's API process as it is shipped, asked by somebody who is signed in."""
    authorization = {"authorization": f"Bearer {token}"}
    return Server(
        name=GRAPHMARK,
        version=partial(version, "graphmark"),
        command=lambda: [sys.executable, "-m", "app", "api"],
        environment={
            "DATABASE_URL": dsn,
            "DATA_DIR": data_dir,
            "LOG_LEVEL": "warning",
            "MAX_WEBSOCKETS_PER_USER": str(SOCKETS_ALLOWED),
            **{name: str(PLENTY) for name in RATES},
        },
        health="/health/ready",
        listing=_graphql(our_list(TAGS), {"first": PAGE}, authorization),
        coloured=_graphql(our_list(COLOURED_TAGS), {"first": PAGE}, authorization),
        small=_graphql("{ viewer { id } }", {}, authorization),
        rows=lambda body: list(body["data"]["bookmarks"]["nodes"]),
        read=_our_bookmark,
        following=Subscription(path="/graphql", init=authorization, document=EVENTS, number=seq_of),
    )


def list_peers(owner: UUID) -> list[Server]:
    """Return the servers that answer the list query."""
    theirs = _graphql(their_list(TAGS, "bookmarks"), {"first": PAGE})
    coloured = _graphql(their_list(COLOURED_TAGS, "colouredBookmarks"), {"first": PAGE})
    variables = {"first": PAGE, "owner": str(owner)}
    return [
        Server(
            name=MERCURIUS,
            version=lambda: f"{package_version('mercurius')}, graphql-jit {package_version('graphql-jit')}",
            command=lambda: script("mercurius.mjs", "mercurius"),
            health="/health",
            listing=theirs,
            coloured=coloured,
            rows=_only_list,
            read=_bookmark,
        ),
        Server(
            name=YOGA,
            version=lambda: package_version("graphql-yoga"),
            command=lambda: script("yoga.mjs", "graphql-yoga"),
            health="/health",
            listing=theirs,
            read=_bookmark,
        ),
        Server(
            name=POSTGRAPHILE,
            version=lambda: package_version("postgraphile"),
            command=lambda: script("postgraphile.mjs", "postgraphile"),
            health="/",
            listing=_graphql(postgraphile_list("rowId name"), variables),
            coloured=_graphql(postgraphile_list("rowId name color"), variables),
            rows=lambda body: list(body["data"]["allBookmarks"]["nodes"]),
            read=_postgraphile_bookmark,
        ),
        stock_strawberry(),
        floor(),
    ]


def stock_strawberry() -> Server:
    """Return Strawberry on Litestar as its documentation shows it."""
    return Server(
        name=STOCK,
        version=lambda: f"{version('strawberry-graphql')}, Litestar {version('litestar')}",
        command=lambda: _module("stock_strawberry"),
        health="/health",
        listing=_graphql(their_list(TAGS, "bookmarks"), {"first": PAGE}),
        read=_bookmark,
        following=Subscription(path="/graphql", document=EVENTS),
    )


def floor(*, name: str = FLOOR, events: str = "/events") -> Server:
    """Return uvicorn with nothing on it; `events` is the path of the way in which its sockets are served."""
    return Server(
        name=name,
        version=lambda: f"uvicorn {version('uvicorn')}",
        command=lambda: _module("floor"),
        health="/",
        listing=Request(path="/list"),
        coloured=Request(path="/coloured"),
        read=_bookmark,
        following=Subscription(path=events, document=EVENTS),
    )


def litestar_route() -> Server:
    """Return Litestar with one small route."""
    return Server(
        name=LITESTAR,
        version=lambda: version("litestar"),
        command=lambda: _module("litestar_route"),
        health="/viewer",
        small=Request(path="/viewer"),
    )


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.peers.{name}"]


def _graphql(query: str, variables: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Request:
    return Request(path="/graphql", body={"query": query, "variables": variables}, headers=headers or {})


def _only_list(body: Any) -> list[Any]:
    """Return the bookmarks under whichever name they were asked."""
    (found,) = body["data"].values()
    return list(found)


def _names(rows: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(row["name"] for row in rows)


def _bookmark(row: Mapping[str, Any]) -> Listed:
    return UUID(row["id"]), row["title"], _names(row["tags"]), _names(row["collections"])


def _our_bookmark(row: Mapping[str, Any]) -> Listed:
    key = decode_global_id(row["id"], expected="Bookmark")[1]
    return key, row["title"], _names(row["tags"]), _names(row["collections"])


def _postgraphile_bookmark(row: Mapping[str, Any]) -> Listed:
    tags = (link["tagByTagId"] for link in row["tags"]["nodes"])
    collections = (link["collectionByCollectionId"] for link in row["collections"]["nodes"])
    return UUID(row["rowId"]), row["title"], _names(tags), _names(collections)
