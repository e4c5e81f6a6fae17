"""Operations that were answered differently once, or come near to one that was; `test_oracle` runs them all.

`{Type:account:number}` stands for an id in the world of `SEED`. Add what `make fuzz-executor` found, as it shrank it.
"""

import re

from kit.ids import encode_global_id
from tests.executor.operations import Case
from tests.executor.world import World

SEED = 1
_ID = re.compile(r"\{(\w+):(\d):(\d+)\}")
CORPUS: dict[str, Case] = {
    "a sibling is refused while others wait for the same row": Case(
        """{ collections(first: 30) { nodes { parent { name } bookmarks(first: 1) { nodes { title } } refused:
            bookmarks(first: 0) { totalCount } } } again: collections(first: 30) { nodes { parent { name }
            bookmarkCount } } }""",
        {},
        0,
    ),
    "names that PostgreSQL would cut to the same 63 bytes": Case(
        """{ bookmarks(first: 2) { nodes {
            a_name_longer_than_the_sixty_three_bytes_that_postgresql_keeps_of_one_1: title
            a_name_longer_than_the_sixty_three_bytes_that_postgresql_keeps_of_one_2: url
            a_name_longer_than_the_sixty_three_bytes_that_postgresql_keeps_of_one_: id
            A_name_longer_than_the_sixty_three_bytes_that_postgresql_keeps_of_one_: domain } } }""",
        {},
        0,
    ),
    "names that mean something to SQL": Case(
        """{ select: bookmarks(first: 2) { from: nodes { order: title group: url limit: id row_number: version
            b: isUnread _: notes data: keywords } } }""",
        {},
        0,
    ),
    "the same field merged from everywhere": Case(
        """query($no: Boolean!) { bookmarks(first: 3) { nodes { tags { id } } ...A ... on BookmarkConnection {
            nodes { title tags { path } } nodes @skip(if: $no) { url } } } } fragment A on BookmarkConnection {
            nodes { tags { name children { id } } __typename } }""",
        {"no": True},
        0,
    ),
    "one list twice with other arguments": Case(
        """{ tags(first: 5) { nodes { path a: bookmarks(first: 1) { nodes { id } totalCount } b:
            bookmarks(last: 1, orderBy: {field: TITLE}) { nodes { id } pageInfo { startCursor } } c:
            bookmarks(filter: {inTrash: true}) { totalCount } } } }""",
        {},
        0,
    ),
    "nothing but a name of a type": Case(
        "{ bookmarks { __typename } tags { nodes { __typename } } __typename }",
        {},
        0,
    ),
    "everything skipped": Case(
        "{ bookmarks(first: 1) { nodes { id @skip(if: true) } } tags @skip(if: true) { totalCount } }",
        {},
        0,
    ),
    "ids of every kind": Case(
        """{ nodes(ids: ["{Bookmark:0:1}", "{Tag:0:1}", "{Collection:0:1}", "{Import:0:1}", "{Task:0:1}",
            "{User:0:0}", "{Bookmark:1:1}", "{User:1:0}", "{Bookmark:0:1}"]) { __typename id ... on Bookmark {
            title tags { path } } ... on Tag { path parent { path } } ... on Collection { name children { name }
            } ... on Import { progress task { progress } } ... on Task { progress status } ... on User { email
            role lastLoginAt } } }""",
        {},
        0,
    ),
    "a malformed id among good ones": Case(
        """{ nodes(ids: ["{Tag:0:1}", "x"]) { id } viewer { id } }""",
        {},
        0,
    ),
    "rows of others": Case(
        """{ node(id: "{Bookmark:1:0}") { id } bookmark(id: "{Bookmark:1:0}") { id } collection(id:
            "{Collection:1:0}") { id } import(id: "{Import:1:0}") { id } task(id: "{Task:1:0}") { id } }""",
        {},
        0,
    ),
    "what only an administrator sees": Case(
        "{ users(first: 2) { nodes { email role } totalCount } }",
        {},
        2,
    ),
    "what only an administrator sees, asked by others": Case(
        "{ users(first: 2) { nodes { email } } viewer { id } }",
        {},
        0,
    ),
    "nobody": Case(
        "{ bookmarks { totalCount } viewer { id } serverInfo { version limits { maxUploadBytes } } }",
        {},
        None,
    ),
    "numbers of a real column": Case(
        "{ imports(first: 100) { nodes { progress task { progress } processed } } }",
        {},
        0,
    ),
    "fates of rows": Case(
        """{ imports(first: 5) { nodes { items(first: 50, filter: {outcome: [ERROR, CREATED]}) { nodes { row
            reason outcome bookmark { id title } } pageInfo { endCursor hasNextPage } totalCount } } } }""",
        {},
        0,
    ),
    "null and nothing are not the same": Case(
        """query($filter: BookmarkFilter, $after: String, $first: Int = 3) { bookmarks(first: $first, after:
            $after, filter: $filter, orderBy: null) { totalCount nodes { id } } }""",
        {"filter": None, "after": None},
        0,
    ),
}


def placed(case: Case, world: World) -> Case:
    """Return the case with the ids of `world`."""

    def shown(found: re.Match[str]) -> str:
        kind, account, number = found.groups()
        return encode_global_id(kind, world.keys[kind][int(account)][int(number)])

    return Case(_ID.sub(shown, case.query), case.variables, case.asker, case.operation_name)
