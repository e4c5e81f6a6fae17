"""The report of what the compiled executor covers names every field, and the rows of the graph are covered."""

from tests.client import the_schema
from tests.executor.coverage import answers_of, reachable, report
from tests.executor.watched import RESOLVER

SCHEMA = the_schema()._schema  # noqa: SLF001  graphql-core's schema is inside


def test_every_field_that_a_query_can_reach_is_listed() -> None:
    listed = [word for line in report(SCHEMA) if line.startswith("  ") for word in line.split()[1:]]
    assert sorted(listed) == sorted(name for kind in reachable(SCHEMA) for name in kind.fields)


def test_a_field_without_facts_is_left_to_its_resolver() -> None:
    answers = answers_of(SCHEMA)
    assert answers["Query"]["serverInfo"] == answers["ServerInfo"]["version"] == RESOLVER


LEFT = {
    "Bookmark": {"similar"},  # what is found by meaning nothing prints
    # What is spent and what there is is added up; credentials are no business of a statement that acts for the viewer.
    "User": {
        "bookmarkCount",
        "quotas",
        "spending",
        "sessions",
        "apiKeys",
        "isTotpEnabled",
        "isTotpRequired",
        "recoveryCodesLeft",
    },
    "Task": {"owner", "steps", "messages", "artifacts", "bookmarks"},  # asked of one task at a time
}
"""Fields that are answered by their resolvers."""


def test_rows_and_pages_of_the_graph_are_covered() -> None:
    answers = answers_of(SCHEMA)
    pages = {
        f"{kind}{part}"
        for kind in ("Bookmark", "Collection", "Tag", "Import", "Suggestion", "LinkCheck")
        for part in ("Connection", "Edge")
    }
    kinds = ("Bookmark", "Collection", "Tag", "Task", "User", "Category", "AgentSettings", "LinkHealth", "LinkCheck")
    for kind in (*kinds, "PageInfo", *pages):
        left = {name for name, way in answers[kind].items() if way == RESOLVER}
        assert left == LEFT.get(kind, set()), kind
