"""Each field at the root of an operation says who may ask for it."""

import pytest
from graphql import OperationType, parse
from graphql.language import FragmentDefinitionNode, OperationDefinitionNode

from kit.errors import Forbidden
from kit.ids import new_id
from resolvers.compiled.facts import strawberry_field
from schema.demands import Demands, root_names
from schema.directives import Public, RequiresRole, RequiresScope, RequiresSession
from services.permissions import ApiScope, Role, Viewer
from tests.client import the_schema

CORE = the_schema()._schema  # noqa: SLF001  graphql-core's schema is inside
ROOTS = ("query_type", "mutation_type", "subscription_type")
SAYING = (Public, RequiresScope, RequiresSession)


def test_a_root_field_says_who_may_ask() -> None:
    silent = [
        f"{root}.{name}"
        for root in ROOTS
        for name, definition in getattr(CORE, root).fields.items()
        if (field := strawberry_field(definition)) is None
        or sum(isinstance(one, SAYING) for one in field.directives) != 1
    ]
    assert not silent, f"add one of **requires(…), **signed_in() and **public() of schema.directives: {silent}"


def test_what_changes_something_is_not_for_reading_keys() -> None:
    demands = Demands(CORE).of_fields
    assert not [name for (kind, name), one in demands.items() if kind is OperationType.MUTATION and one.scope is READ]
    assert not [
        name for (kind, name), one in demands.items() if kind is not OperationType.MUTATION and one.scope is WRITE
    ]


def test_administration_is_not_for_keys() -> None:
    assert CORE.mutation_type is not None
    held = [
        name
        for name, definition in CORE.mutation_type.fields.items()
        if (field := strawberry_field(definition)) is not None
        and any(isinstance(one, RequiresRole) for one in field.directives)
        and not any(isinstance(one, RequiresSession) for one in field.directives)
    ]
    assert not held, f"a mutation of administrators takes no API key: signed_in(role=…), not requires: {held}"


SPREAD = """
{ ... { ... on Query { ...F } } } fragment F on Query { x: nodes { id } ...G } fragment G on Query { __typename }
"""
READ, WRITE, IMPORT = ApiScope.READ, ApiScope.WRITE, ApiScope.IMPORT


def key(*scopes: ApiScope) -> Viewer:
    """Return who asks with an API key."""
    return Viewer(new_id(), key_id=new_id(), scopes=frozenset(scopes))


def names_of(text: str) -> tuple[OperationType, frozenset[str]]:
    """Return the kind of the only operation of a document and its root fields."""
    document = parse(text)
    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    return operation.operation, root_names(operation, fragments)


@pytest.mark.parametrize(
    ("viewer", "text", "refused"),
    [
        (key(READ), "{ viewer { id } bookmarks { totalCount } serverInfo { version } __typename }", None),
        (key(READ), "subscription { bookmarkChanged { cursor } }", None),
        (key(READ), "mutation { emptyTrash { purgedCount } }", "`emptyTrash` needs the scope WRITE"),
        (key(WRITE), "mutation { emptyTrash { purgedCount } }", None),
        (key(WRITE), "{ viewer { id } }", "`viewer` needs the scope READ"),
        (key(WRITE), "subscription { bookmarkChanged { cursor } }", "`bookmarkChanged` needs the scope READ"),
        (key(READ, WRITE), "mutation { startImport { userErrors { code } } }", "`startImport` needs the scope IMPORT"),
        (key(IMPORT), "mutation { startImport { userErrors { code } } }", None),
        (key(READ, WRITE, IMPORT), "mutation { logout { ended } }", "`logout` is not for API keys"),
        (key(), "mutation { login { userErrors { code } } }", None),
        (key(WRITE), "{ a: node(id: 1) { id } }", "`node` needs the scope READ"),
        (key(WRITE), SPREAD, "`nodes` needs the scope READ"),
        (key(WRITE), "{ viewer @skip(if: true) { id } }", "`viewer` needs the scope READ"),
        (key(READ), "{ unheardOf }", "`unheardOf` is not for API keys"),
        (Viewer(new_id(), must_enrol=True), "{ viewer { id } serverInfo { version } }", None),
        (Viewer(new_id(), must_enrol=True), "mutation { logout { ended } }", None),
        (Viewer(new_id(), must_enrol=True), "{ bookmarks { totalCount } }", "Set up a second factor first"),
        (Viewer(new_id(), Role.ADMIN, must_enrol=True), "{ users { totalCount } }", "Set up a second factor first"),
        (Viewer(new_id()), "mutation { emptyTrash { purgedCount } }", None),
    ],
)  # fmt: skip
def test_who_may_ask(viewer: Viewer, text: str, refused: str | None) -> None:
    demands = Demands(CORE)
    if refused is None:
        demands.check(viewer, *names_of(text))
    else:
        with pytest.raises(Forbidden, match=refused):
            demands.check(viewer, *names_of(text))
