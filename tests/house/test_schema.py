"""The API is described word by word, and its text is committed, so that every change to it is seen in review."""

import json
import re
from collections.abc import Iterator

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
    parse,
    validate,
)

from schema.root import sdl
from tests.house.project import ROOT

FIRST_SESSION = re.findall(r"query: `([^`]+)`", (ROOT / "web/src/graphiql/firstSession.ts").read_text())
README_OPERATIONS = [
    json.loads(text)
    for text in re.findall(r"""'[^'{]*\{"query": ("(?:[^"\\]|\\.)*")""", (ROOT / "README.md").read_text())
]
COMMITTED = ROOT / "schema" / "schema.graphql"


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """What a client sees: the printed schema, read back."""
    return build_schema(sdl())


def test_the_committed_sdl_is_the_schema() -> None:
    assert COMMITTED.read_text(encoding="utf-8").rstrip("\n") == sdl().rstrip("\n"), "run `make schema` and commit"


def test_everything_is_described(schema: GraphQLSchema) -> None:
    silent = [path for path, description in described_parts(schema) if not (description or "").strip()]
    assert not silent, f"say what these mean, with unit and limit: {silent}"


def described_parts(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    """Yield `(path, description)` of every type, field, argument, enum value and directive of our own.

    Strawberry cannot describe the arguments of a schema directive; its own description has to speak for them.
    """
    for name, kind in schema.type_map.items():
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind):
            yield name, kind.description
            yield from _members(name, kind)
    for directive in schema.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description


def _members(name: str, kind: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for field_name, field in kind.fields.items():
            yield f"{name}.{field_name}", field.description
            yield from _arguments(f"{name}.{field_name}", field.args)
    elif isinstance(kind, GraphQLInputObjectType):
        yield from ((f"{name}.{key}", field.description) for key, field in kind.fields.items())
    elif isinstance(kind, GraphQLEnumType):
        yield from ((f"{name}.{key}", value.description) for key, value in kind.values.items())


def _arguments(path: str, arguments: dict[str, GraphQLArgument]) -> Iterator[tuple[str, str | None]]:
    yield from ((f"{path}({key}:)", argument.description) for key, argument in arguments.items())


def test_what_counts_as_undescribed() -> None:
    small = build_schema(
        """
        "Reading."
        type Query { "A." a(b: Int, "C." c: C): Int }
        "C."
        input C { d: Int }
        enum E { F }
        directive @g(h: Int) on FIELD
        """
    )
    silent = {path for path, description in described_parts(small) if not description}
    assert silent == {"Query.a(b:)", "C.d", "E", "E.F", "@g"}


def test_mutations_take_one_input_and_return_a_payload(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    odd = [
        name
        for name, field in schema.mutation_type.fields.items()
        if not str(field.type).rstrip("!").endswith("Payload") or not set(field.args) <= {"input"}
    ]
    assert not odd, f"one argument `input`, answer `<Verb><Noun>Payload!`: {odd}"


def test_payloads_carry_user_errors(schema: GraphQLSchema) -> None:
    payloads = [kind for name, kind in schema.type_map.items() if name.endswith("Payload")]
    without = [
        kind.name
        for kind in payloads
        if isinstance(kind, GraphQLObjectType)
        and ("userErrors" not in kind.fields or str(kind.fields["userErrors"].type) != "[UserError!]!")
    ]
    assert payloads
    assert not without


def test_connections_follow_relay(schema: GraphQLSchema) -> None:
    shapes = {
        name: set(kind.fields)
        for name, kind in schema.type_map.items()
        if name.endswith("Connection") and isinstance(kind, GraphQLObjectType)
    }
    assert not [name for name, fields in shapes.items() if not {"edges", "nodes", "pageInfo", "totalCount"} <= fields]


@pytest.mark.parametrize(
    "operation", FIRST_SESSION, ids=lambda text: re.findall(r"^(?:\w+) (\w+)", text, re.MULTILINE)[0]
)
def test_the_first_session_of_graphiql_is_valid(schema: GraphQLSchema, operation: str) -> None:
    assert validate(schema, parse(operation)) == []


def test_the_first_session_is_whole() -> None:
    names = re.findall(r"^(?:query|mutation|subscription) (\w+)", "\n".join(FIRST_SESSION), re.MULTILINE)
    assert names[:3] == ["Register", "Login", "Viewer"]
    assert set(names) >= {"CreateBookmark", "UploadImport", "StartImport", "ImportProgress", "Search", "Collections"}


@pytest.mark.parametrize("operation", README_OPERATIONS)
def test_the_operations_of_the_readme_are_valid(schema: GraphQLSchema, operation: str) -> None:
    assert validate(schema, parse(operation)) == []


def test_the_readme_shows_operations() -> None:
    assert len(README_OPERATIONS) == 3
